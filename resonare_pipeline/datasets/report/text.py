"""Words and numbers as the page shows them. Texts come from strangers: all of them pass `shown`."""

import datetime as dt
import re
import shlex

from markupsafe import Markup, escape

NOTHING = "–"
NO_BREAK = "\N{NO-BREAK SPACE}"

# C0 and C1 but tab and line feed; what embeds, overrides or isolates a direction of writing.
# Marks without width that scripts and emoji need (joiners, LRM, RLM) are let through.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_UNSEEN_IN_MARKUP = Markup('<span class="unseen">U+{:04X}</span>')
_MONTHS = "January February March April May June July August September October November December"
MONTHS = tuple(_MONTHS.split())
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def shown(text: object) -> Markup:
    """Return a text as markup that shows nothing else than this text.

    Control characters, which a browser would swallow or obey, are shown as their code points.
    """
    parts: list[Markup] = []
    end = 0
    plain = str(text)
    for found in _UNSEEN.finditer(plain):
        parts.append(escape(plain[end : found.start()]))
        parts.append(_UNSEEN_IN_MARKUP.format(ord(found[0])))
        end = found.end()
    return Markup().join([*parts, escape(plain[end:])])


def visible(text: str) -> str:
    """Return a text for a place where no markup can stand, with a sign for each such character."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def name(text: object) -> Markup:
    """Return a name for use within a line: its direction of writing disturbs nothing around it."""
    return Markup("<bdi>{}</bdi>").format(shown(text))


def number(value: float | None) -> str:
    """Return a number with separators, and with two places at the most."""
    if value is None:
        return NOTHING
    whole, _, places = f"{value:,.2f}".partition(".")
    return f"{whole}.{places}".rstrip("0").rstrip(".")


def signed(value: float) -> str:
    """Return a change with its sign; a real minus, as wide as the plus."""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{number(abs(value))}"


def short(value: float) -> str:
    """Return a number in at most four characters and a unit, as on axes: 950, 1.2 k, 34 M."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.3g}{NO_BREAK}{unit}"
    return f"{value:.3g}"


def percent(part: float, whole: float) -> str:
    """Return a share with a place where it is small; `<0.1 %` for what is nearly nothing."""
    if not whole:
        return NOTHING
    share = 100 * part / whole
    if 0 < share < 0.1:
        return f"<0.1{NO_BREAK}%"
    shown_share = f"{share:.0f}" if share in (0, 100) else f"{min(share, 99.9):.1f}"
    return f"{shown_share}{NO_BREAK}%"


def about(part: float, whole: float) -> str:
    """Return a share as in a sentence, in whole percents where there is one at least."""
    if part < 0.01 * whole:
        return percent(part, whole)
    return f"{100 * part / whole:.0f}{NO_BREAK}%"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def month(number_since_1970: int) -> str:
    """Return a month as on an axis: `2024-03`."""
    return f"{1970 + number_since_1970 // 12}-{number_since_1970 % 12 + 1:02d}"


def month_in_words(number_since_1970: int) -> str:
    """Return a month as in a sentence: `March 2024`."""
    return f"{MONTHS[number_since_1970 % 12]} {1970 + number_since_1970 // 12}"


def day(microseconds: int | None) -> str:
    """Return the day (UTC) of a time in µs since 1970; empty if it is unknown."""
    if microseconds is None:
        return ""
    return (_EPOCH + dt.timedelta(microseconds=microseconds)).date().isoformat()


def trace_command(example_id: str) -> str:
    """Return the command that tells where an example came from."""
    return f"resonare trace {shlex.quote(example_id)}"
