"""What a text still holds, by kind: what redaction would find, and weaker suspicions.

A suspicion is a form alone, without check digits, metadata or words beside it: any seven digits in
a row or in groups, any `@`, any long token with digits, any piece of a name. Counts are therefore
upper bounds, to be looked at and not to be believed. Placeholders count as nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from resonare_pipeline.privacy.folding import fold, words_of
from resonare_pipeline.privacy.kinds import Kind, Span, item
from resonare_pipeline.privacy.name_words import PARTICLES, ROLES
from resonare_pipeline.privacy.people import Person
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.privacy.spans import first_of, masked, places, without_placeholders

SHORTEST_PIECE = 4  # letters of a name that may stand inside a longer word

_GAP = r"[ \u00a0\-.()/]{0,2}"
_SUSPICIONS = (
    (Kind.EMAIL, re.compile(r"[^\s@]{1,64}@[^\s@]{1,64}\.[^\s@]{2}")),
    (Kind.URL, re.compile(r"(?:https?://|www\.)\S{1,500}[?&#]\S{12,}", re.IGNORECASE)),
    (Kind.IBAN, re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){3,8}", re.ASCII)),
    (Kind.IP, re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")),
    (Kind.CARD, re.compile(rf"(?<!\d)\d(?:{_GAP}\d){{12,18}}(?!\d)")),
    (Kind.PHONE, re.compile(rf"(?<!\d)[+(]?\d(?:{_GAP}\d){{6,14}}(?!\d)")),
    (Kind.HANDLE, re.compile(r"@\w{2,}")),
    (Kind.SECRET, re.compile(r"(?<![\w/.])(?=[\w\-]*\d)(?=[\w\-]*[A-Za-z])[\w\-]{16,512}")),
)


def audit(
    text: str,
    people: Sequence[Person] = (),
    words: Sequence[str] = (),
    *,
    is_redacted: bool = False,
) -> Mapping[Kind, int]:
    """Count what is left in a text, by kind; kinds of which nothing is left are left out.

    Args:
        text: As it was redacted.
        people: Whose names must not stand in it.
        words: Sensitive words.
        is_redacted: A redactor of all kinds, for any region, has just gone over it. What it would
            find again is not looked for then: redacting twice is redacting once.
    """
    redactor, pieces = _prepared(tuple(people), tuple(words))
    text = without_placeholders(text)
    sure = [] if is_redacted else redactor.find(text)
    counts = Counter(span.kind for span in sure)
    text = masked(text, places(sure))
    counts.update(span.kind for span in first_of(_suspicions(text)))
    if pieces:
        counts[Kind.PERSON] += sum(
            any(piece in word for piece in pieces) for word in map(fold, words_of(text))
        )
    return {kind: count for kind, count in counts.items() if count}


def _suspicions(text: str) -> Iterator[Span]:
    for kind, pattern in _SUSPICIONS:
        for match in pattern.finditer(text):
            yield item(match.start(), match.end(), kind)


@lru_cache(maxsize=4)
def _prepared(
    people: tuple[Person, ...], words: tuple[str, ...]
) -> tuple[Redactor, tuple[str, ...]]:
    """Return a redactor for all kinds, and the pieces of names that no text should hold."""
    redactor = Redactor(PrivacySettings(sensitive_words=words), people)
    found = {fold(word) for person in people for name in person.names for word in words_of(name)}
    pieces = {word for word in found - PARTICLES - ROLES if len(word) >= SHORTEST_PIECE}
    return redactor, tuple(sorted(pieces))
