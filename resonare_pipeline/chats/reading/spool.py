"""What readers of exports hand over, kept in temporary Arrow files until all of it is known.

Who the owner is, what a chat is called, whether it is taken and whether messages come twice is only
known at the end of an export, which may be far larger than memory. Nothing about one format.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.reading.parsed import (
    KEY_COLUMNS,
    PARSED,
    SENDER,
    KeptRun,
    Sender,
    Tallies,
    add_tallies,
)

OPEN_FILES = 64  # at a time, of those that rows are read from
SHARED_BATCHES = 4  # at hand, of those that hold several chats, which are read one after the other
PARSED_DROPPED = pa.schema(
    [
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


@dataclass(slots=True, kw_only=True)
class Span:
    """The messages of one chat in one place of one file.

    Attributes:
        place: File, section and number in it, to order the spans of one chat by.
        chat_id: Known when the chat was read to its end.
        peer: Sender id of whom the chat is with, if that is one person.
        kind: The source's word for the kind of chat.
        taken: Whether the chat is wanted.
        elements: Messages in the source, whatever became of them.
        ordered: Whether numbers ascend strictly and times never fall.
        tallies: Of the rows here.
        first: Time, sender and text of the first row.
    """

    place: tuple[int, ...]
    chat_id: str = ""
    peer: str = ""
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


class _Batch(NamedTuple):
    """Where rows lie, and the senders of all rows that the numbers in it stand for.

    Attributes:
        codes: None where those numbers are the spool's own.
    """

    path: Path
    place: int
    start: int
    rows: int
    shared: bool
    codes: npt.NDArray[np.int32] | None

    def read(self, readers: "_Readers", columns: tuple[int, ...] = ()) -> pa.RecordBatch:
        rows = readers.batch(self.path, self.place, columns, shared=self.shared)
        if self.shared:
            rows = rows.slice(self.start, self.rows)
        if self.codes is None:
            return rows
        at = rows.schema.get_field_index("sender")
        senders = pa.array(self.codes[rows.column(at).to_numpy()], pa.int32())
        return rows.set_column(at, PARSED.field(SENDER), senders)


class _Readers:
    """Files of rows that were read last, still open: chats that lie in one are read apart."""

    def __init__(self) -> None:
        self._open: OrderedDict[
            tuple[Path, tuple[int, ...]], tuple[pa.OSFile, pa.ipc.RecordBatchFileReader]
        ] = OrderedDict()
        self._shared: OrderedDict[tuple[Path, int, tuple[int, ...]], pa.RecordBatch] = OrderedDict()

    def batch(
        self, path: Path, place: int, columns: tuple[int, ...], *, shared: bool
    ) -> pa.RecordBatch:
        """Return some columns of a batch; one that chats share stays at hand for the next."""
        if not shared:
            return self._of(path, columns).get_batch(place)
        key = (path, place, columns)
        if key not in self._shared:
            self._shared[key] = self._of(path, columns).get_batch(place)
            if len(self._shared) > SHARED_BATCHES:
                self._shared.popitem(last=False)
        self._shared.move_to_end(key)
        return self._shared[key]

    def _of(self, path: Path, columns: tuple[int, ...]) -> pa.ipc.RecordBatchFileReader:
        """Return a reader of some columns of a file, or of all."""
        found = self._open.get((path, columns))
        if found is None:
            # Not memory-mapped: pages of a mapped file would count as this process's memory.
            source = pa.OSFile(str(path))
            options = pa.ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)
            found = self._open[path, columns] = source, pa.ipc.open_file(source, options=options)
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)[1][0].close()
        else:
            self._open.move_to_end((path, columns))
        return found[1]

    def close(self) -> None:
        """Close all files; they are opened again when they are wanted."""
        self._shared.clear()
        while self._open:
            self._open.popitem()[1][0].close()


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
    """Parsed messages on their way to the tables: added run by run, then read by batch.

    Attributes:
        senders: In the order in which they were first met.
        spans: Of chats that were read to their end.
        readers: Hold files open, and are closed when no row is wanted any more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._batches: list[_Batch] = []
        self._dropped = _DroppedFile(folder / "dropped.arrow")
        self.readers = _Readers()
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
            codes = self._codes_of(run)
            _note(span, run, codes)
            span.batches.append(self._keep(run, codes))

    def add_loose(self, run: KeptRun) -> int:
        """Take in rows that are of no span yet, and return the number of their batch."""
        return self._keep(run, self._codes_of(run))

    def remove(self, numbers: Iterable[int]) -> None:
        """Delete the files of batches that are of no span and wanted no more."""
        self.readers.close()
        for path in {self._batches[number].path for number in numbers}:
            with storage_errors(f"temporary file {path}"):
                path.unlink()

    def add_dropped(self, span: Span, dropped: Sequence[tuple[str, str]]) -> None:
        """Take in what is left out of a span: (id in the source, reason)."""
        span.elements += len(dropped)
        span.dropped_batches.append(self._dropped.write(dropped))

    def _keep(self, run: KeptRun, codes: npt.NDArray[np.int32] | None) -> int:
        self._batches.append(_Batch(run.path, run.place, run.start, run.rows, run.shared, codes))
        return len(self._batches) - 1

    def _codes_of(self, run: KeptRun) -> npt.NDArray[np.int32] | None:
        if run.senders is self.senders:
            return None
        return np.array([self._code(sender) for sender in run.senders], np.int32)

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
        return self._batches[number].read(self.readers)

    def keys(self, number: int) -> pa.RecordBatch:
        """Return only the columns `KEYS` of parsed rows."""
        return self.columns(number, KEY_COLUMNS)

    def columns(self, number: int, columns: tuple[int, ...]) -> pa.RecordBatch:
        """Return some columns of parsed rows, by their places in `PARSED`; with the sender's."""
        return self._batches[number].read(self.readers, columns)

    def dropped(self, span: Span) -> Iterator[tuple[str, str]]:
        """Yield (id in the source, reason) of what a span leaves out."""
        for number in span.dropped_batches:
            columns = self._dropped.reader.get_batch(number).columns
            yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _note(span: Span, run: KeptRun, codes: npt.NDArray[np.int32] | None) -> None:
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
        code = sender if codes is None else int(codes[sender])
        add_tallies(span.tallies, {code: (count, span.rows + last)})
    span.rows += run.rows
