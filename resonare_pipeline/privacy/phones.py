"""Phone numbers: where they stand in a text, and which runs of digits are none.

Digits alone say little: a valid number of some region may be an order, an amount or an id. So

- an international number (with +, 00 or `tel:`) counts anywhere,
- a national one if it is valid in one of the regions, and its form or a word beside it says so.

What is valid where is asked of `numbering`; words are those of `number_words`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from resonare_pipeline.privacy.kinds import Kind, Span, item
from resonare_pipeline.privacy.number_words import PHONE, is_amount, is_order, is_phone
from resonare_pipeline.privacy.numbering import (
    DEFAULT_REGIONS,
    Numbering,
    international,
    known_regions,
    national,
)
from resonare_pipeline.privacy.spans import MASK

FEWEST_DIGITS = 7  # in a run that is looked at; fewer are house numbers, codes, years
FEWEST_NATIONAL = 8  # digits of a national number that neither words nor its groups call one
FEWEST_TRIED = 9  # the same where the region is not set, since some region takes most numbers
FEWEST_ALONE = 10  # digits of a message that is nothing but the number of a mobile phone
FEWEST_INTERNATIONAL = 8
FEWEST_WITHOUT_PLUS = 10  # digits of an international number that is written without any prefix
TRUNK_8_DIGITS = 11  # of Russian and Kazakh numbers with their leading 8
MOST_DIGITS = 15  # ITU-T E.164
MOST_ALONE = 40  # characters of such a message, with the white space around it
MOST_BESIDE = 4  # digits of a house number, a year or an hour
MOST_WINDOWS = 24  # parts of one run that are tried
FEWEST_IN_GROUP = 1.5  # digits, on average; less are the numbers of a lottery

_GAP = (
    r"[ \u00a0\u00ad\u061c\u180e\u2000-\u200f\u202a-\u202f\u205f-\u2069\u3000\ufeff"
    r"()（）\[\]\-‐‑‒–—−ー－./·~⁓∼～]"
)
_RUN = re.compile(
    rf"(?<![A-Za-z_\u00c0-\u052f\d])[+＋]?(?:[(（\[]{_GAP}?[+＋]?)?\d(?!\d{{20}})"
    rf"(?:{_GAP}{{0,4}}\d){{6,40}}(?!\d)"
)
_DIGITS = re.compile(r"\d+")
_WIDE_GAP = re.compile(r"[ \u00a0]*/[ \u00a0]*|[ \u00a0](?:[\-–—][ \u00a0]|[ \u00a0]+|\()")
_NO_NUMBER = re.compile(
    # Dates with a year of four digits, or with a time of day behind; times; decimals. A zero before
    # more digits begins none of these: 030.1234567 is a number in Berlin.
    r"(?<!\d)(?:(?:[0-2]?\d|3[01])([./\- ])(?:0?\d|1[0-2])\1(?:19|20)\d\d"
    r"|(?:0?\d|1[0-2])/(?:[0-2]?\d|3[01])/(?:19|20)\d\d"
    r"|(?:19|20)\d\d([./\- ])(?:0?\d|1[0-2])\2(?:[0-2]?\d|3[01])"
    r"|(?:[0-2]?\d|3[01])\.(?:0?\d|1[0-2])\.\d\d[ ,]{1,2}[0-2]?\d[.:][0-5]\d"
    r"|[0-2]?\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"
    r"|(?<!\d[.,])(?:0|[1-9]\d{0,2})\.\d{4,18}(?![.\-]\d))(?!\d)"
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[.'’]\d{3}){2,4}")
_VERSION_BEFORE = re.compile(r"(?<![^\W\d_])(?:v|версия|version)[ .:]?$", re.IGNORECASE)
_AREA_IN_BRACKETS = re.compile(r"[(（\[][0-9]{1,5}[)）\]]")
_AMERICAN = re.compile(r"\d{3}([.\-])\d{3}\1\d{4}")
_LONE_ZERO = re.compile(r"0[^\d(]")
_LONE_ZERO_DIGITS = 11  # of Turkish numbers; ISBNs that begin so have ten
_DOTTED_PARTS = re.compile(
    r"\d+(?:\.\d+)*\.\d(?:\.\d+)*"
)  # versions: no group of a number is so short
_EXTENSION = re.compile(
    r"(?:[ \u00a0,]{0,2}(?:(?:ext|extn|extension|доб|durchwahl|poste|anexo|ramal|wew|#)\.?"
    r"|x(?=\d))[ \u00a0.:]?\d{1,6}|;(?:ext|isub)=\d{1,7}|;phone-context=[+\w.\-]{1,40})+(?!\d)",
    re.IGNORECASE,
)
_URI_BEFORE = re.compile(r"(?:tel|sms|callto|whatsapp|facetime):(?://)?$", re.IGNORECASE)
_URI_LENGTH = 12
_BOOK_NUMBER = re.compile("97[89]")
_BOOK_NUMBER_DIGITS = 13


class _Run(NamedTuple):
    """A run of digits, and the signs that phone numbers hold.

    Attributes:
        said: Whether a word beside it says phone.
        ordered: Whether a word before it says order, invoice or the like.
    """

    text: str
    start: int
    end: int
    said: bool
    ordered: bool


class _Window(NamedTuple):
    """A part of a run, from the first digit of one group to the last of another.

    Attributes:
        raw: How it is written.
        digits: As ASCII.
        whole: Whether nothing of the run stands beside it, but for a wide gap.
        apart: Whether what does is short, or looks like a number of its own.
    """

    run: _Run
    start: int
    end: int
    raw: str
    digits: str
    whole: bool
    apart: bool

    @property
    def grouped(self) -> bool:
        """Whether anything stands between its digits."""
        return not self.raw.isdecimal()

    @property
    def is_amount(self) -> bool:
        """Whether a currency or unit stands beside it."""
        return is_amount(self.run.text, self.start, self.end)


class PhoneFinder:
    """Finds phone numbers: international ones, and national ones of some regions."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = known_regions(regions) or DEFAULT_REGIONS
        self._own = bool(regions)

    def find(self, text: str) -> Iterator[Span]:
        """Yield the phone numbers of a text in which other kinds are masked."""
        if not _RUN.search(text):
            return
        text = _NO_NUMBER.sub(_masked, text)
        for match in _RUN.finditer(text):
            taken: list[tuple[int, int]] = []
            for window in _windows(text, match.start(), match.end()):
                if any(window.start < end and start < window.end for start, end in taken):
                    continue
                if self._is_phone(window):
                    end = _extended(text, window.end)
                    taken.append((window.start, end))
                    yield item(window.start, end, Kind.PHONE)

    def _is_phone(self, window: _Window) -> bool:
        if not _ends_well(window):
            return False
        if window.raw.startswith(("+", "＋", "(+", "（+", "[+")):
            return _is_international(window)
        if window.digits.startswith("00") and international(window.digits[2:]).valid:
            return True
        before = max(0, window.start - _URI_LENGTH)
        if _URI_BEFORE.search(window.run.text, before, window.start):
            return True
        return self._is_national(window)

    def _is_national(self, window: _Window) -> bool:
        said = window.run.said
        if not (said or self._may_be_dialled(window)) or _is_no_phone(window):
            return False
        if said and _lacks_only_plus(window.digits):
            return True
        return any(
            numbering.valid and (said or self._is_evident(window, numbering))
            for numbering in (national(window.digits, region) for region in self._regions)
        )

    def _may_be_dialled(self, window: _Window) -> bool:
        """Tell whether a number that no word calls one is worth looking up."""
        return (window.apart and _looks_dialled(window)) or (self._own and window.whole)

    def _is_evident(self, window: _Window, numbering: Numbering) -> bool:
        """Tell whether a valid national number looks like one, since no word says so."""
        count = len(window.digits)
        if self._own and window.whole and _groups(window.raw) in numbering.groups - {(count,)}:
            return True
        if count < (FEWEST_NATIONAL if self._own else FEWEST_TRIED):
            return False
        if window.grouped and (_has_area(window.raw) or _AMERICAN.fullmatch(window.raw)):
            return True
        if _has_trunk_prefix(window.digits):
            return not _has_lone_zero(window) and (window.grouped or numbering.mobile or self._own)
        alone = self._own and _is_alone(window)
        return alone and numbering.mobile and count >= FEWEST_ALONE


def _masked(match: re.Match[str]) -> str:
    return MASK * len(match[0])


def _windows(text: str, start: int, end: int) -> list[_Window]:
    """Return the parts of a run that may be numbers, the likeliest first.

    A year, a house number or a second phone number may stand beside one.
    """
    groups = [match.span() for match in _DIGITS.finditer(text, start, end)]
    if sum(last - first for first, last in groups) < FEWEST_IN_GROUP * len(groups):
        return []
    borders = {0, len(groups)}
    for at in range(1, len(groups)):
        if _WIDE_GAP.fullmatch(text, groups[at - 1][1], groups[at][0]):
            borders.add(at)
    run = _Run(text, start, end, is_phone(text, start, end), _is_ordered(text, start))
    found = [
        _window(run, groups, first, last, borders)
        for first in range(len(groups))
        for last in _lasts(groups, first)
    ]
    found.sort(key=lambda window: (not window.whole, -len(window.digits)))
    return found[:MOST_WINDOWS]


def _is_ordered(text: str, start: int) -> bool:
    return text.endswith(("#", "№"), 0, start) or is_order(text, start, (PHONE,))


def _lasts(groups: list[tuple[int, int]], first: int) -> Iterator[int]:
    """Yield the groups that a number may end with which begins with one."""
    count = 0
    for last in range(first, len(groups)):
        count += groups[last][1] - groups[last][0]
        if count > MOST_DIGITS + 2:  # an international prefix of two digits
            return
        if count >= FEWEST_DIGITS:
            yield last


def _window(
    run: _Run, groups: list[tuple[int, int]], first: int, last: int, borders: set[int]
) -> _Window:
    bound = groups[first - 1][1] if first else run.start
    start, end = _opening(run.text, bound, groups[first][0]), groups[last][1]
    raw = run.text[start:end]
    digits = "".join(str(int(sign)) for sign in raw if sign.isdecimal())
    left, right = max(at for at in borders if at <= first), min(at for at in borders if at > last)
    before, behind = (
        "".join(run.text[a:b] for a, b in part)
        for part in (groups[left:first], groups[last + 1 : right])
    )
    return _Window(
        run,
        start,
        end,
        raw,
        digits,
        whole=not before and not behind,
        apart=_may_stand_beside(before) and _may_stand_beside(behind),
    )


def _may_stand_beside(digits: str) -> bool:
    return len(digits) <= MOST_BESIDE or _has_trunk_prefix(digits[:TRUNK_8_DIGITS])


def _opening(text: str, start: int, first: int) -> int:
    """Return where a number begins whose first digit is known: at its plus or open bracket."""
    at = first
    while at > start and text[at - 1] in "+＋(（[":
        at -= 1
    return at


def _ends_well(window: _Window) -> bool:
    """Tell whether no word is stuck to the end of a number, as to that of a code."""
    after = window.run.text[window.end : window.end + 1]
    if not (after.isascii() and (after.isalpha() or after == "_")):
        return True
    return bool(_EXTENSION.match(window.run.text, window.end))


def _is_international(window: _Window) -> bool:
    numbering = international(window.digits)
    if numbering.valid:
        return True
    if not (numbering.possible and window.whole) or window.is_amount:
        return False
    grouped = not window.raw[1:].isdecimal()
    return len(window.digits) >= (FEWEST_INTERNATIONAL if grouped else FEWEST_WITHOUT_PLUS)


def _is_no_phone(window: _Window) -> bool:
    """Tell whether a run is an amount, a version, a book's number, or said to be an order."""
    raw = window.raw
    return bool(
        window.run.ordered
        or len(window.digits) > MOST_DIGITS
        or _THOUSANDS.fullmatch(raw)
        or _DOTTED_PARTS.fullmatch(raw)
        or (len(window.digits) == _BOOK_NUMBER_DIGITS and _BOOK_NUMBER.match(window.digits))
        or window.is_amount
        or _VERSION_BEFORE.search(window.run.text, max(0, window.start - 10), window.start)
    )


def _is_alone(window: _Window) -> bool:
    """Tell whether a message is nothing but a number."""
    text = window.run.text
    return len(text) < MOST_ALONE and text.strip() == window.raw


def _lacks_only_plus(digits: str) -> bool:
    return len(digits) >= FEWEST_WITHOUT_PLUS and international(digits).valid


def _has_trunk_prefix(digits: str) -> bool:
    if digits.startswith("0"):
        return not digits.startswith("00")
    return digits.startswith(("87", "88", "89")) and len(digits) == TRUNK_8_DIGITS


def _looks_dialled(window: _Window) -> bool:
    """Tell whether a number has a form that few other numbers have, in any region."""
    return (
        _has_trunk_prefix(window.digits)
        or _has_area(window.raw)
        or bool(_AMERICAN.fullmatch(window.raw))
    )


def _has_lone_zero(window: _Window) -> bool:
    """Tell whether a number begins with a zero by itself, as book numbers and versions may."""
    if not _LONE_ZERO.match(window.raw):
        return False
    return window.raw[1] not in " \u00a0" or len(window.digits) < _LONE_ZERO_DIGITS


def _has_area(raw: str) -> bool:
    return bool(_AREA_IN_BRACKETS.search(raw))


def _groups(raw: str) -> tuple[int, ...]:
    return tuple(len(group) for group in _DIGITS.findall(raw))


def _extended(text: str, end: int) -> int:
    match = _EXTENSION.match(text, end)
    return match.end() if match else end
