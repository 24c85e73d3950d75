r"""Cutting an array of many objects into runs of whole elements, without decoding them.

Two ways. A *guess* is one search for bytes that very probably end or begin an element: a newline
never stands raw inside a JSON string, so in pretty-printed input `\n<indent of an element>}` ends
one; in compact input an element begins with the same bytes as the first, `{"id":`. A guess is
right if what it cuts decodes as a list, for a wrong cut leaves brackets open or closes one too
many. If it does not, brackets are counted outside of strings, which is exact and slower.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from resonare_pipeline.chats.telegram.cursor import malformed
from resonare_pipeline.chats.telegram.window import Window
from resonare_pipeline.errors import InputError

T = TypeVar("T")

FIRST_BYTES = 1 << 15  # most chats are short, and what lies behind their end is looked at in vain
PATIENCE_BYTES = 8 << 20  # a line-structured element that seems longer has a quote too many
LONGEST_ELEMENT_BYTES = 128 << 20  # bounds the memory that one broken message can take

_SEPARATORS = re.compile(rb"[ \t\r\n,]*")
_INDENTED = re.compile(rb"\n([ \t]*)\Z")
_HEAD = re.compile(rb'\{\s*"[^"\\]*"\s*:')
_QUOTE, _COMMA, _CLOSING = ord('"'), ord(","), ord("]")

_DEPTH_CHANGE = np.zeros(256, np.int8)
_DEPTH_CHANGE[list(b"{[")] = 1
_DEPTH_CHANGE[list(b"}]")] = -1
_IS_MARK = _DEPTH_CHANGE != 0
_IS_MARK[_COMMA] = True


@dataclass(frozen=True, slots=True)
class Style:
    """How the elements of one array are written; None where it is not that way.

    Attributes:
        element_end: Newline, indent and brace that end an element.
        array_end: Newline, indent and bracket that end the array.
        head: Brace and first key that begin an element.
    """

    element_end: bytes | None = None
    array_end: bytes | None = None
    head: bytes | None = None


def _style(window: Window, before: bytes, line_indent: bytes | None) -> Style:
    head = _HEAD.match(window.data, window.at)
    indented = _INDENTED.search(before)
    array_end = element_end = None
    if indented:
        element_end = b"\n" + indented[1] + b"}"
        if line_indent is not None and len(line_indent) < len(indented[1]):
            array_end = b"\n" + line_indent + b"]"
    return Style(element_end=element_end, array_end=array_end, head=head[0] if head else None)


def _line_indent(window: Window) -> bytes | None:
    line = window.data.rfind(b"\n", 0, window.at) + 1
    if not line:
        return None
    start = window.data[line : window.at]
    return start[: len(start) - len(start.lstrip(b" \t"))]


def _guess(window: Window, style: Style, limit: int) -> int:
    """Return where a run of whole elements probably ends; `at` or less if there is no telling."""
    data, at = window.data, window.at
    end = min(len(data), at + limit)
    if style.element_end is not None:
        if style.array_end is not None:
            closing = data.find(style.array_end, at, end)
            end = end if closing < 0 else closing
        found = data.rfind(style.element_end, at, end)
        if found >= 0:
            return found + len(style.element_end)
    if style.head is not None:
        return data.rfind(style.head, at + 1, end)
    return -1


def _marks(data: bytes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Return the places of brackets and commas outside strings, and the depth after each."""
    neutral = data.replace(rb"\\", b"__").replace(rb"\"", b"__")
    codes = np.frombuffer(neutral, np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    places = np.flatnonzero(_IS_MARK[codes])
    places = places[np.searchsorted(quotes, places) % 2 == 0]
    return places, np.cumsum(_DEPTH_CHANGE[codes[places]], dtype=np.int64)


def _scan(data: bytes) -> tuple[int, int]:
    """Return where the last whole object or array ends, and where the array around them does.

    Each is -1 where there is none in `data`; of the latter, the place of the bracket.
    """
    places, depths = _marks(data)
    below = np.flatnonzero(depths < 0)
    closing = int(places[below[0]]) if below.size else -1
    if below.size:
        places, depths = places[: below[0]], depths[: below[0]]
    codes = np.frombuffer(data, np.uint8)[places]
    ends = places[(depths == 0) & (codes != _COMMA)]
    return (int(ends[-1]) + 1 if ends.size else -1), closing


def split(body: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a run with their offsets in it, parted at its outermost commas."""
    places, depths = _marks(body)
    codes = np.frombuffer(body, np.uint8)[places]
    cuts = [-1, *places[(depths == 0) & (codes == _COMMA)].tolist(), len(body)]
    pieces = [(low + 1, body[low + 1 : high]) for low, high in pairwise(cuts)]
    return [(offset, piece) for offset, piece in pieces if piece.strip()]


def runs(
    window: Window,
    whole: Callable[[bytes], T | None],
    piecewise: Callable[[bytes, int], T],
) -> Iterator[T]:
    """Yield what is made of the elements of the array whose bracket was just taken.

    Args:
        window: Stands behind `[`, and behind `]` afterwards.
        whole: Decodes a run of elements (without brackets), or returns None if it cannot.
        piecewise: Does the same for a run whose borders are sure, element by element; it is
            also given the run's place in the file.

    Raises:
        CutOffError: At the end of the file, after all whole elements were given out.
        InputError: If the array is broken so that its elements cannot be told apart.
    """
    line_indent = _line_indent(window)
    before = _pass_separators(window)
    style: Style | None = None
    limit = FIRST_BYTES
    while window.data[window.at] != _CLOSING:
        if style is None or style.head is None:  # the first look may have ended within the key
            style = _style(window, before, line_indent)
        cut = _guess(window, style, limit)
        if (
            cut <= window.at
            and len(window.data) - window.at < window.window_bytes
            and window.more()
        ):
            continue
        made = None
        if cut > window.at:
            made = whole(window.data[window.at : cut].rstrip(b", \t\r\n"))
        if made is not None:
            yield made
            window.at = cut
            limit = min(limit * 2, window.window_bytes)
        else:
            limit = FIRST_BYTES
            yield from _exact(window, whole, piecewise, style)
        _pass_separators(window)
    window.at += 1


def _pass_separators(window: Window) -> bytes:
    """Pass blanks and commas, read on if needed, and return the last of what was passed."""
    passed = b""
    while True:
        end = _SEPARATORS.match(window.data, window.at).end()  # type: ignore[union-attr]  # matches anything
        passed = (passed + window.data[window.at : end])[-1024:]
        window.at = end
        if end < len(window.data):
            return passed
        window.need()


def _exact(
    window: Window,
    whole: Callable[[bytes], T | None],
    piecewise: Callable[[bytes, int], T],
    style: Style,
) -> Iterator[T]:
    """Yield the next whole elements, reading on until there are some or the array ends."""
    limit = min(FIRST_BYTES, window.window_bytes)
    while True:
        region = window.data[window.at : window.at + limit]
        end, closing = _scan(region)
        if closing >= 0 and region[closing] != _CLOSING:
            window.at += closing
            raise malformed(window, "']' at the end of the messages")
        if closing >= 0 or end > 0:
            break
        if len(region) < limit:
            if (resynced := _line_end(window, style)) > 0:
                end = resynced
                break
            window.need()
        limit *= 2
    body = window.data[window.at : window.at + (closing if closing >= 0 else end)].rstrip()
    if body:
        made = whole(body)
        yield piecewise(body, window.offset) if made is None else made
    window.at += closing if closing >= 0 else end


def _line_end(window: Window, style: Style) -> int:
    """Return the length of an element that never ends but for its line structure, or -1.

    Raises:
        InputError: If an element is longer than anything that Telegram exports.
    """
    length = len(window.data) - window.at
    if length > LONGEST_ELEMENT_BYTES:
        raise InputError(
            f"a message that does not end within {LONGEST_ELEMENT_BYTES >> 20} MiB",
            where=window.where(),
            expected="messages of at most some kilobytes",
            remedy="A quote or bracket is probably missing there; export the chat again",
        )
    if style.element_end is None or length < PATIENCE_BYTES:
        return -1
    found = window.data.find(style.element_end, window.at)
    return -1 if found < 0 else found - window.at + len(style.element_end)
