"""Records of whole numbers put in order in bounded memory, by sorted runs on disk and their merge.

What the numbers mean is not known here.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from resonare_pipeline.artifacts.files import storage_errors

Records = npt.NDArray[np.int64]
"""A row for each field, a column for each record: fields lie together, as numpy sorts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is held in memory while messages are put in order; no limit changes a result.

    Attributes:
        run_records: Records sorted at a time, of 64 bytes at most; several times that is held.
        block_records: Records of each run at hand while runs are merged.
        run_bytes: Parsed rows sorted at a time; about three times that is held.
        block_bytes: Parsed rows of each run at hand while runs are merged.
        fan_in: Runs merged at a time, and files open for that.
        stretch_rows: Parsed rows put together at a time.
        stretch_bytes: The same, where rows are so long that fewer fit.
        bearable_visits: How often each batch of rows may be read, on average, before writing rows
            anew is cheaper, which reads and writes all of them twice.
    """

    run_records: int = 1 << 17
    block_records: int = 1 << 12
    run_bytes: int = 16 << 20
    block_bytes: int = 1 << 18
    fan_in: int = 64
    stretch_rows: int = 1 << 12
    stretch_bytes: int = 4 << 20
    bearable_visits: int = 4


LIMITS = Limits()


class Sorter:
    """Takes records in any order and gives them back sorted, once.

    Args:
        new_path: Names the next temporary file; few records need none.
        by: Fields to sort by, the first of them first; all together differ in any two records.
    """

    def __init__(
        self, new_path: Callable[[], Path], by: Sequence[int], limits: Limits = LIMITS
    ) -> None:
        self._new_path = new_path
        self._by = tuple(by)
        self._limits = limits
        self._held: list[Records] = []
        self._count = 0
        self._runs: list[Path] = []

    def add(self, records: Records) -> None:
        """Take in some records; those of one call are held in memory together."""
        if not records.shape[1]:
            return
        self._held.append(records)
        self._count += records.shape[1]
        if self._count >= self._limits.run_records:
            self._runs.append(self._written([self._take_held()]))

    def sorted(self) -> Iterator[Records]:
        """Yield all records in order, some at a time and never none.

        Raises:
            StoreError: If a temporary file cannot be written.
        """
        if self._held and self._runs:
            self._runs.append(self._written([self._take_held()]))
        if self._held:
            yield self._take_held()
            return
        while len(self._runs) > self._limits.fan_in:
            self._runs = [self._written(self._merged(group)) for group in self._groups()]
        yield from self._merged(self._runs)

    def _take_held(self) -> Records:
        records = np.concatenate(self._held, axis=1)
        self._held.clear()
        self._count = 0
        return self._ordered(records)

    def _ordered(self, records: Records) -> Records:
        # Most fields are the same in all records of most chats; what differs nowhere sorts nothing.
        fields = [records[field] for field in reversed(self._by)]
        varying = [field for field in fields if (field != field[0]).any()]
        return records[:, np.lexsort(varying)] if varying else records

    def _groups(self) -> Iterator[list[Path]]:
        runs = iter(self._runs)
        while group := list(itertools.islice(runs, self._limits.fan_in)):
            yield group

    def _written(self, pieces: Iterable[Records]) -> Path:
        path = self._new_path()
        with storage_errors(f"temporary file {path}"), path.open("wb") as stream:
            for piece in pieces:
                for start in range(0, piece.shape[1], self._limits.block_records):
                    np.save(stream, piece[:, start : start + self._limits.block_records])
        return path

    def _merged(self, paths: Sequence[Path]) -> Iterator[Records]:
        """Yield the records of sorted runs in order, and delete the runs."""
        with contextlib.ExitStack() as stack:
            runs = [_Run(stack.enter_context(path.open("rb")), self._by) for path in paths]
            while runs := [run for run in runs if run.has_more()]:
                # What no run can still add to: everything up to the nearest end of a block.
                bound = min(run.last() for run in runs)
                yield self._ordered(np.concatenate([run.take(bound) for run in runs], axis=1))
        for path in paths:
            path.unlink()


class _Run:
    """The records of one run that are at hand, in order."""

    def __init__(self, stream: BinaryIO, by: tuple[int, ...]) -> None:
        self._stream = stream
        self._by = by
        self._block: Records = np.empty((0, 0), np.int64)

    def has_more(self) -> bool:
        """Read the next block if none is at hand, and tell whether there was one."""
        if not self._block.shape[1]:
            try:
                self._block = np.load(self._stream)
            except EOFError:
                return False
        return True

    def last(self) -> tuple[int, ...]:
        """Return what the last record at hand is sorted by."""
        return tuple(int(self._block[field, -1]) for field in self._by)

    def take(self, bound: tuple[int, ...]) -> Records:
        """Take the records that are not behind a bound."""
        start, end = 0, self._block.shape[1]
        for field, value in zip(self._by, bound, strict=True):
            equal = self._block[field, start:end]  # in order, as all fields before are the same
            end = start + int(np.searchsorted(equal, value, side="right"))
            start += int(np.searchsorted(equal, value, side="left"))
        taken, self._block = self._block[:, :end], self._block[:, end:]
        return taken
