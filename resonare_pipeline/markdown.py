"""Pages of Markdown for people: sections, tables, small bars, and names that are only text.

Names come from strangers: each is put on one line, shortened, and escaped, so that it can neither
break a table nor be taken for markup. Nothing is counted here.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_NAME = 60  # characters
BAR_WIDTH = 20  # characters
NOTHING = "–"

# An underscore within a word and an ampersand that begins no entity are harmless, and stay legible.
_MARKUP = re.compile(r"([\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
_BIDI_CONTROLS = frozenset(  # embeddings, overrides, isolates and marks
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
_EIGHTHS = " ▏▎▍▌▋▊▉"

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def cell(name: str | None) -> str:
    """Return a name so that it is only text in a table's cell.

    Line ends and other control characters become spaces, marks that turn the direction of writing
    are left out, and what means something in Markdown or HTML is escaped.
    """
    if name is None:
        return NOTHING
    plain = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
        for letter in name
        if letter not in _BIDI_CONTROLS
    )
    plain = " ".join(plain.split())
    if len(plain) > LONGEST_NAME:
        plain = plain[: LONGEST_NAME - 1].rstrip() + "…"
    return _MARKUP.sub(r"\\\1", plain) or NOTHING


def duration(seconds: float | None) -> str:
    """Return seconds in their two largest units, as in `2 h 5 min`."""
    if seconds is None:
        return NOTHING
    rest = round(seconds)
    for index, (size, unit) in enumerate(_UNITS):
        if rest >= size and size > 1:
            next_size, next_unit = _UNITS[index + 1]
            lesser = rest % size // next_size
            return f"{rest // size} {unit}" + (f" {lesser} {next_unit}" if lesser else "")
    return f"{rest} s"


def bar(value: int, greatest: int) -> str:
    """Return a bar in eighths of a character; any value over zero can be seen."""
    if not value:
        return ""
    eighths = max(1, round(value / greatest * BAR_WIDTH * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def section(title: str, body: str, *, plot: str = "") -> str:
    """Return a section; its plot, a file beside the page, stands before its tables."""
    image = f"![{title}]({plot})\n\n" if plot else ""
    return f"## {title}\n\n{image}{body}"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: Iterable[int] = (0,)
) -> str:
    """Return a table whose columns are aligned right, but for those in `left`."""
    rules = ["---" if index in set(left) else "--:" for index in range(len(heads))]
    lines = ["| " + " | ".join(row) + " |" for row in (heads, rules, *rows)]
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Return a number with its thousands parted; one that is no whole number to one place."""
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def percent(value: float | None) -> str:
    """Return a part of 1 in percent, to one place."""
    return NOTHING if value is None else f"{value:.1%}"
