"""Blocks → conversations: the rows of train.jsonl, and processed.json for people.

Reads messages and blocks side by side, both in the order of chats and time; holds one block's
lines. What may not live here: how lines are joined (`rendering`), and whether the result is good
(`conversation_checks`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.chats.blocks import (
    BLOCKS_FILE,
    CHATS_FILE,
    COLUMNS,
    MESSAGES_FILE,
    BlocksSettings,
)
from resonare_pipeline.chats.conversation_checks import TRAIN_FILE, check_conversations
from resonare_pipeline.chats.personas import Cast, casts
from resonare_pipeline.chats.rendering import ConversationSettings, line_head, render
from resonare_pipeline.errors import StageError
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import Conversation, ConversationMetadata, Turn
from resonare_pipeline.tokenizers import TokenizerSettings

__all__ = ["ConversationSettings", "check_conversations", "make_conversations"]

PROCESSED_FILE = "processed.json"
BATCH_BLOCKS = 1_024  # blocks read at a time; their members are some tens of thousands of rows
PROGRESS_BLOCKS = 1_000  # blocks between two reports of progress
READ_COLUMNS = [name for name in COLUMNS if name != "sent_at"]


class _Message(NamedTuple):  # a tuple: a million are made, one is held
    """What rendering needs of one message."""

    message_id: str
    chat_id: str
    sender_id: str | None
    sender_name: str | None
    is_owner: bool
    text: str


def make_conversations(
    messages: Artifact,
    chats: Artifact,
    made_blocks: Artifact,
    out: OutputDraft,
    *,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
    tokenizer: TokenizerSettings,
    progress: Progress = silent,
) -> None:
    """Write each block as one conversation, and all chats with their blocks for people to read.

    Args:
        messages: Those that the blocks were cut from.
        chats: Their chats.
        made_blocks: As `make_blocks` wrote them.
        out: Gets train.jsonl, and beside it processed.json.
        blocks: Only shown in processed.json.
        conversations: The settings that the blocks were cut with; they decide the rendering.
        tokenizer: Only shown in processed.json.
        progress: Told of blocks.

    Raises:
        StageError: If a block names a message that is not there in its place.
    """
    roles = casts(chats.rows(CHATS_FILE, columns=["chat_id", "participants"]), conversations)
    encoder = msgspec.json.Encoder()
    turns = 0
    total = made_blocks.entry.rows
    with out.open(TRAIN_FILE) as stream:
        written = 0
        for conversation in conversations_of(messages, made_blocks, roles, conversations):
            stream.write(encoder.encode(conversation) + b"\n")
            turns += len(conversation.messages)
            written += 1
            if written % PROGRESS_BLOCKS == 0 or written == total:
                progress(written, total, "conversations")
    sections = (blocks, conversations, tokenizer)
    with out.open(PROCESSED_FILE, auxiliary=True) as stream:
        write_processed(stream, chats, made_blocks, {s.section: s.identity() for s in sections})
    out.report(rows=written, metadata={"turns": turns})


def conversations_of(
    messages: Artifact,
    blocks: Artifact,
    roles: Mapping[str, Cast],
    settings: ConversationSettings,
) -> Iterator[Conversation]:
    """Yield the blocks as conversations, in their order."""
    find = _finder(messages)
    for block in _blocks(blocks):
        answers: list[bool] = []
        lines: list[str] = []
        cast = roles[block["chat_id"]]
        for message_id, start, end in block["members"]:
            message = find(message_id)
            answer = cast.answers(message.sender_id, message.sender_name, is_owner=message.is_owner)
            head = line_head(cast.label(message.sender_name, answers=answer), settings)
            text = message.text.strip() if start is None else message.text[start:end]
            answers.append(answer)
            lines.append(head + text)
        yield _conversation(block, render(answers, lines, settings), settings)


def _conversation(
    block: Mapping[str, Any], turns: tuple[Turn, ...], settings: ConversationSettings
) -> Conversation:
    if not settings.include_metadata:
        return Conversation(messages=turns)
    return Conversation(
        messages=turns,
        metadata=ConversationMetadata(
            example_id=short_hash([msgspec.json.encode(turns), block["chat_id"]]),
            chat_id=block["chat_id"],
            block_id=block["block_id"],
            started_at=block["started_at"],
            ended_at=block["ended_at"],
        ),
    )


def _finder(messages: Artifact) -> Callable[[str], _Message]:
    # Members come in the order of the messages, so one pass finds them all.
    rows = _messages(messages)
    current: _Message | None = None

    def find(message_id: str) -> _Message:
        nonlocal current
        while current is None or current.message_id != message_id:
            current = next(rows, None)
            if current is None:
                raise StageError(
                    f"a block names message {message_id}, which is not among the messages after "
                    "those of the block before it",
                    where="chat_conversations",
                    expected="the messages that the blocks were cut from",
                )
        return current

    return find


def _messages(messages: Artifact) -> Iterator[_Message]:
    for batch in messages.batches(MESSAGES_FILE, columns=READ_COLUMNS):
        columns = (batch.column(name).to_pylist() for name in READ_COLUMNS)
        yield from map(_Message._make, zip(*columns, strict=True))


def _blocks(blocks: Artifact) -> Iterator[dict[str, Any]]:
    for batch in blocks.batches(BLOCKS_FILE, batch_rows=BATCH_BLOCKS):
        lists = batch.column("members")
        members = lists.flatten()
        flat = list(zip(*(members.field(at).to_pylist() for at in range(3)), strict=True))
        sizes = lists.value_lengths().to_pylist()
        columns = [
            *(batch.column(name).to_pylist() for name in ("block_id", "chat_id", "token_count")),
            *(_iso(batch.column(name)) for name in ("started_at", "ended_at")),
        ]
        at = 0
        for size, block_id, chat_id, tokens, started_at, ended_at in zip(
            sizes, *columns, strict=True
        ):
            yield {
                "block_id": block_id,
                "chat_id": chat_id,
                "token_count": tokens,
                "members": flat[at : at + size],
                "started_at": started_at,
                "ended_at": ended_at,
            }
            at += size


def _iso(times: pa.Array) -> list[str]:
    # Without the zone first: Arrow makes naive times several times faster than aware ones.
    return [f"{at.isoformat()}Z" for at in times.cast(pa.timestamp("us")).to_pylist()]


def write_processed(
    stream: BinaryIO, chats: Artifact, blocks: Artifact, settings: Mapping[str, Any]
) -> None:
    """Write all chats with their blocks as indented JSON; holds the chats and one block.

    Chats stand in the order of their table where the blocks allow it; else those with blocks first.
    """
    rows = {row["chat_id"]: row for row in chats.rows(CHATS_FILE)}
    with_blocks = list(dict.fromkeys(_block_chats(blocks)))
    present = set(with_blocks)
    order = list(rows)
    if [chat_id for chat_id in order if chat_id in present] != with_blocks:
        order = with_blocks + [chat_id for chat_id in order if chat_id not in present]
    stream.write(b'{\n "settings": ' + _json(settings, indent=1) + b',\n "chats": [')
    groups = groupby(_blocks(blocks), key=lambda block: block["chat_id"])
    for at, chat_id in enumerate(order):
        stream.write(b"\n  " if at == 0 else b",\n  ")
        found = next(groups)[1] if chat_id in present else ()
        _write_chat(stream, rows[chat_id], found)
    stream.write(b"\n ]\n}\n")


def _block_chats(blocks: Artifact) -> Iterator[str]:
    for batch in blocks.batches(BLOCKS_FILE, columns=["chat_id"]):
        yield from batch.column("chat_id").to_pylist()


def _write_chat(
    stream: BinaryIO, chat: Mapping[str, Any], blocks: Iterable[Mapping[str, Any]]
) -> None:
    head = {
        name: chat[name]
        for name in ("chat_id", "name", "kind", "source", "message_count", "participants")
    }
    stream.write(_json(head, indent=2).removesuffix(b"\n  }") + b',\n   "blocks": [')
    empty = True
    for block in blocks:
        entry = {
            "block_id": block["block_id"],
            "token_count": block["token_count"],
            "message_ids": list(dict.fromkeys(member[0] for member in block["members"])),
            "started_at": block["started_at"],
            "ended_at": block["ended_at"],
        }
        # One line a block: a page of them can be read, and a chat has thousands.
        stream.write((b"\n    " if empty else b",\n    ") + msgspec.json.encode(entry))
        empty = False
    stream.write(b"]\n  }" if empty else b"\n   ]\n  }")


def _json(value: object, *, indent: int) -> bytes:
    pretty = msgspec.json.format(msgspec.json.encode(value), indent=1)
    return pretty.replace(b"\n", b"\n" + b" " * indent)
