"""processed.json: all chats with their blocks, indented for people to read.

Written as the blocks come; holds the table of chats. What an entry says is not decided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

_HEAD = ("chat_id", "name", "kind", "source", "message_count", "participants")


class ProcessedWriter:
    """Writes chats in the order of their table, or those with blocks first if these go otherwise.

    Args:
        stream: The file.
        chats: Rows of the table of chats.
        with_blocks: Ids of chats that have blocks, in the order of the blocks.
        settings: What the blocks were made with; only shown.
    """

    def __init__(
        self,
        stream: BinaryIO,
        chats: Iterable[Mapping[str, Any]],
        with_blocks: Sequence[str],
        settings: Mapping[str, Any],
    ) -> None:
        self._stream = stream
        self._rows = {row["chat_id"]: row for row in chats}
        self._present = set(with_blocks)
        order = list(self._rows)
        if [chat_id for chat_id in order if chat_id in self._present] != list(with_blocks):
            order = [*with_blocks, *(chat for chat in order if chat not in self._present)]
        self._ahead = iter(order)
        self._chat: str | None = None
        self._empty = True  # whether the chat at hand has no block yet
        stream.write(b'{\n "settings": ' + _json(settings, indent=1) + b',\n "chats": [')

    def add(self, chat_ids: Iterable[str], entries: Iterable[bytes]) -> None:
        """Write the next blocks, one a line: a chat has thousands, and a page can be read."""
        for chat_id, entry in zip(chat_ids, entries, strict=True):
            while self._chat != chat_id:
                self._begin(next(self._ahead))
            self._stream.write((b"\n    " if self._empty else b",\n    ") + entry)
            self._empty = False

    def close(self) -> None:
        """Write what is left: chats without blocks, and the end."""
        for chat_id in self._ahead:
            self._begin(chat_id)
        self._end()
        self._stream.write(b"\n ]\n}\n")

    def _begin(self, chat_id: str) -> None:
        self._end()
        self._stream.write(b"\n  " if self._chat is None else b",\n  ")
        chat = self._rows[chat_id]
        head = _json({name: chat[name] for name in _HEAD}, indent=2)
        self._stream.write(head.removesuffix(b"\n  }") + b',\n   "blocks": [')
        self._chat, self._empty = chat_id, True

    def _end(self) -> None:
        if self._chat is not None:
            self._stream.write(b"]\n  }" if self._empty else b"\n   ]\n  }")


def _json(value: object, *, indent: int) -> bytes:
    pretty = msgspec.json.format(msgspec.json.encode(value), indent=1)
    return pretty.replace(b"\n", b"\n" + b" " * indent)
