"""Styles of a text, as the column `message_ranges` holds them: a message of protobuf, in base64.

The message is `BodyRangeList` of Signal's `Database.proto`: field 1, repeated, has start (1) and
length (2) in UTF-16 units and one of: a mention (3), a style (4), a link (5), a button (6).
"""

import base64
import binascii
from collections.abc import Iterator

_STYLES = ("bold", "italic", "spoiler", "strikethrough", "code")  # as Telegram calls them
_RANGE, _START, _LENGTH, _STYLE, _LINK = 1, 1, 2, 4, 5
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BITS = 63

Style = tuple[str, int, int, str | None]
"""Kind, start and length in UTF-16 units, and the address of a link."""


def styles_of(text: str) -> list[Style]:
    """Return the styles that a field holds; none if it is empty or damaged."""
    if not text:
        return []
    try:
        content = base64.b64decode(text, validate=True)
        found = [_style(value) for field, value in _fields(content) if field == _RANGE]
    except (ValueError, binascii.Error, IndexError):
        return []
    return [style for style in found if style is not None]


def _style(content: bytes | int) -> Style | None:
    if isinstance(content, int):
        return None
    fields = dict(_fields(content))
    start, length = fields.get(_START, 0), fields.get(_LENGTH, 0)
    if not isinstance(start, int) or not isinstance(length, int) or not length:
        return None
    if isinstance(link := fields.get(_LINK), bytes):
        return "text_link", start, length, link.decode()
    style = fields.get(_STYLE)
    if isinstance(style, int) and style < len(_STYLES):
        return _STYLES[style], start, length, None
    return None


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field.

    Raises:
        ValueError: For what is no protobuf.
        IndexError: For content that is cut off.
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            message = f"a field of kind {kind}"
            raise ValueError(message)
        if at + size > len(content):
            raise IndexError
        yield key >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _MOST_BITS:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    message = "a number without end"
    raise ValueError(message)
