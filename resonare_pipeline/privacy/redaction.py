"""Redaction in place: a text in, the same text with placeholders out.

Detectors run in a fixed order, and each sees what the ones before it have found as masked signs, so
that no item is two things. What may not live here: what an item of a kind looks like.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from resonare_pipeline.privacy.addresses import find_emails, find_ips
from resonare_pipeline.privacy.credentials import find_secrets
from resonare_pipeline.privacy.handles import find_handles
from resonare_pipeline.privacy.kinds import Kind, Span
from resonare_pipeline.privacy.links import find_links
from resonare_pipeline.privacy.names import NameFinder
from resonare_pipeline.privacy.payments import find_cards, find_ibans
from resonare_pipeline.privacy.people import Person
from resonare_pipeline.privacy.phones import PhoneFinder
from resonare_pipeline.privacy.sensitive import WordFinder
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.privacy.spans import (
    first_of,
    masked,
    places,
    replaced,
    without_placeholders,
)

_SIGNS = re.compile(r"[\d@＠:：=＝/_]|\(at\)|\[at\]", re.IGNORECASE)
"""One of these stands in each item that is no name and no sensitive word."""

_HEADS = ("sk-", "glpat-", "AKIA", "AIza", " dot ")
"""How keys begin that may hold none of these signs, and an address that is spelt out."""

_MOST_ROUNDS = 8  # a replaced item may uncover another; hardly any text takes more than two

Finder = Callable[[str], Iterable[Span]]


class Redacted(NamedTuple):
    """A text after redaction.

    Attributes:
        counts: Kind → items that were replaced; kinds without any are left out.
        sensitive: Whether a sensitive word stood in the text.
    """

    text: str
    counts: Mapping[Kind, int]
    sensitive: bool


class Redactor:
    """Replaces what identifies people by placeholders.

    Made once for an export and used for all its texts. It may be pickled; what it compiles is made
    anew on the other side. Redacting a text again changes nothing, as long as no label of a person
    is itself an item.
    """

    def __init__(self, settings: PrivacySettings, people: Sequence[Person] = ()) -> None:
        self.settings = settings
        self.people = tuple(people)
        self._finders: tuple[Finder, ...] = (  # the surest come first
            find_secrets,
            find_emails,
            find_ibans,
            find_cards,
            find_ips,
            PhoneFinder(settings.regions).find,
            find_handles,
        )
        named = Kind.PERSON in settings.kinds and settings.people != "keep" and self.people
        self._names = NameFinder(self.people) if named else None
        self._words = WordFinder(settings.sensitive_words) if settings.sensitive_words else None

    def __reduce__(self) -> tuple[object, ...]:
        """Hand over what it was made from."""
        return Redactor, (self.settings, self.people)

    def redact(self, text: str) -> Redacted:
        """Replace every item of the kinds that are set.

        `privacy.redact` is not looked at: whoever makes a redactor has decided that.
        """
        sensitive = self._words is not None and any(True for _ in self._words.find(text))
        spans = self.find(text)
        if not spans:
            return Redacted(text, {}, sensitive)
        counts: Counter[Kind] = Counter()
        for _ in range(_MOST_ROUNDS):
            text = replaced(text, spans)
            counts.update(span.kind for span in spans)
            spans = self.find(text)
            if not spans:
                break
        return Redacted(text, dict(counts), sensitive)

    def find(self, text: str) -> list[Span]:
        """Return the items of a text as they stand in it; none overlaps another."""
        visible = without_placeholders(text)
        found: list[Span] = []
        if _SIGNS.search(visible) or any(head in visible for head in _HEADS):
            found = self._find_items(visible)
            visible = masked(visible, places(found))
        if self._words and Kind.WORD in self.settings.kinds:
            words = list(self._words.find(visible))
            visible = masked(visible, places(words))
            found += words
        if self._names:
            found += self._names.find(visible)
        return found

    def _find_items(self, text: str) -> list[Span]:
        """Return what is neither a name nor a sensitive word."""
        links = find_links(text)
        found = links.found
        text = masked(text, [*places(found), *links.plain])
        for finder in self._finders:
            if spans := first_of(finder(text)):
                text = masked(text, places(spans))
                found += spans
        return [span for span in found if span.kind in self.settings.kinds]
