"""Places in a text: which do not overlap, how they are masked, and how they are replaced."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from resonare_pipeline.privacy.kinds import PLACEHOLDER, Span

MASK = "\ufffc"  # OBJECT REPLACEMENT CHARACTER: no letter, digit or sign of any item

Place = tuple[int, int]


def first_of(spans: Iterable[Span], others: Sequence[Span] = ()) -> list[Span]:
    """Return the spans that overlap none before them, nor any of some others, in their order."""
    taken = sorted((other.start, other.end) for other in others)
    kept: list[Span] = []
    for span in spans:
        at = bisect_left(taken, (span.end,))  # those before it begin before the span ends
        if at and taken[at - 1][1] > span.start:
            continue
        taken.insert(at, (span.start, span.end))
        kept.append(span)
    return kept


def places(spans: Iterable[Span]) -> list[Place]:
    """Return where spans begin and end."""
    return [(span.start, span.end) for span in spans]


def masked(text: str, hidden: Iterable[Place]) -> str:
    """Return a text of the same length in which nothing can be read at some places."""
    parts: list[str] = []
    at = 0
    for start, end in sorted(hidden):
        if end > at:
            parts += (text[at:start], MASK * (end - max(start, at)))
            at = end
    return "".join((*parts, text[at:])) if parts else text


def replaced(text: str, spans: Iterable[Span]) -> str:
    """Return a text with labels in the place of spans, none of which overlaps another."""
    parts: list[str] = []
    at = 0
    for span in sorted(spans):
        parts += (text[at : span.start], span.label)
        at = span.end
    return "".join((*parts, text[at:]))


def without_placeholders(text: str) -> str:
    """Return a text of the same length in which what was redacted before is masked."""
    if "[" not in text:
        return text
    return masked(text, [match.span() for match in PLACEHOLDER.finditer(text)])
