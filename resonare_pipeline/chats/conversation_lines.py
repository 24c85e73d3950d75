"""Blocks as lines of train.jsonl and entries of processed.json: what workers do for that stage.

A stretch of blocks with the texts of their members in, bytes out. How lines are joined is decided
in `rendering`; files are not known here.
"""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.chats.rendering import ConversationSettings, render
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import ConversationMetadata


class Stretch(NamedTuple):
    """Some blocks, and what rendering needs of their members, one after the other.

    Attributes:
        blocks: Rows of the table of blocks.
        texts: Whole text of each member's message.
        who: For each member, a number into `heads`.
        heads: What the lines of each speaker begin with.
        answers: For each member, whether it is the assistant's.
    """

    blocks: pa.RecordBatch
    texts: pa.Array
    who: npt.NDArray[np.int64]
    heads: list[str]
    answers: npt.NDArray[np.bool_]


class Rendered(NamedTuple):
    """What became of a stretch.

    Attributes:
        lines: Of train.jsonl, each with its end.
        turns: In all of them.
        entries: Of processed.json, one for each block.
    """

    lines: bytes
    turns: int
    entries: list[bytes]


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A `Conversation` whose turns are written already."""

    messages: msgspec.Raw
    metadata: ConversationMetadata | None = None


class _Entry(msgspec.Struct, kw_only=True):
    """One block in processed.json."""

    block_id: str
    token_count: int
    message_ids: list[str]
    started_at: str
    ended_at: str


_encoder = msgspec.json.Encoder()


def render_stretch(stretch: Stretch, *, settings: ConversationSettings) -> Rendered:
    """Return blocks as they are written for trainers, and for people."""
    rows = stretch.blocks
    members = rows.column("members").flatten()
    ids, starts, ends = (members.field(at).to_pylist() for at in range(3))
    texts = stretch.texts.to_pylist()
    lines = [
        stretch.heads[who] + (text.strip() if start is None else text[start:end])
        for who, text, start, end in zip(stretch.who.tolist(), texts, starts, ends, strict=True)
    ]
    answers = stretch.answers.tolist()
    columns = [
        *(rows.column(name).to_pylist() for name in ("block_id", "chat_id", "token_count")),
        *(_iso(rows.column(name)) for name in ("started_at", "ended_at")),
    ]
    written: list[bytes] = []
    entries: list[bytes] = []
    at = turn_count = 0
    sizes = rows.column("members").value_lengths().to_pylist()
    for size, block_id, chat_id, tokens, started_at, ended_at in zip(sizes, *columns, strict=True):
        part = slice(at, at + size)
        at += size
        turns = render(answers[part], lines[part], settings)
        turn_count += len(turns)
        messages = _encoder.encode(turns)
        line = _Line(messages=msgspec.Raw(messages))
        if settings.include_metadata:
            line.metadata = ConversationMetadata(
                example_id=short_hash([messages, chat_id]),
                chat_id=chat_id,
                block_id=block_id,
                started_at=started_at,
                ended_at=ended_at,
            )
        written += (_encoder.encode(line), b"\n")
        entry = _Entry(
            block_id=block_id,
            token_count=tokens,
            message_ids=list(dict.fromkeys(ids[part])),
            started_at=started_at,
            ended_at=ended_at,
        )
        entries.append(_encoder.encode(entry))
    return Rendered(b"".join(written), turn_count, entries)


def _iso(times: pa.Array) -> list[str]:
    # Without the zone first: Arrow makes naive times several times faster than aware ones.
    return [f"{at.isoformat()}Z" for at in times.cast(pa.timestamp("us")).to_pylist()]
