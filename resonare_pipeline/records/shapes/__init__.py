"""The shapes in which other people write conversations; each in a module of its own."""
