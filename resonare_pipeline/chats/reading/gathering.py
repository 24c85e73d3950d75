"""Rows of a chat from the spool in the order in which they are wanted, in bounded memory.

Where wanted rows lie near each other, as in exports that are ordered but for some rows, batches are
read as rows of them are wanted. Where they do not, rows are first written anew as runs, each a
stretch of the source in the order that is wanted; of those the next rows are always at their front.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.reading.picks import ROW, Picks, Stretch
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits, Records, Sorter
from resonare_pipeline.chats.reading.spool import Spool

IntArray = npt.NDArray[np.int64]

_RANK = 1
_FEW_BATCHES = 8  # a megabyte each, seldom more: they may be put together whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of several batches in the order in which they are wanted.

    Attributes:
        batches: Numbers of batches in the spool.
        picks: Rows, counted through all those batches; None for all as they stand.
        scattered: Whether neighbours in that order lie far from each other in the spool.
    """

    batches: tuple[int, ...]
    picks: Picks | None = None
    scattered: bool = False

    def in_order(self) -> IntArray:
        """Return the numbers of rows that were picked, 8 bytes each."""
        found = [] if self.picks is None else [part.rows for part in self.picks.stretches()]
        return np.concatenate([np.empty(0, np.int64), *found])


class Visits:
    """How often batches have to be read if rows are taken from them as they are wanted."""

    def __init__(
        self, spool: Spool, batches: Sequence[int], stretch_rows: int, limits: Limits
    ) -> None:
        self._ends = _ends(spool, batches)
        self._stretch_rows = stretch_rows
        self._bearable_visits = limits.bearable_visits
        self._bearable = limits.bearable_visits * len(batches)
        self._count = 0

    def counted(self, picks: Iterable[Records]) -> Iterator[Records]:
        """Pass picks on, and count the visits that they take."""
        for chunk in picks:
            for start in range(0, chunk.shape[1], self._stretch_rows):
                rows = chunk[ROW, start : start + self._stretch_rows]
                homes = np.searchsorted(self._ends, rows, side="right")
                self._count += len(np.unique(homes))
                self._bearable += self._bearable_visits
            yield chunk

    @property
    def are_many(self) -> bool:
        """Whether writing rows anew is cheaper."""
        return self._count > self._bearable


def stretch_rows_of(spool: Spool, batches: Sequence[int], limits: Limits) -> int:
    """Return how many rows of a chat may be put together at a time, by a sample of their sizes."""
    if len(batches) < _FEW_BATCHES:
        return limits.stretch_rows
    sample = [spool.batch(number) for number in batches[:: len(batches) // _FEW_BATCHES]]
    rows: int = sum(batch.num_rows for batch in sample)
    size: int = sum(batch.nbytes for batch in sample)
    return min(limits.stretch_rows, max(1, limits.stretch_bytes * rows // max(1, size)))


def gather(
    spool: Spool, rows: Rows, limits: Limits = LIMITS
) -> Iterator[tuple[pa.RecordBatch, Stretch | None]]:
    """Yield rows in order, each batch with what is known of its rows, if anything is.

    Raises:
        StoreError: If a temporary file cannot be written.
    """
    if rows.picks is None:
        for number in rows.batches:
            yield spool.batch(number), None
    elif rows.scattered:
        yield from _from_runs(spool, rows.batches, rows.picks, limits)
    else:
        ends = _ends(spool, rows.batches)
        for stretch in rows.picks.stretches():
            yield _visited(spool, rows.batches, ends, stretch.rows), stretch


def _ends(spool: Spool, batches: Sequence[int]) -> IntArray:
    return np.cumsum([spool.rows(number) for number in batches], dtype=np.int64)


def _visited(
    spool: Spool, batches: tuple[int, ...], ends: IntArray, picked: IntArray
) -> pa.RecordBatch:
    homes = np.searchsorted(ends, picked, side="right")
    order = np.argsort(homes, kind="stable")
    parts = []
    for home in np.unique(homes).tolist():
        batch = spool.batch(batches[home])
        inside = picked[order][homes[order] == home] - (ends[home] - batch.num_rows)
        parts.append(batch.take(pa.array(inside)))
    return _put_back(parts, order)


def _put_back(parts: list[pa.RecordBatch], order: IntArray) -> pa.RecordBatch:
    """Return rows that were taken in some order in the one before that."""
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_batches(parts).take(pa.array(back))


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of neighbouring batches, in the order in which they are wanted, in a file.

    Attributes:
        start: The first row that may be in it, counted through the chat.
        end: The first row behind it.
    """

    path: Path
    start: int
    end: int


def _from_runs(
    spool: Spool, batches: tuple[int, ...], picks: Picks, limits: Limits
) -> Iterator[tuple[pa.RecordBatch, Stretch]]:
    runs = list(_written_runs(spool, batches, picks, limits))
    while len(runs) > limits.fan_in:
        groups = [runs[at : at + limits.fan_in] for at in range(0, len(runs), limits.fan_in)]
        runs = [_joined(group, spool.new_path(), picks, limits) for group in groups]
    yield from zip(_merged(runs, _wanted(picks)), picks.stretches(), strict=True)


def _written_runs(
    spool: Spool, batches: tuple[int, ...], picks: Picks, limits: Limits
) -> Iterator[_Run]:
    """Write the wanted rows of the spool as runs, in one pass."""
    ranks = _Ranks(picks, spool.new_path, limits)
    end = 0
    for group in _groups(spool, batches, limits.run_bytes):
        rows = pa.concat_batches(group)
        group.clear()  # it is held twice no longer than it must be
        start, end = end, end + rows.num_rows
        found = ranks.before(end)
        inside = found[ROW][np.argsort(found[_RANK])] - start
        run = _Run(spool.new_path(), start, end)
        _write(run.path, [rows.take(pa.array(inside))], limits)
        yield run


def _groups(
    spool: Spool, batches: tuple[int, ...], most_bytes: int
) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    size = 0
    for number in batches:
        group.append(spool.batch(number))
        size += group[-1].nbytes
        if size >= most_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Ranks:
    """Rows with their places in the wanted order, by row."""

    def __init__(self, picks: Picks, new_path: Callable[[], Path], limits: Limits) -> None:
        sorter = Sorter(new_path, (ROW,), limits)
        done = 0
        for stretch in picks.stretches():
            places = np.arange(done, done + len(stretch.rows))
            sorter.add(np.stack([stretch.rows, places]))
            done += len(places)
        self._chunks = sorter.sorted()
        self._held: Records = np.empty((2, 0), np.int64)

    def before(self, end: int) -> Records:
        """Take all that come before a row."""
        taken = []
        while True:
            cut = int(np.searchsorted(self._held[ROW], end))
            taken.append(self._held[:, :cut])
            self._held = self._held[:, cut:]
            if self._held.shape[1] or (chunk := next(self._chunks, None)) is None:
                return np.concatenate(taken, axis=1)
            self._held = chunk


def _write(path: Path, batches: Iterable[pa.RecordBatch], limits: Limits) -> None:
    """Write rows to a file, cut into pieces of `block_bytes`."""
    with storage_errors(f"temporary file {path}"), ExitStack() as stack:
        sink = stack.enter_context(pa.OSFile(str(path), "wb"))
        writer = None
        for batch in batches:
            writer = writer or stack.enter_context(pa.ipc.new_stream(sink, batch.schema))
            pieces = max(1, batch.nbytes // limits.block_bytes)
            writer.write_table(
                pa.Table.from_batches([batch]), max_chunksize=max(1, batch.num_rows // pieces)
            )


class _Front:
    """The rows of a run that come next."""

    def __init__(self, source: pa.NativeFile) -> None:
        self._source = source
        self._reader: pa.RecordBatchReader | None = None  # a run without rows has nothing to open
        self._held: pa.RecordBatch | None = None

    def take(self, count: int) -> Iterator[pa.RecordBatch]:
        """Yield the next rows, so many in all."""
        while count:
            held = self._held or self._next()
            taken = held.slice(0, count)
            self._held = held.slice(count) if held.num_rows > count else None
            count -= taken.num_rows
            yield taken

    def _next(self) -> pa.RecordBatch:
        self._reader = self._reader or pa.ipc.open_stream(self._source)
        return self._reader.read_next_batch()


def _merged(runs: Sequence[_Run], wanted: Iterable[IntArray]) -> Iterator[pa.RecordBatch]:
    """Yield wanted rows, which are all the rows of some runs, and delete the runs."""
    ends = np.array([run.end for run in runs])
    with ExitStack() as stack:
        fronts = [_Front(stack.enter_context(pa.OSFile(str(run.path)))) for run in runs]
        for rows in wanted:
            homes = np.searchsorted(ends, rows, side="right")
            order = np.argsort(homes, kind="stable")
            counts = np.bincount(homes, minlength=len(runs)).tolist()
            taken = (front.take(count) for front, count in zip(fronts, counts, strict=True))
            yield _put_back(list(itertools.chain.from_iterable(taken)), order)
    for run in runs:
        run.path.unlink()


def _wanted(picks: Picks, start: int = 0, end: int | None = None) -> Iterator[IntArray]:
    """Yield the wanted rows from one row on up to another, in their order."""
    for stretch in picks.stretches():
        rows = stretch.rows
        yield rows if end is None else rows[(rows >= start) & (rows < end)]


def _joined(group: Sequence[_Run], path: Path, picks: Picks, limits: Limits) -> _Run:
    """Write several neighbouring runs as one."""
    run = _Run(path, group[0].start, group[-1].end)
    wanted = (rows for rows in _wanted(picks, run.start, run.end) if rows.size)
    _write(path, _merged(group, wanted), limits)
    return run
