"""The first reading of a dump's messages: who the owner is, what threads are, what points where.

Held in memory is what grows with people and threads; keys of messages go to disk.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from resonare_pipeline.chats.reading.sorting import Limits, Records, Sorter
from resonare_pipeline.chats.signal.ids import recipient_of, recipient_of_id
from resonare_pipeline.chats.signal.kinds import BASE, SENT_BASE, is_outgoing, reason_to_drop
from resonare_pipeline.chats.signal.message_rows import Fields, MessageRows, key_of, sent_of
from resonare_pipeline.chats.signal.people import People
from resonare_pipeline.chats.signal.values import whole

OWNER = -1  # the author of what the owner wrote, in keys
NOBODY = -2
CHUNK_ROWS = 1 << 13
# Fields of what is noted of each row, and of those that quote one.
ROW, KEY, THREAD, SENT, AUTHOR, NEWEST, ORIGINAL = range(7)
QUOTE_ROW, QUOTE_THREAD, QUOTE_SENT, QUOTE_AUTHOR = range(4)


@dataclass(slots=True)
class Thread:
    """What the rows of one thread say of it.

    Attributes:
        senders: The first two others that wrote in it.
        receiver: To whom the owner wrote, a group included.
    """

    senders: list[int] = field(default_factory=list)
    receiver: int | None = None


@dataclass(slots=True)
class Votes:
    """Who may be the owner.

    Attributes:
        senders: Of messages that were sent, where rows name their author.
        waiting: Of those that were on their way.
        quoted: Authors of what is quoted in a thread of two, but for the other one.
        sent: Messages of the owner, by rows that do not say by whom.
    """

    senders: Counter[int] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)
    quoted: Counter[int] = field(default_factory=Counter)
    sent: int = 0

    @property
    def has_sent(self) -> bool:
        """Whether the owner wrote anything."""
        return bool(self.senders or self.waiting or self.sent)


class Survey:
    """Takes in all rows of a dump, once.

    Attributes:
        rows: How many there are.
        threads: By number, of all that have rows.
    """

    def __init__(self, people: People, new_path: Callable[[], Path], limits: Limits) -> None:
        self.rows = 0
        self.threads: dict[int, Thread] = {}
        self.votes = Votes()
        self._people = people
        self._keys = _Noted(Sorter(new_path, (ROW,), limits))
        self._quotes = _Noted(Sorter(new_path, (QUOTE_ROW,), limits))

    def add(self, table: MessageRows) -> None:
        """Take in the rows of the next table."""
        names_authors = "receiver" in table.columns.present
        for fields in table:
            row, self.rows = self.rows, self.rows + 1
            key, thread = key_of(fields, is_sms=table.is_sms), whole(fields.thread)
            kind, sent = whole(fields.kind), sent_of(fields)
            if thread is None:
                continue
            found = self.threads.setdefault(thread, Thread())
            if key is None or kind is None or sent is None:
                continue
            author = self._author(fields, found, kind, names_authors=names_authors)
            newest, original = whole(fields.newest) or 0, whole(fields.original) or 0
            self._keys.add((row, key, thread, sent, author, newest, original))
            if fields.quote_sent and fields.quote_sent != "0":
                self._quote(fields, row, thread)
        self._keys.flush()
        self._quotes.flush()

    def _author(self, fields: Fields, found: Thread, kind: int, *, names_authors: bool) -> int:
        sender = recipient_of(fields.sender)
        if not is_outgoing(kind):
            if sender is None:
                return NOBODY
            if len(found.senders) < 2 and sender not in found.senders:
                found.senders.append(sender)
            return sender
        # Before version 185 the one recipient of a row is whom it was sent to.
        receiver = recipient_of(fields.receiver) if names_authors else sender
        found.receiver = found.receiver if receiver is None else receiver
        if reason_to_drop(kind) is None:
            self._vote(sender if names_authors else None, kind)
        return OWNER

    def _vote(self, sender: int | None, kind: int) -> None:
        if sender is None:
            self.votes.sent += 1
        elif kind & BASE == SENT_BASE:
            self.votes.senders[sender] += 1
        else:
            self.votes.waiting[sender] += 1

    def _quote(self, fields: Fields, row: int, thread: int) -> None:
        sent, author = whole(fields.quote_sent), recipient_of(fields.quote_author)
        if not sent or author is None:
            return
        self._quotes.add((row, thread, sent, author))
        recipient = self._people.threads.get(thread)
        if recipient not in (None, author) and recipient not in self._people.groups:
            self.votes.quoted[author] += 1

    def keys(self) -> Sorter:
        """Return what was noted of rows, by row: `ROW` and the fields behind it."""
        return self._keys.sorter

    def quotes(self) -> Sorter:
        """Return rows that quote another, by row: `QUOTE_ROW` and the fields behind it."""
        return self._quotes.sorter

    def owner(self, setting: str) -> int | None:
        """Return the recipient that is the owner.

        The one by whom most rows were sent, or were to be. Old dumps do not say who that is:
        there it is whom others quote in threads of two, else whom the setting means.

        Args:
            setting: The owner by the settings.
        """
        for counted in (self.votes.senders, self.votes.waiting, self.votes.quoted):
            if counted:
                return min(counted, key=lambda person: (-counted[person], person))
        if (recipient := recipient_of_id(setting)) is not None:
            return recipient
        named = [person for person, name in self._people.names.items() if name == setting]
        return named[0] if len(named) == 1 else None


class _Noted:
    """Records on their way to a sorter, some thousand at a time."""

    def __init__(self, sorter: Sorter) -> None:
        self.sorter = sorter
        self._held: list[tuple[int, ...]] = []

    def add(self, record: tuple[int, ...]) -> None:
        self._held.append(record)
        if len(self._held) >= CHUNK_ROWS:
            self.flush()

    def flush(self) -> None:
        if self._held:
            records: Records = np.array(self._held, np.int64).T.copy()
            self._held.clear()
            self.sorter.add(records)
