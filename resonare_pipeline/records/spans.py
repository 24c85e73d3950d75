"""Places in JSON text, and edits at them: what is not edited stays byte for byte as it came.

Decoding a record and encoding it again would lose what JSON does not promise to keep: `1.0`
against `1`, integers beyond 64 bits, escapes, blanks, keys that stand twice. So a record is looked
at through a decoder, and changed only through spans of its text. All texts here are valid JSON.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_KEY = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_COMMA = re.compile(rb"[ \t\r\n]*+,?[ \t\r\n]*+")
_SCALAR = re.compile(rb"[^\s,\]}]*+")
_BLANK = re.compile(rb"[ \t\r\n]*+")
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+', re.DOTALL)
_LINE_BREAK = re.compile(rb"[ \t]*[\r\n]\s*")
_AFTER_COMMA = re.compile(rb",[ \t]*[\r\n]\s*")
_QUOTE, _OPEN, _CLOSE = ord('"'), b"{[", b"}]"

Path = tuple[str | int, ...]


class Span(NamedTuple):
    """A piece of text, end exclusive."""

    start: int
    end: int


class Edit(NamedTuple):
    """New text for a piece of the old one."""

    span: Span
    text: bytes


class Member(NamedTuple):
    """One member of an object: its key, where that ends, and its value."""

    key: str
    key_end: int
    value: Span


def encode(value: Any) -> bytes:
    """Return plain data as JSON text, in the manner of the records that people write."""
    return msgspec.json.format(msgspec.json.encode(value), indent=0)


def value_end(text: bytes, start: int) -> int:
    """Return where the value that begins at `start` ends."""
    first = text[start]
    if first == _QUOTE:
        return _end(_STRING, text, start)
    if first not in _OPEN:
        return _end(_SCALAR, text, start)
    position, depth = start + 1, 1
    while depth:
        position = _end(_TO_BRACKET, text, position)
        depth += 1 if text[position] in _OPEN else -1
        position += 1
    return position


def _end(pattern: re.Pattern[bytes], text: bytes, start: int) -> int:
    found = pattern.match(text, start)
    if found is None:
        raise ValueError(start)
    return found.end()


def members(text: bytes, start: int) -> Iterator[Member]:
    """Yield the members of the object that begins at `start`, in order."""
    position = _end(_BLANK, text, start + 1)
    while found := _KEY.match(text, position):
        value, key = found.end(), found[1]
        end = value_end(text, value)
        name = msgspec.json.decode(key) if b"\\" in key else key[1:-1].decode()
        yield Member(name, found.end(1), Span(value, end))
        position = _end(_COMMA, text, end)


def elements(text: bytes, start: int) -> Iterator[Span]:
    """Yield the elements of the array that begins at `start`, in order."""
    position = _end(_BLANK, text, start + 1)
    while text[position] not in _CLOSE:
        end = value_end(text, position)
        yield Span(position, end)
        position = _end(_COMMA, text, end)


def find(text: bytes, path: Path) -> Span | None:
    """Return where the value at a path of keys and indices stands, or None.

    Of keys that stand twice the last counts, as decoders have it.
    """
    start = _end(_BLANK, text, 0)
    span = Span(start, value_end(text, start))
    for step in path:
        inner = _step(text, span, step)
        if inner is None:
            return None
        span = inner
    return span


def _step(text: bytes, span: Span, step: str | int) -> Span | None:
    if isinstance(step, str):
        found = [item.value for item in members(text, span.start) if item.key == step]
        return found[-1] if found else None
    return next((item for i, item in enumerate(elements(text, span.start)) if i == step), None)


def set_members(text: bytes, span: Span, values: dict[str, Any]) -> list[Edit]:
    """Return the edits that give members of an object new values; new members come last.

    New members are set apart by the blanks that set the last one apart.
    """
    found = list(members(text, span.start))
    there = {item.key: item for item in found}
    edits = [Edit(there[key].value, encode(new)) for key, new in values.items() if key in there]
    added = {key: new for key, new in values.items() if key not in there}
    if not added:
        return edits
    before, colon, end = b"", b": ", span.start + 1
    if found:
        last = found[-1]
        colon = text[last.key_end : last.value.start]
        before, end = _separator(text, found), last.value.end
    pieces = [encode(key) + colon + encode(new) for key, new in added.items()]
    inserted = (before or b", ").join(pieces)
    return [*edits, Edit(Span(end, end), before + inserted)]


def _separator(text: bytes, found: list[Member]) -> bytes:
    """Return what stands between the last two members."""
    if len(found) == 1:
        return b", "
    start = found[-2].value.end
    comma = _end(_BLANK, text, start)
    return text[start : _end(_BLANK, text, comma + 1)]


def apply_edits(text: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the text with all edits made; they must not overlap."""
    pieces: list[bytes] = []
    position = 0
    for span, new in sorted(edits, key=lambda edit: edit.span):
        pieces += (text[position : span.start], new)
        position = span.end
    return b"".join((*pieces, text[position:]))


def on_one_line(text: bytes) -> bytes:
    """Return a value's text without line breaks, which can only stand between its parts."""
    if b"\n" not in text and b"\r" not in text:
        return text
    return _LINE_BREAK.sub(b"", _AFTER_COMMA.sub(b", ", text.strip()))
