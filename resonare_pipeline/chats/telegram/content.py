"""What a message holds: its text, the marks on it, media, reactions, where it comes from.

Field values in, values of the message table out. Anything of the wrong type is as good as absent.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from resonare_pipeline.chats.telegram.message import Message, Part, Text

Entity = tuple[str, int, int, str | None]
Reaction = tuple[str, int]

PLAIN = "plain"
LARGEST_COUNT = 2**31 - 1

# In this order: a venue has a location, too, and a giveaway's results mention the giveaway.
_KIND_OF_FIELD = {
    "sticker": "sticker",
    "voice_message": "voice_message",
    "video_message": "video_message",
    "contact_information": "contact",
    "place_name": "venue",
    "location_information": "location",
    "game_title": "game",
    "invoice_information": "invoice",
    "poll": "poll",
    "todo_list": "todo_list",
    "giveaway_results": "giveaway_results",
    "giveaway_information": "giveaway",
    "paid_stars_amount": "paid_media",
}
rare_media = attrgetter(*_KIND_OF_FIELD)
NO_RARE_MEDIA: tuple[object, ...] = rare_media(Message())


def text_of(value: Text | None) -> str:
    """Return the plain text of a `text` field: a string, or an array of strings and objects."""
    if isinstance(value, list):
        return "".join(map(_part_text, value))
    return value or ""


def _part_text(part: str | Part) -> str:
    text: object = part if type(part) is str else part.text  # type: ignore[union-attr]  # a union of two
    return text if type(text) is str else ""


def entities_of(
    raw_text: Text | None, parts: Sequence[str | Part] | None, text: str
) -> list[Entity] | None:
    """Return the marks on a text, from `text_entities` if that tells the same text."""
    for source in (parts, raw_text):
        if isinstance(source, list):
            texts = list(map(_part_text, source))
            if "".join(texts) == text:
                return _marks(source, texts) or None
    return None


def _marks(parts: Sequence[str | Part], texts: list[str]) -> list[Entity]:
    marks: list[Entity] = []
    offset = 0
    for part, text in zip(parts, texts, strict=True):
        if isinstance(part, Part) and text and part.type != PLAIN and isinstance(part.type, str):
            marks.append((part.type, offset, len(text), _mark_value(part)))
        offset += len(text)
    return marks


def _mark_value(part: Part) -> str | None:
    for value in (part.href, part.user_id, part.language, part.document_id):
        if value is None:
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value:
            return present(value)
    return None


def present(path: object) -> str | None:
    """Return a path; None where the export says in brackets why it has no file."""
    return path if isinstance(path, str) and path and not path.startswith("(") else None


def media_kind(kind: object, photo: object, file: object, rare: tuple[object, ...]) -> str | None:
    """Return what is attached to a message, in Telegram's words where it has one."""
    if isinstance(kind, str) and kind:
        return kind
    if photo is not None:
        return "photo"
    if rare != NO_RARE_MEDIA:
        found = zip(_KIND_OF_FIELD.values(), rare, NO_RARE_MEDIA, strict=True)
        return next(name for name, value, absent in found if value is not absent)
    return None if file is None else "file"


def reactions_of(value: object) -> list[Reaction] | None:
    """Return reactions with their counts, in the order of the export."""
    if not isinstance(value, list):
        return None
    found = (_reaction(item) for item in value if isinstance(item, dict))
    return [reaction for reaction in found if reaction] or None


def _reaction(item: dict[str, Any]) -> Reaction | None:
    kind, count = item.get("type"), item.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= LARGEST_COUNT:
        count = 1
    emoji, document = item.get("emoji"), item.get("document_id")
    if isinstance(emoji, str) and emoji and kind in ("emoji", None):
        return emoji, count
    if kind == "custom_emoji":
        known = str(document) if isinstance(document, int) else present(document)
        return (f"custom_emoji:{known}" if known else kind), count
    return (kind, count) if isinstance(kind, str) and kind not in ("", "emoji") else None


def forwarded_from(value: object, saved_from: object) -> str | None:
    """Return whom a message was forwarded from.

    Empty for a forward whose origin is hidden or gone, which the export writes as null.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return saved_from if value is UNSET and isinstance(saved_from, str) and saved_from else None


def strings(values: Sequence[object]) -> list[str | None]:
    """Return the strings among values, and None for all else."""
    return [value if isinstance(value, str) else None for value in values]
