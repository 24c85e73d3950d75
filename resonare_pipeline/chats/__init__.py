"""Chat exports → chats, messages → blocks → conversations, and their statistics."""
