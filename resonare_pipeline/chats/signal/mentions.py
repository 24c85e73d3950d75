"""Mentions of people in a text, and its styles: placeholders become names, marks say what is what.

Signal keeps U+FFFC in a text, and beside it where and whom. All places are in UTF-16 units, as Java
counts them; marks are in code points.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from resonare_pipeline.chats.signal.styles import Style

MENTION = "mention_name"  # as Telegram calls it
Entity = tuple[str, int, int, str | None]


class _Named(NamedTuple):
    """A mention: where it stands in code points, what stands there then, and who is meant."""

    first: int
    end: int
    shown: str
    person: str


def marked_text(
    text: str,
    mentions: Iterable[tuple[int, int, int]],
    styles: Iterable[Style],
    name: Callable[[int], str],
    sender_id: Callable[[int], str],
) -> tuple[str, list[Entity]]:
    """Return a text with names for placeholders, and marks on names and styles, by their places.

    Args:
        text: As the message has it.
        mentions: (start, length, recipient); those out of the text are passed over.
        styles: Those out of the text are passed over, too.
        name: Returns a recipient's name.
        sender_id: Returns a recipient's id as a sender, the value of the mark.
    """
    places = _code_points(text)
    named: list[_Named] = []
    for start, size, recipient in sorted(mentions):
        first, end = places(start), places(start + size)
        if first is not None and end is not None and first >= (named[-1].end if named else 0):
            named.append(_Named(first, end, f"@{name(recipient)}", sender_id(recipient)))
    marks: list[Entity] = []
    for kind, start, size, value in styles:
        first, end = places(start), places(start + size)
        if first is not None and end is not None:
            begin = _moved(first, named, at_end=False)
            marks.append((kind, begin, _moved(end, named, at_end=True) - begin, value))
    parts: list[str] = []
    at = 0
    for mention in named:
        begin = _moved(mention.first, named, at_end=False)
        marks.append((MENTION, begin, len(mention.shown), mention.person))
        parts += [text[at : mention.first], mention.shown]
        at = mention.end
    return "".join([*parts, text[at:]]), sorted(marks, key=lambda mark: (mark[1], -mark[2]))


def _moved(place: int, named: Iterable[_Named], *, at_end: bool) -> int:
    """Return where a place of the text is once names stand in it; within one, at its border."""
    shift = 0
    for mention in named:
        grown = len(mention.shown) - (mention.end - mention.first)
        if mention.end <= place:
            shift += grown
        elif mention.first < place:
            return mention.first + shift + (len(mention.shown) if at_end else 0)
    return place + shift


def _code_points(text: str) -> Callable[[int], int | None]:
    """Return what turns a place in UTF-16 units into one in code points; None if there is none."""
    if text.isascii() or max(text) <= "\uffff":
        return lambda place: place if 0 <= place <= len(text) else None
    places: dict[int, int] = {}
    units = 0
    for index, character in enumerate(text):
        places[units] = index
        units += 1 + (character > "\uffff")
    places[units] = len(text)
    return places.get
