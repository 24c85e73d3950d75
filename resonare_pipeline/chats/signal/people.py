"""Who and what the recipients of a dump are: people and groups with their names, and threads.

A recipient is anybody or anything that a thread can be with. Numbers of phones, keys and notes of
recipients are not read. All recipients are held in memory, by their names alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from resonare_pipeline import signal_columns
from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.signal import schema
from resonare_pipeline.chats.signal.csv_rows import open_rows, shown
from resonare_pipeline.chats.signal.ids import recipient_of, sender_id
from resonare_pipeline.chats.signal.values import filled, positive, whole

OnRead = Callable[[int], None]
_PHONE = re.compile(r"\+?[\d\s()./-]{6,}")  # what stands for a name where a contact has none


@dataclass(slots=True, kw_only=True)
class People:
    """Recipients and threads.

    Attributes:
        names: Recipient → the name that Signal shows for it.
        groups: Recipients that are groups.
        known: All recipients.
        blocked: Those whom the owner has blocked.
        threads: Thread → its recipient.
    """

    names: dict[int, str] = field(default_factory=dict)
    groups: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    threads: dict[int, int] = field(default_factory=dict)

    def name(self, recipient: int) -> str:
        """Return a recipient's name, or the id for one without."""
        return self.names.get(recipient) or sender_id(recipient)


def read_people(tables: Mapping[str, ExportFile], on_read: OnRead) -> People:
    """Read who there is, from the tables that are there.

    Raises:
        InputError: If a table lacks its ids, or is broken.
    """
    people = People()
    titles = dict(_group_titles(tables.get("groups"), people, on_read))
    if (file := tables.get("recipient")) is not None:
        _read_recipients(file, people, titles, on_read)
    for recipient, name in _list_names(tables.get("distribution_list"), on_read):
        people.names.setdefault(recipient, name)
    if (file := tables.get("thread")) is not None:
        with _picked(file, signal_columns.THREAD_COLUMNS, ("id", "recipient"), on_read) as rows:
            for thread, said in rows:
                if (number := whole(thread)) is not None and (of := recipient_of(said)) is not None:
                    people.threads[number] = of
    return people


@contextmanager
def _picked(
    file: ExportFile,
    known: Mapping[str, signal_columns.Names],
    needed: tuple[str, ...],
    on_read: OnRead,
) -> Iterator[Iterator[tuple[str, ...]]]:
    with open_rows(file, on_read=on_read) as rows:
        columns = schema.find_columns(rows.columns, known, needed=needed, where=file.name)
        yield map(columns.pick, rows)


def _read_recipients(
    file: ExportFile, people: People, titles: dict[str, str], on_read: OnRead
) -> None:
    with _picked(file, signal_columns.RECIPIENT_COLUMNS, ("id",), on_read) as rows:
        for said, blocked, group, *names, username in rows:
            if (recipient := recipient_of(said)) is None:
                continue
            people.known.add(recipient)
            if positive(blocked):
                people.blocked.add(recipient)
            found = [_name(name) for name in names]
            if group := group.strip():
                people.groups.add(recipient)
                found.append(titles.get(group) or people.names.get(recipient))
            # Signal shows the phone's number before the user's name; numbers stay in the export.
            found.append(_name(username))
            if name := next(filter(None, found), None):
                people.names[recipient] = name


def _name(text: str) -> str | None:
    name = filled(shown(text))
    return None if name is None or _PHONE.fullmatch(name) else " ".join(name.split())


def _group_titles(
    file: ExportFile | None, people: People, on_read: OnRead
) -> Iterator[tuple[str, str]]:
    """Yield (group, title), and note titles by recipient where the table tells it."""
    if file is None:
        return
    with _picked(file, signal_columns.GROUP_COLUMNS, ("group",), on_read) as rows:
        for group, said, text in rows:
            title = filled(shown(text))
            if (recipient := recipient_of(said)) is not None:
                people.groups.add(recipient)
                if title:
                    people.names[recipient] = title
            if title:
                yield group.strip(), title


def _list_names(file: ExportFile | None, on_read: OnRead) -> Iterator[tuple[int, str]]:
    if file is None:
        return
    with _picked(file, signal_columns.LIST_COLUMNS, (), on_read) as rows:
        for said, name in rows:
            if (recipient := recipient_of(said)) is not None and (
                shown_name := filled(shown(name))
            ):
                yield recipient, shown_name
