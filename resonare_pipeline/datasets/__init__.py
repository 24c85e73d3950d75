"""The dataset group: what is made of all conversations together, and where it goes."""
