"""Which rows of a chat are versions of one message, and in which order messages stand.

Messages of one chat are one message if they have the same id, time and sender: the most recently
edited version counts, then that of the later file. The same id with another time or sender is
another message (a group that became a supergroup counts its messages anew). Only keys of rows are
looked at, as records that are sorted on disk: memory does not grow with the chat.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.chats.reading.sorting import Limits, Records, Sorter

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_NONE = np.iinfo(np.int64).min
_LAST = np.iinfo(np.int64).max
_BY_NUMBER, _BY_LABEL, _BY_CONTENT = 0, 1, 2

# Fields of the records of rows. The first three are the id within the chat, the first five the
# message; rows are counted through the chat.
_SOURCE, _KEY, _REPEAT, _SENT, _SENDER, _EDITED, _ROW, _CODE = range(8)
_ID = (_SOURCE, _KEY, _REPEAT)
_MESSAGE = (*_ID, _SENT, _SENDER)
_VERSION = (*_MESSAGE, _EDITED, _ROW)
_SPAN = _REPEAT  # until repeats are counted


class Kept(NamedTuple):
    """Rows that are kept, in the order of the chat.

    Attributes:
        picks: Row, repeat and whether an earlier message has the same id, as `picks` keeps them.
        sent: In microseconds.
        codes: Senders.
    """

    picks: Records
    sent: IntArray
    codes: IntArray


class Versions:
    """Sorts out the rows of one chat: all are added, then those kept and left out are taken.

    Args:
        new_path: Names the next temporary file.
        same_senders: One number for all senders of one id, by sender: people change their names.
    """

    def __init__(
        self, new_path: Callable[[], Path], same_senders: IntArray, limits: Limits
    ) -> None:
        self._same_senders = same_senders
        self._rows = 0
        self._nameless = Sorter(new_path, (_SPAN, _KEY, _ROW), limits)
        self._versions = Sorter(new_path, _VERSION, limits)
        self._kept = Sorter(new_path, (0, 1, 2), limits)
        self._left_out = Sorter(new_path, (0,), limits)

    def add(self, keys: pa.RecordBatch, span: int) -> None:
        """Take in the keys of the next rows, which stand in a span."""
        number, content = _whole(keys.column("number")), _whole(keys.column("content"))
        codes = keys.column("sender").to_numpy().astype(np.int64)
        nameless = np.where(content != _NONE, _BY_CONTENT, _BY_LABEL)
        source = np.where(number != _NONE, _BY_NUMBER, nameless)
        key = np.where(source == _BY_NUMBER, number, content)
        for row in np.flatnonzero(source == _BY_LABEL).tolist():
            key[row] = _label_key(keys.column("label")[row].as_py())
        records = np.empty((8, len(codes)), np.int64)
        records[_SOURCE], records[_KEY], records[_REPEAT] = source, key, 0
        records[_SENT] = _whole(keys.column("sent_at"))
        records[_SENDER], records[_CODE] = self._same_senders[codes], codes
        records[_EDITED] = _whole(keys.column("edited_at"))
        records[_ROW] = np.arange(self._rows, self._rows + len(codes))
        self._rows += len(codes)
        without = source == _BY_CONTENT
        if without.any():
            apart = records[:, without]
            apart[_SPAN] = span
            self._nameless.add(apart)
            records = records[:, ~without]
        self._versions.add(records)

    def kept(self) -> Iterator[Kept]:
        """Yield the rows that are kept, in the order of time, number and row."""
        for numbered in _with_repeats(self._nameless.sorted()):
            self._versions.add(numbered)
        for records, clashing, is_last in _judged(self._versions.sorted()):
            number = np.where(records[_SOURCE] == _BY_NUMBER, records[_KEY], _LAST)
            verdict = np.stack(
                [records[_SENT], number, records[_ROW], records[_REPEAT], clashing, records[_CODE]]
            )
            self._kept.add(verdict[:, is_last])
            self._left_out.add(verdict[2:5, ~is_last])
        for ordered in self._kept.sorted():
            yield Kept(ordered[2:5], ordered[0], ordered[5])

    def left_out(self) -> Iterator[Records]:
        """Yield picks of other versions of what is kept, by row, once `kept` is at its end."""
        yield from self._left_out.sorted()


def _whole(column: pa.Array) -> IntArray:
    values: IntArray = column.cast(pa.int64()).fill_null(_NONE).to_numpy()
    return values


def _label_key(label: str) -> int:
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), signed=True)


def _with_repeats(chunks: Iterable[Records]) -> Iterator[Records]:
    """Count, for each row without an id, the rows of its span before it with the same content."""
    before: Records = np.empty((8, 0), np.int64)
    seen = 0  # rows like the last one
    for chunk in chunks:
        starts = _changes(before, chunk, (_SPAN, _KEY))
        place = np.arange(chunk.shape[1])
        repeats = place - np.maximum.accumulate(np.where(starts, place, -seen))
        before, seen = chunk[:, -1:], int(repeats[-1]) + 1
        numbered = chunk.copy()
        numbered[_REPEAT] = repeats
        yield numbered


def _judged(chunks: Iterable[Records]) -> Iterator[tuple[Records, BoolArray, BoolArray]]:
    """Yield records of versions with whether each clashes, and is the last of its message."""
    before: Records = np.empty((8, 0), np.int64)
    clashed = False  # whether the last row does
    for chunk, following in _with_following(chunks):
        known = np.concatenate([chunk, following], axis=1)
        new_id = _changes(before, known, _ID)
        new_message = _changes(before, known, _MESSAGE)
        # With nothing behind it, the last row is the last of its message.
        is_last = np.append(new_message, [True])[1 : chunk.shape[1] + 1]
        message = np.cumsum(new_message)
        first = np.maximum.accumulate(np.where(new_id, message, 0))
        clashing = (message != first) | (clashed & ~np.logical_or.accumulate(new_id))
        clashing = clashing[: chunk.shape[1]]
        before, clashed = chunk[:, -1:], bool(clashing[-1])
        yield chunk, clashing, is_last


def _with_following(chunks: Iterable[Records]) -> Iterator[tuple[Records, Records]]:
    """Yield each chunk with the record behind it, if there is one."""
    held: Records | None = None
    for chunk in chunks:
        if held is not None:
            yield held, chunk[:, :1]
        held = chunk
    if held is not None:
        yield held, held[:, :0]


def _changes(before: Records, records: Records, fields: tuple[int, ...]) -> BoolArray:
    """Tell for each record whether it differs in some fields from the one before it."""
    changed = np.ones(records.shape[1], np.bool_)
    known = np.concatenate([before, records], axis=1)[list(fields)]
    differs = (known[:, 1:] != known[:, :-1]).any(axis=0)
    changed[records.shape[1] - len(differs) :] = differs
    return changed
