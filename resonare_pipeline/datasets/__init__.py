"""Conversations of every source → one dataset: mixed, redacted, split, described."""
