"""What is left out of the threads of a dump, brought together thread by thread.

Like rows, entries stand mixed; they are sorted on disk, so that each thread's are written at once.
"""

from collections.abc import Iterator

import numpy as np

from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.reading.sorting import Limits, Sorter
from resonare_pipeline.chats.reading.spool import Spool
from resonare_pipeline.chats.signal.message_rows import source_id
from resonare_pipeline.fingerprint import short_hash

CHUNK_ENTRIES = 1 << 13
MOST_ENTRIES = 1 << 13  # of one thread, written at a time
_REASONS = tuple(Reason)
_HASH_DIGITS = 12  # of short_hash
_CHAT, _ENTRY, _HASHED, _KEY, _REASON = range(5)


class LeftOut:
    """Takes entries in any order, then gives them chat by chat, once.

    Args:
        spool: Names temporary files.
        limits: How much is held in memory.
    """

    def __init__(self, spool: Spool, limits: Limits) -> None:
        self._sorter = Sorter(spool.new_path, (_CHAT, _ENTRY), limits)
        self._held: list[tuple[int, ...]] = []
        self._count = 0

    def add(self, chat: int, key: int | None, said_id: str, reason: Reason) -> None:
        """Note a row that is left out.

        Args:
            chat: Number of the chat, in the order in which they are wanted.
            key: The message's key; None where the row has no usable id.
            said_id: What stands for the id in the file.
            reason: Why.
        """
        number = int(short_hash(said_id), 16) if key is None else key
        self._held.append((chat, self._count, key is None, number, _REASONS.index(reason)))
        self._count += 1
        if len(self._held) >= CHUNK_ENTRIES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._sorter.add(np.array(self._held, np.int64).T.copy())
            self._held.clear()

    def by_chat(self) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Yield chats with (id in the source, reason) of what they lack, some at a time."""
        self._flush()
        chat: int | None = None
        entries: list[tuple[str, str]] = []
        for chunk in self._sorter.sorted():
            for found, _, hashed, key, reason in chunk.T.tolist():
                if chat is not None and (found != chat or len(entries) >= MOST_ENTRIES):
                    yield chat, entries
                    entries = []
                chat = found
                place = f"h{key:0{_HASH_DIGITS}x}" if hashed else source_id(key)
                entries.append((place, _REASONS[reason]))
        if chat is not None:
            yield chat, entries
