"""Textbooks: EPUB → chapters as Markdown → cleaned chapters."""
