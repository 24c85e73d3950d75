"""Where elements of an array probably end, and where they surely do: looks at bytes, moves nothing.

A guess goes by how the first element is written; counting brackets is exact and slower. What may
not live here: what is done where a guess was wrong.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonare_pipeline.chats.telegram.window import Window

_INDENTED = re.compile(rb"\n([ \t]*)\Z")
_HEAD = re.compile(rb'\{\s*"[^"\\]*"\s*:')
_QUOTE, _COMMA, CLOSING = ord('"'), ord(","), ord("]")

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


def style_of(window: Window, before: bytes, line_indent: bytes | None) -> Style:
    """Return how the elements of an array are written.

    Args:
        window: Stands at the first element.
        before: What stands before that, from the array's bracket on.
        line_indent: Of the line in which the array begins, if it is known.
    """
    head = _HEAD.match(window.data, window.at)
    indented = _INDENTED.search(before)
    array_end = element_end = None
    if indented:
        element_end = b"\n" + indented[1] + b"}"
        if line_indent is not None and len(line_indent) < len(indented[1]):
            array_end = b"\n" + line_indent + b"]"
    return Style(element_end=element_end, array_end=array_end, head=head[0] if head else None)


def line_indent(window: Window) -> bytes | None:
    """Return the blanks that the line at hand begins with; None if its beginning is gone."""
    line = window.data.rfind(b"\n", 0, window.at) + 1
    if not line:
        return None
    start = window.data[line : window.at]
    return start[: len(start) - len(start.lstrip(b" \t"))]


def guess(window: Window, style: Style, limit: int) -> int:
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


def scan(data: bytes) -> tuple[int, int]:
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
