"""The table of messages as columns, a piece at a time.

A piece ends where a chat does, or a silence that nothing here reaches over. So whatever is made of
one piece alone is what would be made of all messages at once, in the memory of a piece.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import BATCH_ROWS, Artifact
from resonare_pipeline.runs import gap_limit
from resonare_pipeline.style.lines import IntArray, Messages

MESSAGES_FILE = "messages.parquet"
PIECE_ROWS = 65_536  # from so many on a piece ends with the next run; some 20 MB
COLUMNS = [
    "message_id",
    "chat_id",
    "sender_id",
    "sender_name",
    "is_owner",
    "sent_at",
    "text",
    "media_kind",
]
NAMED = "name:"  # begins the key of a sender without an id


def read_pieces(messages: Artifact, *, max_gap_seconds: float) -> Iterator[Messages]:
    """Yield messages in pieces of whole runs.

    Args:
        messages: By chat and time.
        max_gap_seconds: The longest silence that anything made of a piece reaches over.
    """
    held: list[pa.RecordBatch] = []
    wanted = PIECE_ROWS
    rows = min(PIECE_ROWS, BATCH_ROWS)
    for batch in messages.batches(MESSAGES_FILE, columns=COLUMNS, batch_rows=rows):
        held.append(batch)
        if sum(part.num_rows for part in held) < wanted:
            continue
        table = pa.Table.from_batches(held).combine_chunks()
        cut = _last_border(table, max_gap_seconds)
        if cut:
            yield _messages(table.slice(0, cut))
        held = table.slice(cut).to_batches()
        rest = table.num_rows - cut
        # A run that is longer than a piece is looked at again only when it has doubled.
        wanted = max(PIECE_ROWS, 2 * rest)
    if sum(part.num_rows for part in held):
        yield _messages(pa.Table.from_batches(held).combine_chunks())


def _times(table: pa.Table) -> IntArray:
    times: IntArray = table.column("sent_at").cast(pa.int64()).to_numpy()
    return times


def _last_border(table: pa.Table, max_gap_seconds: float) -> int:
    """Return where the last run begins; 0 if there is but one."""
    chats, _ = _numbered(table.column("chat_id"))
    begins = np.diff(chats) != 0
    begins |= np.diff(_times(table)) > gap_limit(max_gap_seconds)
    places = np.flatnonzero(begins)
    return int(places[-1]) + 1 if len(places) else 0


def _numbered(column: pa.ChunkedArray) -> tuple[IntArray, list[Any]]:
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers, encoded.dictionary.to_pylist()


def _messages(table: pa.Table) -> Messages:
    chats, chat_ids = _numbered(table.column("chat_id"))
    names = pc.coalesce(table.column("sender_name"), "")
    keys = pc.coalesce(table.column("sender_id"), pc.binary_join_element_wise(NAMED, names, ""))
    senders, sender_ids = _numbered(keys)
    return Messages(
        chats=chats,
        senders=senders,
        is_owner=table.column("is_owner").to_numpy(),
        at=_times(table),
        media=pc.is_valid(table.column("media_kind")).to_numpy(),
        texts=table.column("text").to_pylist(),
        ids=table.column("message_id").to_pylist(),
        chat_ids=chat_ids,
        sender_ids=sender_ids,
        names=_last_names(senders, names, sender_ids),
    )


def _last_names(senders: IntArray, names: pa.ChunkedArray, sender_ids: list[str]) -> list[str]:
    """Return the last name of each sender in a piece; the id where there is none."""
    given = pc.greater(pc.utf8_length(names), 0).to_numpy()
    rows = np.flatnonzero(given)
    last = np.full(len(sender_ids), -1)
    last[senders[rows]] = rows  # of equal places the last one counts
    found = names.combine_chunks().take(pa.array(np.maximum(last, 0))).to_pylist()
    return [
        name if row >= 0 else key.removeprefix(NAMED)
        for name, row, key in zip(found, last.tolist(), sender_ids, strict=True)
    ]
