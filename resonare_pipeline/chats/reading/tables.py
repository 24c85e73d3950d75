"""Parsed messages become the rows that stages hand one another.

The last step of reading: ids are completed, the owner is marked. Nothing about one format.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.chats.reading.gathering import gather
from resonare_pipeline.chats.reading.order import ChatPlan
from resonare_pipeline.chats.reading.parsed import Sender
from resonare_pipeline.chats.reading.picks import Stretch
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.chats.reading.spool import Spool
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import MESSAGES

CLASH_DIGITS = 8
JOINED_ROWS = 1_024  # as many as the writer of tables treats at a time
HASH_DIGITS = 12  # of short_hash, which content hashes are made with
_ID_COLUMNS = ("number", "label", "content")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def message_batches(
    spool: Spool, plans: Iterable[ChatPlan], owner_id: str | None, limits: Limits = LIMITS
) -> Iterator[pa.RecordBatch]:
    """Yield the messages of chats in order, by the schema `MESSAGES`.

    Rows of several short chats are treated together: each call costs about as much as a thousand.
    """
    senders = _SenderColumns(spool.senders, owner_id)
    held: list[_Piece] = []
    rows = 0
    for plan in plans:
        for batch, stretch in gather(spool, plan.rows, limits):
            held.append(_Piece(plan, batch, stretch))
            rows += batch.num_rows
            if rows >= JOINED_ROWS:
                yield _finished(held, senders)
                held, rows = [], 0
    if held:
        yield _finished(held, senders)


class _Piece(NamedTuple):
    """Rows of one chat, and what is known of them where its order had to be found."""

    plan: ChatPlan
    batch: pa.RecordBatch
    stretch: Stretch | None


def _finished(pieces: list[_Piece], senders: "_SenderColumns") -> pa.RecordBatch:
    batch = pa.concat_batches([piece.batch for piece in pieces])
    sizes = [piece.batch.num_rows for piece in pieces]
    names = pa.array([piece.plan.chat_id for piece in pieces], pa.string())
    chat_ids = names.take(pa.array(np.repeat(np.arange(len(pieces)), sizes)))
    codes = batch.column("sender")
    columns = {
        "message_id": pa.concat_arrays([_message_ids(piece) for piece in pieces])
        if any(map(_has_special_ids, pieces))
        else _joined_ids(chat_ids, batch.column("number")),
        "chat_id": chat_ids,
        "sender_id": senders.ids.take(codes),
        "sender_name": senders.names.take(codes),
        "is_owner": pa.array(senders.owners[codes.to_numpy()]),
        "reply_to_id": pc.coalesce(
            batch.column("reply_to_id"), _joined_ids(chat_ids, batch.column("reply_number"))
        ),
    }
    return pa.record_batch(
        [columns[name] if name in columns else batch.column(name) for name in MESSAGES.names],
        schema=MESSAGES,
    )


class _SenderColumns:
    """Senders as columns to pick from by code."""

    def __init__(self, senders: Sequence[Sender], owner_id: str | None) -> None:
        self.ids = pa.array([sender.id for sender in senders], pa.string())
        self.names = pa.array([sender.name for sender in senders], pa.string())
        self.owners: npt.NDArray[np.bool_] = np.array(
            [sender.id is not None and sender.id == owner_id for sender in senders], np.bool_
        )


def _joined_ids(chat_ids: pa.Array | str, numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(chat_ids, numbers.cast(pa.string()), ":")


def _has_special_ids(piece: _Piece) -> bool:
    return piece.stretch is not None or bool(piece.batch.column("number").null_count)


def _message_ids(piece: _Piece) -> pa.Array:
    return _ids(piece.plan.chat_id, piece.batch, piece.stretch)


def _ids(chat_id: str, batch: pa.RecordBatch, stretch: Stretch | None) -> pa.Array:
    ids = _joined_ids(chat_id, batch.column("number"))
    special = batch.column("number").is_null().to_numpy(zero_copy_only=False)
    if stretch is not None:
        special = special | stretch.clashing
    if not special.any():
        return ids
    texts: list[str | None] = ids.to_pylist()
    for row in np.flatnonzero(special).tolist():
        texts[row] = f"{chat_id}:{_source_id(batch, row, stretch)}"
    return pa.array(texts, pa.string())


def _source_id(batch: pa.RecordBatch, row: int, stretch: Stretch | None) -> str:
    number, label, content = (batch.column(name)[row].as_py() for name in _ID_COLUMNS)
    source_id = str(number) if number is not None else label or f"h{content:0{HASH_DIGITS}x}"
    if stretch is not None and stretch.repeats[row]:
        source_id += f".{stretch.repeats[row] + 1}"
    if stretch is not None and stretch.clashing[row]:
        facts = [batch.column(name)[row] for name in ("sent_at", "text")]
        source_id += f"~{short_hash([facts[0].value, facts[1].as_py()], digits=CLASH_DIGITS)}"
    return source_id


def duplicate_ids(spool: Spool, plan: ChatPlan) -> Iterator[str]:
    """Yield the message ids of versions that were left out, one for each."""
    if plan.duplicates is not None:
        for batch, stretch in gather(spool, plan.duplicates):
            yield from _ids(plan.chat_id, batch, stretch).to_pylist()


def chat_row(
    plan: ChatPlan, senders: Sequence[Sender], *, owner_id: str | None, dropped: int, source: str
) -> dict[str, Any]:
    """Return a chat's row of the table of chats.

    Args:
        plan: The chat.
        senders: What its tallies point into.
        owner_id: Whom to mark among the participants.
        dropped: Messages of this chat that were left out.
        source: The app that the export is from.
    """
    return {
        "chat_id": plan.chat_id,
        "name": plan.name,
        "kind": plan.kind,
        "source": source,
        "message_count": plan.count,
        "dropped_count": dropped,
        "participants": _participants(plan, senders, owner_id),
        "first_sent_at": _time(plan.first_sent),
        "last_sent_at": _time(plan.last_sent),
    }


def _time(microseconds: int | None) -> dt.datetime | None:
    return None if microseconds is None else _EPOCH + dt.timedelta(microseconds=microseconds)


def _participants(
    plan: ChatPlan, senders: Sequence[Sender], owner_id: str | None
) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    names: dict[str, tuple[int, str]] = {}  # the latest name counts: people change theirs
    for code, (count, last) in plan.tallies.items():
        sender = senders[code]
        if sender.id is None:
            continue
        counts[sender.id] += count
        if sender.name and last >= names.get(sender.id, (-1, ""))[0]:
            names[sender.id] = (last, sender.name)
    if plan.peer and plan.peer != plan.chat_id and plan.peer not in counts:
        # Whom the chat is with, and who never answered; nothing else says what they are called.
        counts[plan.peer] = 0
        names[plan.peer] = (0, plan.name or plan.peer)
    return [
        {
            "sender_id": sender_id,
            "name": names[sender_id][1] if sender_id in names else None,
            "messages": counts[sender_id],
            "is_owner": sender_id == owner_id,
        }
        for sender_id in sorted(counts, key=lambda sender_id: (-counts[sender_id], sender_id))
    ]
