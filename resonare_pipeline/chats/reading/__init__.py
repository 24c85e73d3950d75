"""Reading exports of any source into the tables `chats` and `messages`."""
