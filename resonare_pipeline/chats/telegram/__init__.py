"""Telegram Desktop's JSON exports, read as a stream."""
