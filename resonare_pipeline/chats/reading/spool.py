"""What readers of exports hand over, kept in temporary Arrow files until all of it is known.

Who the owner is, what a chat is called, whether it is taken and whether messages come twice is only
known at the end of an export, which may be far larger than memory. Nothing about one format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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


class _BatchFile:
    """Record batches in a temporary file: first written, then read by number."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema)
        self._count = 0

    def write(self, batch: pa.RecordBatch) -> int:
        with storage_errors(f"temporary file {self._path}"):
            self._writer.write_batch(batch)
        self._count += 1
        return self._count - 1

    def close(self) -> None:
        with storage_errors(f"temporary file {self._path}"):
            self._writer.close()
            self._sink.close()

    def open(self, columns: Sequence[int] = ()) -> pa.ipc.RecordBatchFileReader:
        # Not memory-mapped: pages of a mapped file would count as this process's memory.
        options = pa.ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)
        return pa.ipc.open_file(pa.OSFile(str(self._path)), options=options)


class Spool:
    """Parsed messages on their way to the tables: added span by span, then read by batch."""

    def __init__(self, folder: Path) -> None:
        self._rows = _BatchFile(folder / "rows.arrow", PARSED)
        self._dropped = _BatchFile(folder / "dropped.arrow", PARSED_DROPPED)
        self._codes: dict[Sender, int] = {}
        self.senders: list[Sender] = []
        self.spans: list[Span] = []

    def add(self, span: Span, run: ParsedRun) -> None:
        """Keep the next messages of a span."""
        span.elements += run.rows.num_rows + len(run.dropped)
        span.local_times += run.local_times
        span.old_numbers |= run.old_numbers
        if run.dropped:
            columns = [pa.array(column, pa.string()) for column in zip(*run.dropped, strict=True)]
            dropped = pa.record_batch(columns, schema=PARSED_DROPPED)
            span.dropped_batches.append(self._dropped.write(dropped))
        if run.rows.num_rows:
            rows = self._with_codes(run)
            _note(span, rows, run.senders)
            span.batches.append(self._rows.write(rows))

    def _with_codes(self, run: ParsedRun) -> pa.RecordBatch:
        codes = np.array([self._code(sender) for sender in run.senders], np.int32)
        senders = pa.array(codes[run.rows.column(SENDER).to_numpy()], pa.int32())
        return run.rows.set_column(SENDER, PARSED.field(SENDER), senders)

    def _code(self, sender: Sender) -> int:
        code = self._codes.setdefault(sender, len(self.senders))
        if code == len(self.senders):
            self.senders.append(sender)
        return code

    def close(self) -> None:
        """End the writing; what was added can be read afterwards."""
        self._rows.close()
        self._dropped.close()

    @cached_property
    def _row_reader(self) -> pa.ipc.RecordBatchFileReader:
        return self._rows.open()

    @cached_property
    def _key_reader(self) -> pa.ipc.RecordBatchFileReader:
        return self._rows.open([PARSED.get_field_index(name) for name in KEYS])

    @cached_property
    def _dropped_reader(self) -> pa.ipc.RecordBatchFileReader:
        return self._dropped.open()

    def batch(self, number: int) -> pa.RecordBatch:
        """Return parsed rows."""
        return self._row_reader.get_batch(number)

    def keys(self, number: int) -> pa.RecordBatch:
        """Return only the columns `KEYS` of parsed rows."""
        return self._key_reader.get_batch(number)

    def dropped(self, span: Span) -> Iterator[tuple[str, str]]:
        """Yield (id in the source, reason) of what a span leaves out."""
        for number in span.dropped_batches:
            columns = self._dropped_reader.get_batch(number).columns
            yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _note(span: Span, rows: pa.RecordBatch, senders: Sequence[Sender]) -> None:
    """Enter into a span what its next rows say about order and senders."""
    times = rows.column("sent_at").cast(pa.int64()).to_numpy()
    codes = rows.column(SENDER).to_numpy()
    if not span.rows:
        span.first_sent = int(times[0])
        span.first = (int(times[0]), senders[0].id, rows.column("text")[0].as_py())
    span.ordered = span.ordered and _continues(span, rows.column("number"), times)
    span.last_sent = int(times[-1])
    merge_tallies(span.tallies, tally(codes, span.rows))
    span.rows += rows.num_rows


def _continues(span: Span, numbers: pa.Array, times: npt.NDArray[np.int64]) -> bool:
    if numbers.null_count:
        return False
    ids = numbers.to_numpy()
    follows = not span.rows or (ids[0] > span.last_number and times[0] >= span.last_sent)
    span.last_number = int(ids[-1])
    return bool(follows and (np.diff(ids) > 0).all() and (np.diff(times) >= 0).all())


def tally(codes: npt.NDArray[np.int32], start: int) -> Tallies:
    """Count rows by sender, and note the last row of each.

    Args:
        codes: A sender for each row.
        start: Number of the first row.
    """
    found, from_end, counts = np.unique(codes[::-1], return_index=True, return_counts=True)
    last = start + len(codes) - 1 - from_end
    return dict(zip(found.tolist(), zip(counts.tolist(), last.tolist(), strict=True), strict=True))


def merge_tallies(into: Tallies, further: Tallies) -> None:
    """Add the tallies of later rows."""
    for code, (count, last) in further.items():
        into[code] = (into.get(code, (0, 0))[0] + count, last)
