"""Messages and chats in which one person has one id, whatever their source calls them.

`people.json` lies beside messages that were linked, and tells how the table of chats is to be read
with them: every id that wrote in them and is linked → the id and name that stand for it. It is
missing where nobody was linked, and never delivered: it holds names where messages hold labels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.linked_people import PeopleSettings, whole_id
from resonare_pipeline.rows import MESSAGES

PEOPLE_FILE = "people.json"


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Who is one person in some messages.

    Attributes:
        people: Every id that is linked and wrote any → the id and the name that stand for it.
        owner: The id that stands for oneself, if one wrote any.
        others: Hashes of what else these people may be called by in settings – ids that did not
            write here, and the names of their tables – → the id that stands for them.
    """

    people: dict[str, tuple[str, str]]
    owner: str | None = None
    others: dict[str, str] = msgspec.field(default_factory=dict)

    def meant_by(self, word: str) -> str | None:
        """Return the id that stands for whom a word of the settings means, if it is linked."""
        person_id = whole_id(word)
        if person_id in self.people:
            return self.people[person_id][0]
        return self.others.get(short_hash(person_id))

    def id(self, sender_id: str | None) -> str | None:
        """Return the id that stands for a sender's, also for one who wrote nothing here."""
        if sender_id is None or not self.people:
            return sender_id
        return self.meant_by(sender_id) or sender_id

    def name(self, sender_id: str | None) -> str | None:
        """Return the name of who is linked, by any id of theirs; None for anybody else."""
        person = self.id(sender_id)
        return next((name for found, name in self.people.values() if found == person), None)


NO_LINKS = Links(people={})


def find_links(messages: Artifact, file: str, settings: PeopleSettings) -> Links:
    """Return who of the people that are linked wrote any of some messages."""
    if not settings.people:
        return NO_LINKS
    senders: set[str] = set()
    for batch in messages.batches(file, columns=["sender_id"]):
        senders.update(filter(None, batch.column(0).unique().to_pylist()))
    known = settings.by_id()
    people = {person_id: link for person_id, link in known.items() if person_id in senders}
    present = {person_id for person_id, _ in people.values()}
    others = {
        short_hash(word): person.id
        for key, person in settings.people.items()
        for word in (*person.ids, key)
        if person.id in present and word not in people
    }
    owner = settings.owner()
    return Links(people=people, owner=owner if owner in present else None, others=others)


def write_links(stream: BinaryIO, links: Links) -> None:
    """Write what `read_links` reads."""
    stream.write(msgspec.json.format(msgspec.json.encode(links), indent=1) + b"\n")


def read_links(messages: Artifact) -> Links:
    """Return who is one person in some messages."""
    if all(file.name != PEOPLE_FILE for file in messages.entry.files):
        return NO_LINKS
    with messages.open(PEOPLE_FILE) as stream:
        return msgspec.json.decode(stream.read(), type=Links)


def linked_batch(batch: pa.RecordBatch, links: Links) -> pa.RecordBatch:
    """Return messages with the ids and names that stand for those of their senders."""
    places = pc.index_in(batch.column("sender_id"), value_set=pa.array(links.people, pa.string()))
    known = list(links.people.values())
    ids = pa.array([person for person, _ in known], pa.string()).take(places)
    names = pa.array([name for _, name in known], pa.string()).take(places)
    columns = {
        "sender_id": pc.coalesce(ids, batch.column("sender_id")),
        "sender_name": pc.coalesce(names, batch.column("sender_name")),
    }
    if links.owner is not None:
        own = pc.equal(columns["sender_id"], links.owner)
        columns["is_owner"] = pa.array(np.asarray(pc.fill_null(own, pa.scalar(value=False)), bool))
    arrays = [columns.get(name, batch.column(name)) for name in MESSAGES.names]
    return pa.record_batch(arrays, schema=MESSAGES)


@dataclass(slots=True)
class _Participant:
    name: str | None
    messages: int
    is_owner: bool


def linked_chats(rows: Iterator[dict[str, Any]], links: Links) -> Iterator[dict[str, Any]]:
    """Yield rows of the table of chats in which each person takes part once.

    Args:
        rows: With `participants`, by messages and id.
        links: As messages of these chats were linked.
    """
    for row in rows:
        yield (
            row
            if not links.people or "participants" not in row
            else row | {"participants": _joined(row, links)}
        )


def _joined(row: Mapping[str, Any], links: Links) -> list[dict[str, Any]]:
    found: dict[str | None, _Participant] = {}
    for person in row["participants"]:
        sender = links.id(person["sender_id"])
        name = links.name(person["sender_id"]) or person["name"]
        joined = found.setdefault(sender, _Participant(name, 0, is_owner=False))
        joined.messages += person["messages"]
        owner = person["is_owner"] if links.owner is None else sender == links.owner
        joined.is_owner = joined.is_owner or owner
    return [
        {
            "sender_id": sender,
            "name": person.name,
            "messages": person.messages,
            "is_owner": person.is_owner,
        }
        for sender, person in sorted(
            found.items(), key=lambda item: (-item[1].messages, item[0] or "")
        )
    ]
