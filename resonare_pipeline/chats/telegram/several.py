"""Many short chats at once: a run of whole elements of a list of chats, parsed in one go.

Only what is plainly a list of chats is taken; of anything else the answer is None, and the chats
are read one by one, with all leniency. What may not live here: files that exports lie in.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from resonare_pipeline.chats.reading.parsed import KeptRun, keep_runs
from resonare_pipeline.chats.telegram.columns import to_runs
from resonare_pipeline.chats.telegram.cursor import Scalar
from resonare_pipeline.chats.telegram.ids import KINDS
from resonare_pipeline.chats.telegram.message import Message, versions

_SCALARS = (str, int, float, bool)


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

    def wanted(self, kinds: Collection[str]) -> bool:
        """Tell whether a chat among others is taken; one of an unknown kind always is."""
        return self.kind not in KINDS or self.kind in kinds


class KeptChat(NamedTuple):
    """One chat of a run.

    Attributes:
        elements: Its messages, whatever became of them.
        run: Those messages, if the chat is taken.
    """

    head: Head
    elements: int
    run: KeptRun | None


class _Chat(msgspec.Struct, gc=False):
    messages: list[Message]
    name: Any = None
    type: Any = None
    id: Any = None


_chats = msgspec.json.Decoder(list[_Chat])


def parse_chats(
    body: bytes, zone: dt.tzinfo, kinds: Collection[str], path: Path
) -> list[KeptChat] | None:
    """Parse chats parted by commas, and keep those of some kinds in one file.

    Returns:
        None if `body` is not made of whole chats, each with one list of messages.

    Raises:
        StoreError: If the file cannot be written.
    """
    chats = _decoded(body)
    if chats is None:
        return None
    heads = [_head(chat) for chat in chats]
    wanted = [head.wanted(kinds) for head in heads]
    parsed = to_runs(
        [(chat.messages, ()) for chat, taken in zip(chats, wanted, strict=True) if taken], zone
    )
    runs = iter(keep_runs(parsed, path))
    return [
        KeptChat(head, len(chat.messages), next(runs) if taken else None)
        for head, chat, taken in zip(heads, chats, wanted, strict=True)
    ]


def parse_chats_file(
    source: Path, zone: dt.tzinfo, kinds: Collection[str], path: Path
) -> list[KeptChat] | None:
    """Parse chats that lie in a file of their own, which is deleted; else as `parse_chats`."""
    body = source.read_bytes()
    source.unlink()
    return parse_chats(body, zone, kinds, path)


def _decoded(body: bytes) -> list[_Chat] | None:
    for text in versions(body):
        try:
            chats = _chats.decode(b"[" + text + b"]")
        except (ValueError, RecursionError):
            continue
        # A chat that has this key twice would lose messages; where it may, look more closely.
        return chats if text.count(b'"messages"') == len(chats) else None
    return None


def _head(chat: _Chat) -> Head:
    head = Head()
    for key in ("name", "type", "id"):
        value = getattr(chat, key)
        head.note(key, value if isinstance(value, _SCALARS) else None)
    return head
