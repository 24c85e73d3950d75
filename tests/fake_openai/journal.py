"""What the fake server answered, one line a request, in memory or as JSON lines in a file."""

from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it was answered.

    Attributes:
        at: Seconds since the server started.
        body: SHA-256 of the body, hexadecimal.
        status: HTTP status; 0 where the connection hung or broke.
        outcome: `ok`, or the fault's name.
        tokens: What was billed.
        running: Requests at work when this one came, itself included.
    """

    at: float
    body: str
    status: int
    outcome: str
    tokens: int = 0
    running: int = 0


class Journal:
    """Entries in the order of their answers."""

    def __init__(self, path: Path | None = None, *, kept: bool = True) -> None:
        self.entries: list[Entry] = []
        self._kept = kept
        self._stream = path.open("ab", buffering=0) if path else None

    def add(self, entry: Entry) -> None:
        """Write an entry down; a line in the file is whole even if the server is killed next."""
        if self._kept:
            self.entries.append(entry)
        if self._stream:
            self._stream.write(msgspec.json.encode(entry) + b"\n")

    def lines(self) -> bytes:
        """Return all entries as JSON lines."""
        return b"".join(msgspec.json.encode(entry) + b"\n" for entry in self.entries)


def read_journal(path: Path) -> list[Entry]:
    """Read a journal file."""
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]
