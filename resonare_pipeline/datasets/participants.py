"""Who takes part in the conversations of all sources, by every name they ever had."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from resonare_pipeline.datasets.sources import Source
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.rows import bears_id_of_person

NOBODY: Mapping[str, PeopleSettings] = MappingProxyType({})
PERSONAL = "personal_chat"  # Telegram's word for a chat with one person, which bears their name


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Who takes part.

    Attributes:
        names: Person's id → names, in the order of the first message of the earliest chat that they
            are in, then by id: what newer data adds comes last.
        by_source: Source → the people in it, in that order.
        pairs: Personal chat → what its two sides have in common: the export of either has it.
    """

    names: Mapping[str, tuple[str, ...]]
    by_source: Mapping[str, tuple[str, ...]]
    pairs: Mapping[str, str]

    def for_source(self, name: str) -> list[str]:
        """Return all people, those of one source first: where two share a name, they are meant."""
        own = self.by_source[name]
        return [*own, *(person for person in self.names if person not in set(own))]


def find_participants(
    sources: list[Source], linked: Mapping[str, PeopleSettings] = NOBODY
) -> Participants:
    """Return who takes part in each source.

    Args:
        sources: All of them.
        linked: Source → whose ids are one person's there, who is then known by every name of any.
    """
    first: dict[str, int] = {}
    names: dict[str, dict[str, None]] = {}
    pairs: dict[str, str] = {}
    inside: dict[str, set[str]] = {source.name: set() for source in sources}
    for source in sources:
        links = linked.get(source.name, PeopleSettings()).by_id()
        for person_id, name, since in _participants(source, pairs):
            person, known_as = links.get(person_id, (person_id, name))
            first[person] = min(since, first.get(person, since))
            names.setdefault(person, {}).update({name: None, known_as: None})
            inside[source.name].add(person)
        for person_id, name in _senders(source):
            person = links.get(person_id, (person_id, ""))[0]
            if person in first:
                names[person][name] = None
    order = sorted(first, key=lambda person: (first[person], person))
    return Participants(
        names={person: tuple(sorted(names[person])) for person in order},
        by_source={name: tuple(p for p in order if p in found) for name, found in inside.items()},
        pairs=pairs,
    )


def _participants(source: Source, pairs: dict[str, str]) -> Iterator[tuple[str, str, int]]:
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
                if kind == PERSONAL and person["is_owner"]:
                    pairs[chat_id] = " ".join(sorted((chat_id, str(person["sender_id"]))))
            if kind == PERSONAL and name and bears_id_of_person(chat_id):
                yield chat_id, name, time or 0


def _senders(source: Source) -> Iterator[tuple[str, str]]:
    """Yield every name that a sender had, with the sender's id."""
    if source.messages is None:
        return
    columns = ["sender_id", "sender_name"]
    for batch in source.messages.batches(source.messages_file, columns=columns):
        found = pa.Table.from_batches([batch]).group_by(columns).aggregate([])
        for sender_id, name in zip(*(found[column].to_pylist() for column in columns), strict=True):
            if sender_id and name:
                yield sender_id, name
