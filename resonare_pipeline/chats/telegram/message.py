"""One message as Telegram Desktop writes it, and its decoding from JSON.

Nearly every field takes any value: what is wrong in one field must cost neither the message nor
the speed of decoding thousands at once. What a field has to look like is for its readers to check.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from resonare_pipeline.chats.telegram.borders import split
from resonare_pipeline.chats.telegram.repair import repaired


class Part(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """A piece of a text with a mark on it, such as bold, or `plain`."""

    type: Any = None
    text: Any = None
    href: Any = None
    user_id: Any = None
    language: Any = None
    document_id: Any = None


Text = str | list[str | Part]


class Message(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """The fields that matter; `UNSET` where null says something else than absence."""

    id: Any = None
    type: Any = None
    date: Any = None
    date_unixtime: Any = None
    edited: Any = None
    edited_unixtime: Any = None
    from_name: Any = msgspec.field(default=None, name="from")
    from_id: Any = None
    action: Any = None
    text: Text | None = None
    text_entities: list[Part] | None = None
    reply_to_message_id: Any = None
    reply_to_peer_id: Any = None
    forwarded_from: Any = msgspec.UNSET
    saved_from: Any = None
    reactions: Any = None
    media_type: Any = None
    photo: Any = None
    file: Any = None
    sticker: Any = None
    voice_message: Any = None
    video_message: Any = None
    contact_information: Any = None
    location_information: Any = msgspec.UNSET
    place_name: Any = None
    game_title: Any = None
    invoice_information: Any = None
    poll: Any = None
    todo_list: Any = None
    giveaway_information: Any = None
    giveaway_results: Any = None
    paid_stars_amount: Any = None


class Anything(msgspec.Struct, gc=False):
    """An object that only counts."""


class Unreadable(msgspec.Struct, frozen=True):
    """An element that is no message.

    Attributes:
        source: Its JSON in a form that does not depend on layout, or its bytes if it is no JSON.
    """

    source: bytes


_messages = msgspec.json.Decoder(list[Message])
_anything = msgspec.json.Decoder(list[Anything])


def decode_run(body: bytes) -> list[Message] | None:
    """Decode messages parted by commas, known faults of the writer mended; None if that fails."""
    for text in versions(body):
        try:
            return _messages.decode(b"[" + text + b"]")
        except (ValueError, RecursionError):
            continue
    return None


def count_run(body: bytes) -> int | None:
    """Count objects parted by commas; None if they cannot be decoded as such."""
    for text in versions(body):
        try:
            return len(_anything.decode(b"[" + text + b"]"))
        except (ValueError, RecursionError):
            continue
    return None


def count_pieces(body: bytes, _place: int) -> int:
    """Count elements parted by commas, whatever they are."""
    return len(split(body))


def versions(body: bytes) -> Iterator[bytes]:
    """Yield JSON as it stands, and then with known faults of its writer mended, if it has any."""
    yield body
    mended = repaired(body)
    if mended != body:
        yield mended


def decode_element(element: bytes) -> Message | Unreadable:
    """Decode one element with all leniency.

    Raises:
        UnicodeDecodeError: If it is not UTF-8.
    """
    if (alone := decode_run(element)) is not None and len(alone) == 1:
        return alone[0]
    element.decode()
    text = repaired(element).decode()
    try:
        value = json.loads(text, strict=False)  # raw control characters, NaN, Infinity
    except (ValueError, RecursionError):
        return Unreadable(element.strip())
    if not isinstance(value, dict):
        return Unreadable(json.dumps(value, sort_keys=True).encode())
    value["text"] = _text_or_none(value.get("text"))
    value["text_entities"] = _parts_or_none(value.get("text_entities"))
    return msgspec.convert(value, Message)


def _text_or_none(value: object) -> Text | None:
    """Keep of a text what is one."""
    if isinstance(value, list):
        value = [part for part in value if isinstance(part, str | dict)]
    return msgspec.convert(value, Text) if isinstance(value, str | list) else None


def _parts_or_none(value: object) -> list[Part] | None:
    """Keep of a list of marked pieces what is one."""
    if not isinstance(value, list):
        return None
    return msgspec.convert([part for part in value if isinstance(part, dict)], list[Part])


def layout_free(message: Message) -> bytes:
    """Return a message's content in a form that depends on neither layout nor key order."""
    return msgspec.json.encode(message, order="sorted")
