"""What is redacted, and what stands in its place.

Only the closed set of kinds, their placeholders, and the span that detectors hand one another.
"""

import re
from enum import StrEnum
from typing import NamedTuple

DISTRIBUTIONS = ("phonenumbers",)
"""Distributions whose versions decide what is redacted; stages that redact declare them."""


class Kind(StrEnum):
    """A kind of item that can be redacted."""

    PHONE = "phone"
    EMAIL = "email"
    CARD = "card"
    IBAN = "iban"
    IP = "ip"
    URL = "url"  # with credentials, with a secret in its query, or an invitation
    HANDLE = "handle"
    SECRET = "secret"  # noqa: S105  # the name of a kind
    PERSON = "person"
    WORD = "word"


PLACEHOLDERS: dict[Kind, str] = {
    kind: f"[{kind.upper()}]" for kind in Kind if kind is not Kind.PERSON
}
"""What stands in the place of an item; people have labels of their own."""

PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(kind.upper() for kind in Kind)})(?:_\d+)?\]")
"""Any placeholder in a text that was redacted before."""


class Span(NamedTuple):
    """One item found in a text.

    Attributes:
        start: Its first character, in code points.
        end: One behind its last character.
        label: What is to stand in its place.
    """

    start: int
    end: int
    kind: Kind
    label: str


def item(start: int, end: int, kind: Kind) -> Span:
    """Return a span whose label is the placeholder of its kind."""
    return Span(start, end, kind, PLACEHOLDERS[kind])


def person_label(number: int) -> str:
    """Return the placeholder of a person, whose numbers begin at 1."""
    return f"[{Kind.PERSON.upper()}_{number}]"
