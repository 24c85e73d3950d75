"""The order of a chat's messages, and which of them are the same message told twice.

Rows stay in the spool; only key columns are held, and for a chat that is in order from the start
not even those. Messages of one chat are one message if they have the same id, time and sender:
the most recently edited version counts, then that of the later file. The same id with another time
or sender is another message (a group that became a supergroup counts its messages anew).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.chats.reading.parsed import Tallies, tally
from resonare_pipeline.chats.reading.spool import Span, Spool

BATCH_ROWS = 8_192  # rows gathered at a time
IntArray = npt.NDArray[np.int64]

_NONE = np.iinfo(np.int64).min
_BY_NUMBER, _BY_LABEL, _BY_CONTENT = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of several batches in the order in which they are wanted.

    Attributes:
        batches: Numbers of batches in the spool.
        picked: Rows, counted through all those batches; None for all as they stand.
        clashing: For each picked row, whether an earlier message has the same id.
        repeats: For each picked row without an id, how many alike went before in its span.
    """

    batches: tuple[int, ...]
    picked: IntArray | None = None
    clashing: npt.NDArray[np.bool_] | None = None
    repeats: IntArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlan:
    """One chat as it will be written.

    Attributes:
        tallies: Messages by sender; the last rows count through `rows`.
        duplicates: Rows that are other versions of rows that are kept.
    """

    chat_id: str
    name: str | None
    kind: str | None
    spans: tuple[Span, ...]
    rows: Rows
    duplicates: Rows | None
    count: int
    first_sent: int | None
    last_sent: int | None
    tallies: Tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """What tells messages apart and orders them, a value for each row of a chat."""

    source: IntArray
    key: IntArray
    repeat: IntArray
    number: IntArray
    sender: IntArray
    sent: IntArray
    edited: IntArray


def plan_chat(spool: Spool, spans: list[Span]) -> ChatPlan:
    """Decide order and duplicates of one chat.

    Args:
        spool: Holds the rows.
        spans: Everything that was read of the chat and is taken.
    """
    spans = sorted(spans, key=lambda span: span.place)
    filled = [span for span in spans if span.rows]
    batches = tuple(number for span in filled for number in span.batches)
    rows, duplicates = Rows(batches=batches), None
    count = sum(span.rows for span in filled)
    first, last, tallies = None, None, {}
    if len(filled) == 1 and filled[0].ordered:
        first, last, tallies = filled[0].first_sent, filled[0].last_sent, filled[0].tallies
    elif filled:
        keys, codes = _keys(spool, filled)
        kept, rows, duplicates = _resolve(keys, batches)
        count = len(kept)
        first, last = int(keys.sent[kept[0]]), int(keys.sent[kept[-1]])
        tallies = tally(codes[kept], 0)
    return ChatPlan(
        chat_id=spans[0].chat_id,
        name=next((span.name for span in reversed(spans) if span.name), None),
        kind=next((span.kind for span in reversed(spans) if span.kind), None),
        spans=tuple(spans),
        rows=rows,
        duplicates=duplicates,
        count=count,
        first_sent=first,
        last_sent=last,
        tallies=tallies,
    )


def _keys(spool: Spool, spans: list[Span]) -> tuple[_Keys, npt.NDArray[np.int32]]:
    table = pa.Table.from_batches([spool.keys(number) for span in spans for number in span.batches])
    number, content = _whole(table["number"]), _whole(table["content"])
    nameless = np.where(content != _NONE, _BY_CONTENT, _BY_LABEL)
    source = np.where(number != _NONE, _BY_NUMBER, nameless)
    key = np.where(source == _BY_NUMBER, number, content)
    for row in np.flatnonzero(source == _BY_LABEL).tolist():
        key[row] = _label_key(table["label"][row].as_py())
    codes = table["sender"].to_numpy()
    keys = _Keys(
        source=source,
        key=key,
        repeat=_repeats(spans, source, key),
        number=number,
        sender=_same_senders(spool)[codes],
        sent=_whole(table["sent_at"]),
        edited=_whole(table["edited_at"]),
    )
    return keys, codes


def _whole(column: pa.ChunkedArray) -> IntArray:
    values: IntArray = column.cast(pa.int64()).fill_null(_NONE).to_numpy()
    return values


def _label_key(label: str) -> int:
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), signed=True)


def _same_senders(spool: Spool) -> IntArray:
    """Return one number for all senders of one id: people change their names."""
    index: dict[str | None, int] = {}
    return np.array([index.setdefault(sender.id, len(index)) for sender in spool.senders], np.int64)


def _repeats(spans: list[Span], source: npt.NDArray[np.int64], key: IntArray) -> IntArray:
    """Count, for each row without an id, the rows of its span before it with the same content."""
    repeats = np.zeros(len(key), np.int64)
    rows = np.flatnonzero(source == _BY_CONTENT)
    if not rows.size:
        return repeats
    span = np.repeat(np.arange(len(spans)), [span.rows for span in spans])[rows]
    order = np.lexsort((rows, key[rows], span))
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = _changes(span[order]) | _changes(key[rows][order])
    begun = np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0))
    repeats[rows[order]] = np.arange(len(rows)) - begun
    return repeats


def _changes(values: IntArray) -> npt.NDArray[np.bool_]:
    changed: npt.NDArray[np.bool_] = values[1:] != values[:-1]
    return changed


def _resolve(keys: _Keys, batches: tuple[int, ...]) -> tuple[IntArray, Rows, Rows | None]:
    rows = np.arange(len(keys.key))
    order = np.lexsort(
        (rows, keys.edited, keys.sender, keys.sent, keys.repeat, keys.key, keys.source)
    )
    new_id = np.ones(len(rows), np.bool_)
    new_id[1:] = (
        _changes(keys.source[order]) | _changes(keys.key[order]) | _changes(keys.repeat[order])
    )
    new_message = new_id.copy()
    new_message[1:] |= _changes(keys.sent[order]) | _changes(keys.sender[order])
    last_version = np.append(new_message[1:], True)
    clashing = np.zeros(len(rows), np.bool_)
    clashing[order] = _later_under_one_id(new_id, new_message)
    kept = order[last_version]
    number = np.where(keys.source == _BY_NUMBER, keys.number, np.iinfo(np.int64).max)
    kept = kept[np.lexsort((kept, number[kept], keys.sent[kept]))]
    others = np.sort(order[~last_version])
    duplicates = _rows(batches, others, clashing, keys.repeat) if others.size else None
    return kept, _rows(batches, kept, clashing, keys.repeat), duplicates


def _later_under_one_id(
    new_id: npt.NDArray[np.bool_], new_message: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell which rows, ordered by id and then time, are not of the first message of their id."""
    message = np.cumsum(new_message)
    first = np.maximum.accumulate(np.where(new_id, message, 0))
    later: npt.NDArray[np.bool_] = message != first
    return later


def _rows(
    batches: tuple[int, ...],
    picked: IntArray,
    clashing: npt.NDArray[np.bool_],
    repeats: IntArray,
) -> Rows:
    return Rows(batches=batches, picked=picked, clashing=clashing[picked], repeats=repeats[picked])


def gather(spool: Spool, rows: Rows) -> Iterator[tuple[pa.RecordBatch, slice]]:
    """Yield rows in order, with the stretch of `rows` that each batch is.

    Cheap where wanted rows lie near each other, as in exports that are ordered but for a few
    rows; a batch is read again for each stretch that needs a row of it.
    """
    if rows.picked is None:
        done = 0
        for number in rows.batches:
            batch = spool.batch(number)
            yield batch, slice(done, done + batch.num_rows)
            done += batch.num_rows
        return
    sizes = [spool.rows(number) for number in rows.batches]
    ends = np.cumsum(sizes)
    for start in range(0, len(rows.picked), BATCH_ROWS):
        stretch = slice(start, min(start + BATCH_ROWS, len(rows.picked)))
        yield _stretch(spool, rows.batches, ends, rows.picked[stretch]), stretch


def _stretch(
    spool: Spool, batches: tuple[int, ...], ends: IntArray, picked: IntArray
) -> pa.RecordBatch:
    homes = np.searchsorted(ends, picked, side="right")
    order = np.argsort(homes, kind="stable")
    parts = []
    for home in np.unique(homes).tolist():
        batch = spool.batch(batches[home])
        inside = picked[order][homes[order] == home] - (ends[home] - batch.num_rows)
        parts.append(batch.take(pa.array(inside)))
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_batches(parts).take(pa.array(back))
