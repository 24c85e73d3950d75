"""Where a dataset's examples come from: the assets that make conversations, and who takes part.

A source is one partition of such an asset; its full name is the partition's (`chats/alice`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import StageError

TOOL = "tool"
PERSONAL = "personal_chat"  # Telegram's word for a chat with one person, which bears their name


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationAsset:
    """An asset whose rows are conversations.

    Attributes:
        file: Its file of JSON lines.
        people: The asset beside it that names participants, and its table; empty if none does.
    """

    asset: str
    file: str
    people: str = ""
    people_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One partition of a conversation asset.

    Attributes:
        name: Its full name.
        chats: The table that names participants, if there is one.
    """

    name: str
    conversations: Artifact
    file: str
    chats: Artifact | None = None
    chats_file: str = ""


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
            conversations=conversations,
            file=asset.file,
            chats=gathered[asset.people][name] if asset.people else None,
            chats_file=asset.people_file,
        )
        for asset in assets
        for name, conversations in gathered[asset.asset].items()
    ]
    return sorted(found, key=lambda source: source.name)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Who takes part.

    Attributes:
        names: Person's id → names, in the order of the first message of the earliest chat that they
            are in, then by id: what newer data adds comes last.
        by_source: Source → the people in it, in that order.
    """

    names: Mapping[str, tuple[str, ...]]
    by_source: Mapping[str, tuple[str, ...]]


def find_participants(sources: list[Source]) -> Participants:
    """Return who takes part in each source."""
    first: dict[str, int] = {}
    names: dict[str, dict[str, None]] = {}
    inside: dict[str, set[str]] = {source.name: set() for source in sources}
    for source in sources:
        for person, name, since in _participants(source):
            first[person] = min(since, first.get(person, since))
            names.setdefault(person, {})[name] = None
            inside[source.name].add(person)
    order = sorted(first, key=lambda person: (first[person], person))
    return Participants(
        names={person: tuple(sorted(names[person])) for person in order},
        by_source={name: tuple(p for p in order if p in found) for name, found in inside.items()},
    )


def _participants(source: Source) -> Iterator[tuple[str, str, int]]:
    """Yield (person, name, µs of the chat's first message) for all that a source names."""
    if source.chats is None:
        return
    columns = ["chat_id", "name", "kind", "participants", "first_sent_at"]
    for batch in source.chats.batches(source.chats_file, columns=columns):
        times = batch.column("first_sent_at").cast("int64").to_pylist()
        others = (batch.column(name).to_pylist() for name in columns[:-1])
        for chat_id, name, kind, participants, time in zip(*others, times, strict=True):
            for person in participants:
                if person["name"]:
                    yield person["sender_id"] or f"name:{person['name']}", person["name"], time or 0
            if kind == PERSONAL and name:
                yield chat_id, name, time or 0
