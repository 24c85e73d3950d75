"""People who are left out: the rule in resonare.toml, and how a person is recognised in texts.

The rule holds for the stage that reads exports, so that nothing of a person gets past it. What is
done to tables stands in `reading.leaving_out`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.settings import Section

PLACEHOLDER = "[forgotten]"
NAME_ID = ":name:"  # in the ids of senders for whom the source gives none
SIGNAL = "signal:"  # begins the ids of people of Signal
DIGEST_DIGITS = 16  # of a digest in the rule: enough to tell exports apart
LEAST_DIGITS = 6  # a shorter number in a text is hardly ever somebody's id
# Scripts that part words by no space, or join particles to a name.
_UNPARTED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")


class ForgottenPerson(BaseModel):
    """One person who is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()


class ForgetSettings(Section):
    """People who are left out of everything. `resonare forget` writes this table."""

    section: ClassVar[str] = "forget"

    people: dict[str, ForgottenPerson] = Field(default_factory=dict)
    """Sender id → `names`, which are also looked for in the texts of others (a handle with its
    `@`), and `clear`, the beginnings of digests of exports that hold nothing of the person and need
    no new reading."""

    def identity(self) -> dict[str, Any]:
        """Return hashes of the people, since manifests keep what a fingerprint is made from."""
        return {
            "people": sorted(
                short_hash([person_id, sorted(person.names)])
                for person_id, person in self.people.items()
            )
        }

    def narrowed(self, inputs: Mapping[str, str]) -> Self:
        """Return the rule without people of whom an input is known to hold nothing."""
        digests = {digest[:DIGEST_DIGITS] for digest in inputs.values()}
        concerned = {
            person_id: person
            for person_id, person in self.people.items()
            if digests.isdisjoint(digest[:DIGEST_DIGITS] for digest in person.clear)
        }
        return self.model_copy(update={"people": concerned})


@dataclass(frozen=True)
class Traces:
    """What tells of some people: their ids, and the names that texts call them by.

    Attributes:
        ids: Sender ids.
        names: Names, and handles with their `@`.
    """

    ids: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, people: Mapping[str, ForgottenPerson]) -> "Traces":
        """Return what tells of the people of a rule."""
        names = {name.strip() for person in people.values() for name in person.names}
        return cls(frozenset(people), frozenset(filter(None, names)))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Bare numbers of users, as marks on a text of Telegram give them."""
        bare = (
            person_id.rpartition(":")[2].removeprefix("user")
            for person_id in self.ids
            if not person_id.startswith(SIGNAL)
        )
        return frozenset(number for number in bare if number.isdecimal())

    @cached_property
    def _whole_names(self) -> frozenset[str]:
        return frozenset(_folded(name) for name in self.names)

    @cached_property
    def _bodies(self) -> list[tuple[str, str, str]]:
        """What to find, longest first: (what stands before, the thing itself, what follows)."""
        found = [("(?<!\\w)", f"(?:{_id_body(person_id)})", "(?!\\w)") for person_id in self.ids]
        forms = {
            unicodedata.normalize(form, name) for name in self.names for form in ("NFC", "NFD")
        }
        found += map(_name_body, sorted(forms, key=lambda name: (-len(name), name)))
        return found

    @cached_property
    def anywhere(self) -> re.Pattern[str]:
        """Finds ids, names and handles, as whole words, in any case; in JSON in ASCII, too."""
        escaped = (json.dumps(name)[1:-1] for name in sorted(self.names) if not name.isascii())
        return _any_of([*self._bodies, *(("", re.escape(name), "") for name in escaped)])

    @cached_property
    def in_texts(self) -> re.Pattern[str]:
        """The same, and bare numbers of users."""
        long = sorted(number for number in self.numbers if len(number) >= LEAST_DIGITS)
        return _any_of([*self._bodies, *(("(?<!\\w)", number, "(?!\\w)") for number in long)])

    @cached_property
    def likely(self) -> str:
        """A pattern of RE2, for Arrow, that finds all that `in_texts` finds, and some more."""
        return "|".join([*(body for _, body, _ in self._bodies), *sorted(self.numbers)]) or "$^"

    def is_person(self, sender_id: str | None, name: str | None) -> bool:
        """Tell whether a sender is one of the people; a name counts where there is no id."""
        if sender_id is not None and NAME_ID not in sender_id:
            return sender_id in self.ids
        return sender_id in self.ids or self.is_name(name)

    def is_name(self, name: str | None) -> bool:
        """Tell whether a whole name is one of theirs."""
        return bool(name) and _folded(name or "") in self._whole_names

    def without(self, text: str) -> str:
        """Return a text with a placeholder for each trace."""
        return self.in_texts.sub(PLACEHOLDER, text)


def name_parts(name: str) -> list[str]:
    """Return the words of a name that may stand for the whole: none that is short."""
    words = re.findall(r"[^\W_](?:[\w'’.-]*[^\W_])?", name)
    return [word for word in words if len(words) > 1 and len(word) >= _least(word)]


def _least(word: str) -> int:
    return 3 if all(map(_is_parted, word)) else 2


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _any_of(bodies: Iterable[tuple[str, str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(map("".join, bodies)) or "(?!)", re.IGNORECASE)


def _id_body(person_id: str) -> str:
    if person_id.startswith(SIGNAL):  # numbers there are small, and no link holds them
        return re.escape(person_id)
    source, _, own = person_id.partition(":")
    body = f"(?:{re.escape(source)}:)?{re.escape(own)}"
    number = own.removeprefix("user")
    return f"{body}|user\\?id={number}" if own.startswith("user") and number else body


def _name_body(name: str) -> tuple[str, str, str]:
    """Return what finds a name: words parted by any blanks, with no letter or digit around them."""
    if name.startswith("@"):
        return "(?<!\\w)", f"(?:@|t\\.me/|domain=){re.escape(name[1:])}", "(?!\\w)"
    body = "\\s+".join(map(re.escape, name.split()))
    border = "[^\\W_]"
    before = f"(?<!{border})" if _is_parted(name[0]) else ""
    after = f"(?!{border})" if _is_parted(name[-1]) else ""
    return before, body, after


def _is_parted(character: str) -> bool:
    """Tell whether a word beginning or ending so has its end where letters end."""
    if unicodedata.combining(character):
        return True
    named = unicodedata.name(character, "")
    return character.isalnum() and not named.startswith(_UNPARTED)
