"""Many chats at once: a run of a list of chats, parsed in one go.

Only what is plainly a list of chats is taken; of anything else the answer is None, and the chats
are read one by one, with all leniency. What may not live here: files that exports lie in.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from resonare_pipeline.chats.reading.parsed import KeptRun, keep_runs
from resonare_pipeline.chats.telegram.columns import to_runs
from resonare_pipeline.chats.telegram.cursor import Scalar
from resonare_pipeline.chats.telegram.ids import KINDS
from resonare_pipeline.chats.telegram.lists import Edges
from resonare_pipeline.chats.telegram.message import Message, versions


@dataclass(slots=True, kw_only=True)
class Head:
    """What a chat says of itself."""

    name: str | None = None
    kind: str | None = None
    number: Scalar = None

    def note(self, key: str, value: Scalar) -> None:
        """Keep the value of `name`, `type` or `id`; a wrong type is as good as none."""
        if key == "id":
            self.number = value
        elif key == "name":
            self.name = value if isinstance(value, str) and value else None
        else:
            self.kind = value if isinstance(value, str) and value else None

    def add(self, other: "Head") -> None:
        """Keep what another part of the chat says."""
        self.name = other.name or self.name
        self.kind = other.kind or self.kind
        self.number = self.number if other.number is None else other.number

    def wanted(self, kinds: Collection[str]) -> bool:
        """Tell whether a chat among others is taken; one of an unknown kind always is."""
        return self.kind not in KINDS or self.kind in kinds


class KeptChat(NamedTuple):
    """One chat of a run, or the part of it that is there.

    Attributes:
        elements: Its messages, whatever became of them.
        run: Those messages, if the chat is taken.
    """

    head: Head
    elements: int
    run: KeptRun | None


class KeptChats(NamedTuple):
    """A run of a list of chats."""

    edges: Edges
    chats: list[KeptChat]


class _Chat(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    messages: list[Message]
    name: Scalar = None
    type: Scalar = None
    id: Scalar = None


_chats = msgspec.json.Decoder(list[_Chat])


def parse_chats(
    body: bytes, edges: Edges, zone: dt.tzinfo, kinds: Collection[str], path: Path
) -> KeptChats | None:
    """Parse a run of a list of chats, and keep messages of chats of some kinds in one file.

    Returns:
        None if `body` with what its edges lack is not made of chats with one list of messages each.

    Raises:
        StoreError: If the file cannot be written.
    """
    chats = _decoded(body, edges)
    if chats is None:
        return None
    heads = [_head(chat) for chat in chats]
    wanted = [head.wanted(kinds) for head in heads]
    if edges.opened:
        wanted[0] = not edges.counted
    parsed = to_runs(
        [(chat.messages, ()) for chat, taken in zip(chats, wanted, strict=True) if taken], zone
    )
    runs = iter(keep_runs(parsed, path))
    kept = [
        KeptChat(head, len(chat.messages), next(runs) if taken else None)
        for head, chat, taken in zip(heads, chats, wanted, strict=True)
    ]
    return KeptChats(edges, kept)


def parse_chats_file(
    source: Path, edges: Edges, zone: dt.tzinfo, kinds: Collection[str], path: Path
) -> KeptChats | None:
    """Parse a run that lies in a file of its own, which is deleted; else as `parse_chats`."""
    body = source.read_bytes()
    source.unlink()
    return parse_chats(body, edges, zone, kinds, path)


def _decoded(body: bytes, edges: Edges) -> list[_Chat] | None:
    before = b'[{"messages":[' if edges.opened else b"["
    after = b"]" if edges.closed else b"]}]"
    for text in versions(body):
        try:
            chats = _chats.decode(before + text + after)
        except (ValueError, RecursionError):
            continue
        # A chat that has this key twice would lose messages; where it may, look more closely.
        return chats if text.count(b'"messages"') == len(chats) - edges.opened else None
    return None


def _head(chat: _Chat) -> Head:
    head = Head()
    for key in ("name", "type", "id"):
        head.note(key, getattr(chat, key))
    return head
