"""What an export holds and what became of it, in numbers."""
