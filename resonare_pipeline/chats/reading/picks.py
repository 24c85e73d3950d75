"""Which rows of a chat are wanted, and in which order, kept on disk for all chats of an export.

What rows hold, and why they are wanted, is not known here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.reading.sorting import Records

ROW, REPEAT, CLASHING = range(3)
FIELDS = 3
_NUMBER_BYTES = 8


class Stretch(NamedTuple):
    """Neighbouring rows in the order in which they are wanted.

    Attributes:
        rows: Numbers of rows, counted through all batches of the chat.
        repeats: For each row without an id, how many alike went before in its span.
        clashing: Whether an earlier message has the same id.
    """

    rows: npt.NDArray[np.int64]
    repeats: npt.NDArray[np.int64]
    clashing: npt.NDArray[np.bool_]


class PickFile:
    """Picks of many chats, one behind the other in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0
        with storage_errors(f"temporary file {path}"):
            self._stream = path.open("w+b")

    def write(self, chunks: Iterable[Records], stretch_rows: int) -> "Picks":
        """Keep picks with the fields `ROW`, `REPEAT` and `CLASHING`, in chunks of any size.

        Args:
            chunks: The picks in order.
            stretch_rows: How many are to be read at a time.

        Raises:
            StoreError: If they cannot be written.
        """
        place, count = self._end, 0
        for piece in _regrouped(chunks, stretch_rows):
            with storage_errors(f"temporary file {self._path}"):
                self._stream.seek(self._end)
                self._end += self._stream.write(piece.tobytes())
                self._stream.flush()
            count += piece.shape[1]
        return Picks(self, place, count, stretch_rows)

    def read(self, place: int, count: int) -> Records:
        """Return so many picks that were written together, from a place in the file on."""
        self._stream.seek(place)
        content = self._stream.read(FIELDS * count * _NUMBER_BYTES)
        return np.frombuffer(content, np.int64).reshape(FIELDS, count)

    def close(self) -> None:
        """Close the file; no picks can be read any more."""
        self._stream.close()


@dataclass(frozen=True, slots=True)
class Picks:
    """Rows in the order in which they are wanted, on disk.

    Attributes:
        place: Of the first in the file, in bytes.
        count: How many there are.
        stretch_rows: How many are read at a time.
    """

    file: PickFile
    place: int
    count: int
    stretch_rows: int

    def stretches(self) -> Iterator[Stretch]:
        """Yield them in order, some at a time."""
        most = self.stretch_rows
        for start in range(0, self.count, most):
            count = min(most, self.count - start)
            found = self.file.read(self.place + start * FIELDS * _NUMBER_BYTES, count)
            yield Stretch(found[ROW], found[REPEAT], found[CLASHING].astype(np.bool_))


def _regrouped(chunks: Iterable[Records], size: int) -> Iterator[Records]:
    """Yield the same records, `size` at a time."""
    held: Records = np.empty((FIELDS, 0), np.int64)
    for chunk in chunks:
        held = np.concatenate([held, chunk], axis=1) if held.shape[1] else chunk
        whole = held.shape[1] - held.shape[1] % size
        for start in range(0, whole, size):
            yield held[:, start : start + size]
        held = held[:, whole:]
    if held.shape[1]:
        yield held
