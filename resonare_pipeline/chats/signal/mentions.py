"""Mentions of people in a text: placeholders there become names, and marks say who is meant.

Signal keeps U+FFFC in a text and beside it where, in UTF-16 units as Java counts them, and whom.
"""

from collections.abc import Callable, Iterable

MENTION = "mention_name"  # as Telegram calls it
Entity = tuple[str, int, int, str | None]


def with_mentions(
    text: str,
    mentions: Iterable[tuple[int, int, int]],
    name: Callable[[int], str],
    sender_id: Callable[[int], str],
) -> tuple[str, list[Entity]]:
    """Return a text with names for placeholders, and marks on these names.

    Args:
        text: As the message has it.
        mentions: (start, length, recipient) in UTF-16 units; those out of the text are passed over.
        name: Returns a recipient's name.
        sender_id: Returns a recipient's id as a sender, the value of the mark.
    """
    places = _code_points(text)
    parts: list[str] = []
    marks: list[Entity] = []
    at = length = 0  # characters taken of the text, and characters written
    for start, size, recipient in sorted(mentions):
        first, end = places(start), places(start + size)
        if first is None or end is None or first < at:
            continue
        shown = f"@{name(recipient)}"
        parts += [text[at:first], shown]
        length += first - at
        marks.append((MENTION, length, len(shown), sender_id(recipient)))
        length += len(shown)
        at = end
    return "".join([*parts, text[at:]]), marks


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
