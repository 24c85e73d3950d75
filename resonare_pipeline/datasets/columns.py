"""What the columns of a dataset mean, for its card and the web UI."""

COLUMNS = {
    "example_id": "hash of the conversation before redaction and of what it came from",
    "messages": "turns of `role`, `content`, and for an assistant's turn `weight` (1: train on it)",
    "tools": "JSON list of tools, null without",
    "source": "what it came from",
    "root_id": "the chat, book or record that it came from; no root stands in two splits",
    "repeat": "0, and up for further copies of an example that has weight",
    "turns": "number of turns, the system's left aside",
    "tokens": "tokens of the rendered conversation",
    "trained_tokens": "tokens of the turns that are trained on",
    "language": "a guess, ISO 639-1",
    "started_at": "time of the first message",
    "ended_at": "time of the last message",
    "provenance": "JSON: the asset and its digest that the row was made from",
}
