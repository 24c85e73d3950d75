"""Readers of Signal's tables as CSV files, as `signalbackup-tools` writes them from a backup."""
