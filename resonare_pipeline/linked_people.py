"""One person's ids in several sources, as resonare.toml links them: `[people.<name>]`.

Nothing is linked without being written down there. What a link does to tables stands in
`chats.linking`; proposals stand in `planning.proposals`.
"""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.settings import Section

_SHORT_ID = re.compile(r"signal:(\d+)")
_PERSON_ID = re.compile(r"(?:telegram|signal):\S+")  # of an app that is read; else it means nobody


def whole_id(person_id: str) -> str:
    """Return a person's id as tables have it: `signal:7` is short for `signal:user7`.

    In tables it would be the id of a chat; where only people can be meant, it is a person's.
    """
    found = _SHORT_ID.fullmatch(person_id)
    return f"signal:user{found[1]}" if found else person_id


def with_whole_ids(text: str) -> str:
    """Return a text in which short ids of people stand as tables have them."""
    return re.sub(rf"\b{_SHORT_ID.pattern}\b", r"signal:user\1", text)


def _on_one_line(text: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())


class LinkedPerson(BaseModel):
    """One person, by all ids that are theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    ids: tuple[str, ...] = Field(min_length=1)
    """Sender ids, such as `telegram:user123` and `signal:7`; the first stands for all of them."""

    name: str = ""
    """What the person is called everywhere. Empty: as the table is called."""

    owner: bool = False
    """Whether this is oneself: the owner of every chat that they are in."""

    @field_validator("ids")
    @classmethod
    def _whole(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        stripped = [person_id.strip() for person_id in ids]
        if wrong := [one for one in stripped if not _PERSON_ID.fullmatch(one)]:
            message = (
                f"{', '.join(map(repr, wrong))} is no sender id; those that there are, such as "
                "telegram:user123 or signal:7, are shown by: resonare people"
            )
            raise ValueError(message)
        return tuple(dict.fromkeys(map(whole_id, stripped)))

    @property
    def id(self) -> str:
        """The id that stands for all."""
        return self.ids[0]


class PeopleSettings(Section):
    """One person's ids in several sources, a table `[people.<name>]` for each person.

    `resonare people` lists who is in the exports, and proposes such tables.
    """

    section: ClassVar[str] = "people"
    entries: ClassVar[str] = "people"

    people: dict[str, LinkedPerson] = Field(default_factory=dict)
    """`<name>` → `ids` (sender ids; the first stands for all of them), `name` (what the person is
    called; unset: `<name>`) and `owner` (whether this is oneself; default: false)."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        seen: dict[str, str] = {}
        for name, person in self.people.items():
            for person_id in person.ids:
                if seen.setdefault(person_id, name) != name:
                    message = f"{person_id} is both {seen[person_id]} and {name}"
                    raise ValueError(message)
        owners = [name for name, person in self.people.items() if person.owner]
        if len(owners) > 1:
            message = f"{' and '.join(owners)} are both the owner"
            raise ValueError(message)
        return self

    def identity(self) -> dict[str, Any]:
        """Return hashes of the people, since manifests keep what a fingerprint is made from."""
        return {
            "people": sorted(
                short_hash([self.name_of(key), [*person.ids], person.owner])
                for key, person in self.people.items()
            )
        }

    def name_of(self, key: str) -> str:
        """Return what a person is called, on one line, since lines of groups begin with it."""
        person = self.people[key]
        names = (_on_one_line(person.name), _on_one_line(key), person.id)
        return next(filter(None, names))

    def by_id(self) -> dict[str, tuple[str, str]]:
        """Return each linked id → the id that stands for it, and the person's name."""
        return {
            person_id: (person.id, self.name_of(key))
            for key, person in self.people.items()
            for person_id in person.ids
        }

    def owner(self) -> str | None:
        """Return the id that stands for oneself."""
        return next((person.id for person in self.people.values() if person.owner), None)

    def ids_with(self, person_id: str) -> tuple[str, ...]:
        """Return all ids of whoever has an id, that one if nothing is linked to it."""
        linked = (person.ids for person in self.people.values() if person_id in person.ids)
        return next(linked, (person_id,))

    def key_of(self, person_id: str) -> str | None:
        """Return the name of the table that links an id, if any does."""
        return next((key for key, one in self.people.items() if person_id in one.ids), None)

    def with_all_ids(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return ids and names of people with all ids of those who are linked."""
        found = dict.fromkeys(map(whole_id, wanted))
        for key, person in self.people.items():
            if found.keys() & {*person.ids, key, self.name_of(key)}:
                found |= dict.fromkeys(person.ids)
        return tuple(found)
