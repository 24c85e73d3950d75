"""Where a dataset's examples come from: the assets that make conversations, and who takes part.

A source is one partition of such an asset; its full name is the partition's (`chats/alice`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import StageError

TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationAsset:
    """An asset whose rows are conversations.

    Attributes:
        file: Its file of JSON lines.
        people: The asset beside it that names participants, and its table; empty if none does.
        messages: The asset that has every name that senders had, and its table.
        group: What its sources are called by instead of the kind of partition, where another asset
            of that kind makes conversations too.
    """

    asset: str
    file: str
    people: str = ""
    people_file: str = ""
    messages: str = ""
    messages_file: str = ""
    group: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The assets that are read."""
        return tuple(filter(None, (self.people, self.messages, self.asset)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One partition of a conversation asset.

    Attributes:
        name: Full name of the partition, by which it has settings and people.
        title: What it is called; no two sources are called alike.
        chats: The table that names participants, if there is one.
        messages: The table that has every name that senders had, if there is one.
    """

    name: str
    title: str
    conversations: Artifact
    file: str
    chats: Artifact | None = None
    chats_file: str = ""
    messages: Artifact | None = None
    messages_file: str = ""


class RowMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a source tells of a row; a chat is its root where none is named."""

    example_id: str
    chat_id: str = ""
    root_id: str = ""
    block_id: str = ""
    started_at: str = ""
    ended_at: str = ""
    mock: bool = False


class SourceTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A turn as a source writes it: with calls of tools, their results, and parts of content."""

    role: str
    content: str | list[Any] | None
    weight: int | None = None
    name: str = ""
    reasoning_content: str = ""
    tool_calls: msgspec.Raw = msgspec.Raw(b"")
    tool_call_id: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is a role and a text, and no more than that decides what it says."""
        return self.role != TOOL and not bytes(self.tool_calls) and isinstance(self.content, str)

    @property
    def text(self) -> str:
        """The content, as far as it is text."""
        return self.content if isinstance(self.content, str) else ""


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a source: a conversation, and where it comes from."""

    messages: tuple[SourceTurn, ...]
    metadata: RowMetadata
    tools: msgspec.Raw = msgspec.Raw(b"")

    @property
    def root_id(self) -> str:
        """The chat, book, brief or record that it comes from."""
        return self.metadata.root_id or self.metadata.chat_id


def find_sources(
    assets: tuple[ConversationAsset, ...], gathered: Mapping[str, Mapping[str, Artifact]]
) -> list[Source]:
    """Return all sources that are ready, by name."""
    found = [
        Source(
            name=name,
            title=f"{asset.group}/{name.partition('/')[2]}" if asset.group else name,
            conversations=conversations,
            file=asset.file,
            chats=gathered[asset.people][name] if asset.people else None,
            chats_file=asset.people_file,
            messages=gathered[asset.messages][name] if asset.messages else None,
            messages_file=asset.messages_file,
        )
        for asset in assets
        for name, conversations in gathered[asset.asset].items()
    ]
    return sorted(found, key=lambda source: source.title)


def decode_row(line: bytes, decoder: msgspec.json.Decoder[SourceRow], where: str) -> SourceRow:
    """Return a source's line as a row.

    Raises:
        StageError: If it is no conversation, or does not tell where it comes from.
    """
    try:
        row = decoder.decode(line)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        remedy = "Set include_metadata = true for the stage that made it, or leave the source out"
        raise StageError(
            f"a row that is no example: {error}",
            where=where,
            expected="messages of role and content, and metadata with example_id and chat_id",
            remedy=f"{remedy} (mixture.include)",
        ) from error
    if not row.root_id or not row.metadata.example_id:
        raise StageError("a row that names no root", where=where, expected="chat_id or root_id")
    return row
