"""The content-addressed store of artifacts. What an artifact means is not known here."""
