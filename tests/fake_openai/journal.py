"""What the fake server answered, one line a request, in memory or as JSON lines in a file."""

import heapq
from array import array
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it was answered, or one line of a batch as it was run.

    Attributes:
        at: Seconds since the server started.
        body: SHA-256 of the body, hexadecimal. A question's is that of its canonical JSON, so it
            has one hash online and in a batch; an upload's is that of the file.
        status: HTTP status; 0 where the connection hung or broke.
        outcome: `ok`, or the fault's or fate's name.
        tokens: What was billed.
        running: Requests at work when this one came, itself included; 0 but for `chat`.
        kind: `chat`, `upload`, `create`, `cancel`, `delete`, or `line`.
        batch: Id of the batch, where there is one.
    """

    at: float
    body: str
    status: int
    outcome: str
    tokens: int = 0
    running: int = 0
    kind: str = "chat"
    batch: str = ""


class Ran:
    """The lines of one batch that were run, in some 50 bytes each."""

    def __init__(self, batch: str) -> None:
        self._batch = batch
        self._at, self._bodies = array("d"), bytearray()
        self._statuses, self._tokens, self._outcomes = array("H"), array("L"), array("B")
        self._names: list[str] = []

    def add(self, entry: Entry) -> None:
        """Keep a line."""
        if entry.outcome not in self._names:
            self._names.append(entry.outcome)
        self._at.append(entry.at)
        self._bodies += bytes.fromhex(entry.body)
        self._statuses.append(entry.status)
        self._tokens.append(entry.tokens)
        self._outcomes.append(self._names.index(entry.outcome))

    def __iter__(self) -> Iterator[Entry]:
        """Make the entries anew, in the order in which the lines were run."""
        for index, at in enumerate(self._at):
            yield Entry(
                at=at,
                body=self._bodies[32 * index : 32 * index + 32].hex(),
                status=self._statuses[index],
                outcome=self._names[self._outcomes[index]],
                tokens=self._tokens[index],
                kind="line",
                batch=self._batch,
            )


class Journal:
    """Entries in the order of their answers."""

    def __init__(self, path: Path | None = None, *, kept: bool = True) -> None:
        self.entries: list[Entry] = []
        self._ran: dict[str, Ran] = {}
        self._kept = kept
        self._stream = path.open("ab", buffering=0) if path else None

    def add(self, entry: Entry) -> None:
        """Write an entry down; a line in the file is whole even if the server is killed next."""
        if self._kept and entry.kind == "line":
            if entry.batch not in self._ran:
                self._ran[entry.batch] = Ran(entry.batch)
            self._ran[entry.batch].add(entry)
        elif self._kept:
            self.entries.append(entry)
        if self._stream:
            self._stream.write(msgspec.json.encode(entry) + b"\n")

    def lines(self) -> bytes:
        """Return all entries as JSON lines."""
        found = heapq.merge(self.entries, *self._ran.values(), key=lambda entry: entry.at)
        return b"".join(msgspec.json.encode(entry) + b"\n" for entry in found)


def read_journal(path: Path) -> list[Entry]:
    """Read a journal file."""
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]
