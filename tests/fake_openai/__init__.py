"""An OpenAI-compatible server on loopback, with scripted failures and a journal of its answers."""
