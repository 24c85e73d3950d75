"""Prompt records: conversations whose assistant turns are empty, read, filled and written back."""
