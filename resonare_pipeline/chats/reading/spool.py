"""What readers of exports hand over, kept in temporary Arrow files until all of it is known.

Who the owner is, what a chat is called, whether it is taken and whether messages come twice is only
known at the end of an export, which may be far larger than memory. Nothing about one format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.rows import ENTITY, REACTION, TIMESTAMP

PARSED = pa.schema(
    [
        pa.field("number", pa.int64()),  # the source's id of the message, if that is a number
        pa.field("label", pa.string()),  # the source's id, if that is anything else
        pa.field("content", pa.int64()),  # hash of time, sender and text, if there is no id
        pa.field("sender", pa.int32(), nullable=False),  # into the list of senders
        pa.field("sent_at", TIMESTAMP, nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("entities", pa.list_(ENTITY)),
        pa.field("reply_number", pa.int64()),  # id of a message in the same chat
        pa.field("reply_to_id", pa.string()),  # whole id of a message in another chat
        pa.field("forwarded_from", pa.string()),
        pa.field("media_kind", pa.string()),
        pa.field("media_path", pa.string()),
        pa.field("reactions", pa.list_(REACTION)),
        pa.field("edited_at", TIMESTAMP),
    ]
)
SENDER = PARSED.get_field_index("sender")
KEYS = ("number", "label", "content", "sender", "sent_at", "edited_at")
PARSED_DROPPED = pa.schema(
    [
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


Tallies = dict[int, tuple[int, int]]
"""Sender → (number of rows, number of the last row)."""


class Sender(NamedTuple):
    """Who sent a message, as one message says it."""

    id: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRun:
    """Neighbouring messages of one chat, parsed.

    Attributes:
        rows: Messages in the order of the source, by the schema `PARSED`.
        senders: What `rows.sender` points into.
        dropped: (id in the source, reason) of messages that are left out.
        local_times: How many rows have a time without a zone.
        old_numbers: Whether senders are plain numbers, as in old exports.
    """

    rows: pa.RecordBatch
    senders: Sequence[Sender]
    dropped: Sequence[tuple[str, str]]
    local_times: int
    old_numbers: bool = False


@dataclass(slots=True, kw_only=True)
class Span:
    """The messages of one chat in one place of one file.

    Attributes:
        place: File, section and number in it, to order the spans of one chat by.
        chat_id: Known when the chat was read to its end.
        kind: The source's word for the kind of chat.
        taken: Whether the chat is wanted.
        elements: Messages in the source, whatever became of them.
        ordered: Whether numbers ascend strictly and times never fall.
        tallies: Of the rows here.
        first: Time, sender and text of the first row.
    """

    place: tuple[int, ...]
    chat_id: str = ""
    name: str | None = None
    kind: str | None = None
    taken: bool = True
    elements: int = 0
    rows: int = 0
    local_times: int = 0
    old_numbers: bool = False
    ordered: bool = True
    first_sent: int = 0
    last_sent: int = 0
    last_number: int = 0
    first: tuple[int, str | None, str] | None = None
    tallies: Tallies = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    dropped_batches: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A parsed run whose rows lie in a file, and what is to be known of them without reading it.

    Attributes:
        path: Holds the rows, `sender` pointing into `senders`.
        tallies: Of the rows, by number of the sender.
        ordered: Whether numbers ascend strictly and times never fall.
        first: Time, sender and text of the first row.
    """

    path: Path
    rows: int
    senders: Sequence[Sender]
    dropped: Sequence[tuple[str, str]]
    local_times: int
    old_numbers: bool
    tallies: Tallies = field(default_factory=dict)
    ordered: bool = True
    first: tuple[int, str | None, str] | None = None
    last_sent: int = 0
    first_number: int = 0
    last_number: int = 0


def keep_run(run: ParsedRun, path: Path) -> KeptRun:
    """Write the rows of a parsed run to a file of their own; workers do this, too.

    Raises:
        StoreError: If it cannot be written.
    """
    kept = KeptRun(
        path=path,
        rows=run.rows.num_rows,
        senders=run.senders,
        dropped=run.dropped,
        local_times=run.local_times,
        old_numbers=run.old_numbers,
    )
    if not kept.rows:
        return kept
    with (
        storage_errors(f"temporary file {path}"),
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, run.rows.schema) as writer,
    ):
        writer.write_batch(run.rows)
    times = run.rows.column("sent_at").cast(pa.int64()).to_numpy()
    numbers = run.rows.column("number")
    ids = np.zeros(kept.rows, np.int64) if numbers.null_count else numbers.to_numpy()
    codes = run.rows.column(SENDER).to_numpy()
    return replace(
        kept,
        tallies=tally(codes, 0),
        ordered=bool((np.diff(ids) > 0).all() and (np.diff(times) >= 0).all())
        and not numbers.null_count,
        first=(int(times[0]), run.senders[0].id, run.rows.column("text")[0].as_py()),
        last_sent=int(times[-1]),
        first_number=int(ids[0]),
        last_number=int(ids[-1]),
    )


class _Batch(NamedTuple):
    """Where rows lie, and the senders of all rows that the numbers in it stand for."""

    path: Path
    rows: int
    codes: npt.NDArray[np.int32]

    def read(self, columns: Sequence[int] = ()) -> pa.RecordBatch:
        # Not memory-mapped: pages of a mapped file would count as this process's memory.
        options = pa.ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)
        with pa.OSFile(str(self.path)) as source:
            rows = pa.ipc.open_file(source, options=options).get_batch(0)
        at = rows.schema.get_field_index("sender")
        senders = pa.array(self.codes[rows.column(at).to_numpy()], pa.int32())
        return rows.set_column(at, PARSED.field(SENDER), senders)


class _DroppedFile:
    """What was left out, in one file: first written batch by batch, then read by number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, PARSED_DROPPED)
        self._count = 0

    def write(self, dropped: Sequence[tuple[str, str]]) -> int:
        columns = [pa.array(column, pa.string()) for column in zip(*dropped, strict=True)]
        with storage_errors(f"temporary file {self._path}"):
            self._writer.write_batch(pa.record_batch(columns, schema=PARSED_DROPPED))
        self._count += 1
        return self._count - 1

    def close(self) -> None:
        with storage_errors(f"temporary file {self._path}"):
            self._writer.close()
            self._sink.close()

    @cached_property
    def reader(self) -> pa.ipc.RecordBatchFileReader:
        return pa.ipc.open_file(pa.OSFile(str(self._path)))


class Spool:
    """Parsed messages on their way to the tables: added run by run, then read by batch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._batches: list[_Batch] = []
        self._dropped = _DroppedFile(folder / "dropped.arrow")
        self._codes: dict[Sender, int] = {}
        self.senders: list[Sender] = []
        self.spans: list[Span] = []

    def new_path(self) -> Path:
        """Return a name for the next file of rows."""
        self._files += 1
        return self._folder / f"{self._files}.arrow"

    def add(self, span: Span, run: KeptRun) -> None:
        """Take in the next messages of a span."""
        span.elements += run.rows + len(run.dropped)
        span.local_times += run.local_times
        span.old_numbers |= run.old_numbers
        if run.dropped:
            span.dropped_batches.append(self._dropped.write(run.dropped))
        if run.rows:
            codes = np.array([self._code(sender) for sender in run.senders], np.int32)
            _note(span, run, codes)
            span.batches.append(len(self._batches))
            self._batches.append(_Batch(run.path, run.rows, codes))

    def _code(self, sender: Sender) -> int:
        code = self._codes.setdefault(sender, len(self.senders))
        if code == len(self.senders):
            self.senders.append(sender)
        return code

    def close(self) -> None:
        """End the writing; what was added can be read afterwards."""
        self._dropped.close()

    def rows(self, number: int) -> int:
        """Return how many rows a batch has."""
        return self._batches[number].rows

    def batch(self, number: int) -> pa.RecordBatch:
        """Return parsed rows."""
        return self._batches[number].read()

    def keys(self, number: int) -> pa.RecordBatch:
        """Return only the columns `KEYS` of parsed rows."""
        return self._batches[number].read([PARSED.get_field_index(name) for name in KEYS])

    def dropped(self, span: Span) -> Iterator[tuple[str, str]]:
        """Yield (id in the source, reason) of what a span leaves out."""
        for number in span.dropped_batches:
            columns = self._dropped.reader.get_batch(number).columns
            yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _note(span: Span, run: KeptRun, codes: npt.NDArray[np.int32]) -> None:
    """Enter into a span what its next rows say about order and senders."""
    if not span.rows and run.first is not None:
        span.first_sent, span.first = run.first[0], run.first
    follows = not span.rows or (
        run.first is not None
        and run.first_number > span.last_number
        and run.first[0] >= span.last_sent
    )
    span.ordered = span.ordered and run.ordered and follows
    span.last_number, span.last_sent = run.last_number, run.last_sent
    for sender, (count, last) in run.tallies.items():
        code = int(codes[sender])
        before = span.tallies.get(code, (0, 0))
        span.tallies[code] = (before[0] + count, max(before[1], span.rows + last))
    span.rows += run.rows


def tally(codes: npt.NDArray[np.int32], start: int) -> Tallies:
    """Count rows by sender, and note the last row of each.

    Args:
        codes: A sender for each row.
        start: Number of the first row.
    """
    found, from_end, counts = np.unique(codes[::-1], return_index=True, return_counts=True)
    last = start + len(codes) - 1 - from_end
    return dict(zip(found.tolist(), zip(counts.tolist(), last.tolist(), strict=True), strict=True))
