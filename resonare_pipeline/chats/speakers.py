"""Who says each message of a batch: looked up once for each speaker, not for each message.

Batches in, numbers out; the roles themselves are decided in `personas`. No texts here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.chats.personas import Cast
from resonare_pipeline.chats.rendering import ConversationSettings, line_head

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Voices(NamedTuple):
    """The speakers of one batch.

    Attributes:
        who: For each row, a number into `heads`.
        heads: What the lines of each speaker begin with.
        answers: For each row, whether it is the assistant's.
        present: For each row, whether the assistant takes part in its chat at all.
    """

    who: IntArray
    heads: list[str]
    answers: BoolArray
    present: BoolArray


def voices(
    batch: pa.RecordBatch, roles: Mapping[str, Cast], settings: ConversationSettings
) -> Voices:
    """Return the speakers of a batch of messages.

    Args:
        batch: With the columns `chat_id`, `sender_id`, `sender_name` and `is_owner`.
        roles: Of each chat.
        settings: Give the prefix of lines.
    """
    chats, senders, names = (
        _coded(batch.column(name)) for name in ("chat_id", "sender_id", "sender_name")
    )
    owners = batch.column("is_owner").to_numpy(zero_copy_only=False)
    key = (chats[0] * len(senders[1]) + senders[0]) * len(names[1]) + names[0]
    speakers, first, who = np.unique(key * 2 + owners, return_index=True, return_inverse=True)
    heads: list[str] = []
    answering = np.zeros(len(speakers), np.bool_)
    present = np.zeros(len(speakers), np.bool_)
    for at, row in enumerate(first.tolist()):
        cast = roles[chats[1][chats[0][row]]]
        sender, name = senders[1][senders[0][row]], names[1][names[0][row]]
        answering[at] = cast.answers(sender, name, is_owner=bool(owners[row]))
        present[at] = cast.present
        label = cast.label(name, answers=bool(answering[at]))
        heads.append(line_head(label, settings))
    return Voices(who, heads, answering[who], present[who])


def _coded(column: pa.Array) -> tuple[IntArray, list[Any]]:
    """Return a column as numbers into a list of its values, null among them."""
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
