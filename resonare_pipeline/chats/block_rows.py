"""Blocks as rows of their table: ids, members, times. Where to cut is not known here."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.chats.grouped import Cuts, ranges
from resonare_pipeline.chats.items import WHOLE, IntArray, Items
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import BLOCKS, TIMESTAMP

_MEMBERS = BLOCKS.field("members").type


class BlockWriter:
    """Writes the blocks of one group of items after the other.

    Attributes:
        tokens: Of all blocks so far.
        messages: In all blocks so far, each once.
    """

    def __init__(self, table: TableWriter) -> None:
        self._table = table
        self.tokens = 0
        self.messages = 0

    def add(self, items: Items, cuts: Cuts) -> None:
        """Add the blocks of a group of whole runs."""
        if not cuts.starts.size:
            return
        members = items.take(ranges(cuts.starts, cuts.ends))
        offsets = np.append(0, np.cumsum(cuts.ends - cuts.starts))
        message_ids = members.ids.column("message_id")
        chat_ids = items.ids.column("chat_id").take(pa.array(cuts.starts))
        first, last = items.times[cuts.starts], items.times[cuts.ends - 1]
        columns = [
            _block_ids(members, offsets, chat_ids),
            chat_ids,
            pa.array(cuts.tokens.astype(np.int32)),
            _members(message_ids, members, offsets),
            pa.array(first).cast(TIMESTAMP),
            pa.array(last).cast(TIMESTAMP),
        ]
        self._table.add_batch(pa.RecordBatch.from_arrays(columns, schema=BLOCKS))
        self.tokens += int(cuts.tokens.sum())
        # Pieces of one message are neighbours, and may stand on both sides of a cut.
        self.messages += 1 + int(np.count_nonzero(np.diff(members.rows)))


def _members(message_ids: pa.Array, members: Items, offsets: IntArray) -> pa.Array:
    split = pa.array(members.starts == WHOLE)
    starts, ends = (
        pc.if_else(split, pa.scalar(None, pa.int32()), pa.array(values.astype(np.int32)))
        for values in (members.starts, members.ends)
    )
    fields = list(_MEMBERS.value_type)
    values = pa.StructArray.from_arrays([message_ids, starts, ends], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values).cast(_MEMBERS)


def _block_ids(members: Items, offsets: IntArray, chat_ids: pa.Array) -> pa.Array:
    """Return the id of each block: its chat, its first message, and a hash of its members."""
    message_ids = members.ids.column("message_id")
    named = message_ids
    if (members.starts != WHOLE).any():
        named = pa.array(
            [
                message_id if start == WHOLE else f"{message_id}[{start}:{end}]"
                for message_id, start, end in zip(
                    message_ids.to_pylist(),
                    members.starts.tolist(),
                    members.ends.tolist(),
                    strict=True,
                )
            ],
            pa.string(),
        )
    lists = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), named)
    texts = pc.binary_join(lists, "\n").to_pylist()
    firsts = message_ids.take(pa.array(offsets[:-1])).to_pylist()
    return pa.array(
        [
            f"{chat_id}:{first.removeprefix(chat_id).lstrip(':')}-{short_hash(text)}"
            for chat_id, first, text in zip(chat_ids.to_pylist(), firsts, texts, strict=True)
        ],
        pa.string(),
    )
