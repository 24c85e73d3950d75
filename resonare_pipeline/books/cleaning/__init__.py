"""Rules that mend the text of chapters, each by itself."""
