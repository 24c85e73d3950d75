"""A canvas for plain charts: text, bars and lines, as PNG with the same bytes everywhere.

Lengths are in points of a page 800 wide, drawn at twice that density. Only Pillow and the font that
comes with the project are used: a plotting library takes a second to import, and looks for fonts
and settings on the machine. What may not live here: what a chart shows.
"""

import io
import unicodedata
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from resonare_pipeline.plotting.font import font_bytes

DENSITY = 2  # pixels a point
DOTS_PER_INCH = 72 * DENSITY

PAPER = "#ffffff"  # opaque, so that a plot reads the same on a dark page
INK = "#24292f"
FAINT_INK = "#656d76"
RULE = "#d8dee4"

_NO_CHARACTER = "\U0010ffff"  # is never assigned, so every font draws its empty box
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))


class Canvas:
    """A white page that is drawn on; the origin is its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._image = Image.new("RGB", (_pixels(width), _pixels(height)), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def bar(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Fill a rectangle; what is thinner than a pixel is drawn as one."""
        x, y = _pixels(left), _pixels(top)
        # Pillow's corners both lie inside.
        corner = (max(x, _pixels(right) - 1), max(y, _pixels(bottom) - 1))
        self._draw.rectangle(((x, y), corner), fill=colour)

    def text(
        self, x: float, y: float, text: str, *, size: int = 11, colour: str = INK, anchor: str
    ) -> None:
        """Write one line.

        Args:
            anchor: Two letters: l, m or r across, and a, m, s or d along (ascender, middle,
                baseline, descender), as in Pillow.
        """
        at = (_pixels(x), _pixels(y))
        self._draw.text(at, text, font=_font(size), fill=colour, anchor=anchor)

    def png(self) -> bytes:
        """Return the page as PNG, without dates or names of programs."""
        stream = io.BytesIO()
        # Charts have few colours: a palette of 64 halves the size, and nobody sees it.
        image = self._image.quantize(64, dither=Image.Dither.NONE)
        image.save(stream, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), compress_level=9)
        return stream.getvalue()


def _pixels(points: float) -> int:
    return round(points * DENSITY)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The basic layout needs no shaping library, which some machines have and some do not.
    layout = ImageFont.Layout.BASIC
    return ImageFont.truetype(io.BytesIO(font_bytes()), size * DENSITY, layout_engine=layout)


def text_width(text: str, size: int = 11) -> float:
    """Return how wide a line is, in points."""
    return _font(size).getlength(text) / DENSITY


def can_write(letter: str) -> bool:
    """Tell whether a character is drawn as it should be.

    The font must have it, and it must not be of a script that is written from right to left, whose
    letters would stand in the wrong order.
    """
    if unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT:
        return False
    return bytes(_font(11).getmask(letter)) != _empty_box()


@cache
def _empty_box() -> bytes:
    return bytes(_font(11).getmask(_NO_CHARACTER))


def fitted(text: str, width: float, size: int = 11) -> str:
    """Return a text cut so that it is no wider than so many points."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
