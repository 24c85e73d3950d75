"""How routes write into the journal."""

from typing import Protocol


class Tell(Protocol):
    """Writes one entry down."""

    def __call__(self, kind: str, body: str, status: int, outcome: str, batch: str) -> None:
        """Write an entry.

        Args:
            kind: What was asked for.
            body: SHA-256 of what was sent, hexadecimal.
            status: HTTP status; 0 where the connection broke.
            outcome: `ok`, `refused`, or a fate's name.
            batch: Id of the batch; empty: none.
        """
