"""Redaction in place: what identifies people or opens doors, replaced by placeholders."""
