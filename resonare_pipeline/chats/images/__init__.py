"""Images of messages, told in words by a vision model."""
