"""A cursor over the outer structure of a JSON document: objects, arrays, small values.

It walks without recursion and without holding more than one string, and validates only what it
must to keep its place: values that are passed over are not decoded. The messages themselves are
not read through it.
"""

import re
from collections.abc import Iterator

import msgspec

from resonare_pipeline.chats.telegram.repair import repaired
from resonare_pipeline.chats.telegram.window import CutOffError, Window, not_utf8
from resonare_pipeline.errors import InputError

_BLANKS = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_TOKEN = re.compile(rb"[^ \t\r\n,:\[\]{}\"]*")
_BRACKET_OR_QUOTE = re.compile(rb'["\[\]{}]')

Scalar = str | int | float | bool | None


def malformed(window: Window, expected: str) -> InputError:
    """Return the error for a place where the JSON breaks off its own rules."""
    return InputError(
        f"broken JSON: found {window.data[window.at : window.at + 1]!r}",
        where=window.where(),
        expected=expected,
        remedy="Export the chat again; a file edited by hand may lack a comma, quote or bracket",
    )


def peek(window: Window) -> bytes:
    """Pass blanks and return the next byte without taking it.

    Raises:
        CutOffError: At the end of the file.
    """
    while True:
        window.at = _BLANKS.match(window.data, window.at).end()  # type: ignore[union-attr]  # matches anything
        if window.at < len(window.data):
            return window.data[window.at : window.at + 1]
        window.need()


def take(window: Window, byte: bytes, expected: str) -> None:
    """Pass blanks and one given byte.

    Raises:
        InputError: If another byte stands there.
    """
    if peek(window) != byte:
        raise malformed(window, expected)
    window.at += 1


def members(window: Window) -> Iterator[str]:
    """Yield the keys of the object that begins here; the caller takes each value in between."""
    take(window, b"{", "an object")
    yield from _members(window)


def members_on(window: Window) -> Iterator[str]:
    """Yield the keys of an object of which a value was just taken, from the next one on."""
    _pass_comma(window)
    yield from _members(window)


def _members(window: Window) -> Iterator[str]:
    while peek(window) != b"}":
        key = string(window)
        take(window, b":", "':' after a key")
        yield key
        _pass_comma(window)
    window.at += 1


def _pass_comma(window: Window) -> None:
    if peek(window) == b",":
        window.at += 1
    elif peek(window) != b"}":
        raise malformed(window, "',' or '}' after a value")


def string(window: Window) -> str:
    """Take a string.

    Raises:
        InputError: If none stands here, or it cannot be decoded.
    """
    if peek(window) != b'"':
        raise malformed(window, "a string in quotes")
    while (found := _STRING.match(window.data, window.at)) is None:
        window.need()
    raw = found[0]
    try:
        raw.decode()
        text = msgspec.json.decode(repaired(raw), type=str)
    except UnicodeDecodeError as error:
        raise not_utf8(window, window.offset + error.start) from error
    except msgspec.DecodeError as error:
        raise malformed(window, "a string without control characters") from error
    window.at = found.end()
    return text


def scalar(window: Window) -> Scalar:
    """Take a value and return it, or None where it is an array, an object or no JSON value."""
    first = peek(window)
    if first == b'"':
        return string(window)
    if first in (b"{", b"["):
        skip(window)
        return None
    token = _take_token(window)
    try:
        value = msgspec.json.decode(token)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, int | float) else None


def _take_token(window: Window) -> bytes:
    while (end := _TOKEN.match(window.data, window.at).end()) == len(window.data):  # type: ignore[union-attr]  # matches anything
        window.need()
    token = window.data[window.at : end]
    if not token:
        raise malformed(window, "a value")
    window.at = end
    return token


def skip(window: Window) -> None:
    """Pass any value, however large or deep, in constant memory."""
    first = peek(window)
    if first == b'"':
        _skip_string(window)
    elif first in (b"{", b"["):
        _skip_container(window)
    else:
        _skip_token(window)


def _skip_container(window: Window) -> None:
    depth = 0
    while True:
        found = _BRACKET_OR_QUOTE.search(window.data, window.at)
        if found is None:
            window.at = len(window.data)
            window.need()
            continue
        window.at = found.start()
        if found[0] == b'"':
            _skip_string(window)
            continue
        window.at += 1
        depth += 1 if found[0] in (b"{", b"[") else -1
        if depth == 0:
            return


def _skip_string(window: Window) -> None:
    window.at += 1
    while True:
        window.at = _STRING_REST.match(window.data, window.at).end()  # type: ignore[union-attr]  # matches anything
        if window.data[window.at : window.at + 1] == b'"':
            window.at += 1
            return
        window.need()  # a backslash at the very end stays at hand until its other half is there


def _skip_token(window: Window) -> None:
    start = window.offset
    while True:
        window.at = _TOKEN.match(window.data, window.at).end()  # type: ignore[union-attr]  # matches anything
        if window.at < len(window.data):
            break
        window.need()
    if window.offset == start:
        raise malformed(window, "a value")


def at_end(window: Window) -> bool:
    """Pass blanks and tell whether the file ends here."""
    try:
        peek(window)
    except CutOffError:
        return True
    return False
