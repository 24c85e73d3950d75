"""Card numbers (Luhn, ISO/IEC 7812-1) and IBANs (ISO 13616, modulus 97)."""

import re
from collections.abc import Iterator

from resonare_pipeline.privacy.kinds import Kind, Span, item
from resonare_pipeline.privacy.number_words import follows_number_word

_GAP = r"[ \u00a0\u2007\u2009\u202f\-‐‑–.·]"
_RUN = re.compile(rf"(?<![\w.,+])\d{{1,19}}(?!\d)(?:{_GAP}{{1,2}}\d{{1,19}}(?!\d))*")
_DIGITS = re.compile(r"\d+")
_FEWEST_DIGITS = 13
_MOST_DIGITS = 19
_FEWEST_IN_GROUP = 4  # digits of the first group
_ISSUERS = re.compile(
    # Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay, Mir, RuPay, Troy, Verve,
    # Elo and Hipercard: first digits, and how many there are.
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|(?:30[0-5]|36\d|38\d|39\d)\d{11,13}"
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}|220[0-4]\d{12,15}|(?:60|81|82|508\d|353\d)\d{12,14}"
    r"|9792\d{12}|(?:5060|5061|5078|6500)\d{12,15}|(?:4011|4389|4514|5041|6062|6363)\d{12}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}",
)
_GROUPS = re.compile(
    r"\d+|\d{4}(?:\D+\d{4}){2,3}(?:\D+\d{1,4})?|\d{4}\D+\d{6}\D+\d{4,5}|\d{4}\D+\d{4}\D+\d{5}"
    r"|\d{6}\D+\d{10,13}|\d{8}\D+\d{8}"
)

_IBAN = re.compile(
    r"(?<!\w)[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}"
    r"|(?P<gap>[ \u00a0\u2009\u202f\-])[A-Z0-9]{4}(?:(?P=gap)[A-Z0-9]{4}){1,7}"
    r"(?:(?P=gap)[A-Z0-9]{1,4})?)(?![A-Z0-9])",
    re.IGNORECASE | re.ASCII,
)
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
"""Country → characters of its IBANs, from the registry of SWIFT."""


def find_ibans(text: str) -> Iterator[Span]:
    """Yield the IBANs of a text whose length and check digits are right."""
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        end = _end_of(match[0], length) if length else None
        if end is not None and _has_right_digits(match[0][:end]):
            yield item(match.start(), match.start() + end, Kind.IBAN)


def _end_of(text: str, length: int) -> int | None:
    """Return where so many letters and digits end, or None if a word goes on there."""
    count = 0
    for at, sign in enumerate(text, 1):
        count += sign.isalnum()
        if count == length:
            return None if at < len(text) and text[at].isalnum() else at
    return None


def _has_right_digits(text: str) -> bool:
    signs = [sign for sign in text.upper() if sign.isalnum()]
    number = "".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])
    return int(number) % 97 == 1


def find_cards(text: str) -> Iterator[Span]:
    """Yield the card numbers of a text: of a known issuer, in usual groups, right by Luhn.

    An expiry date or another number may stand beside one, so each group of digits may begin it.
    """
    for run in _RUN.finditer(text):
        if len(run[0]) < _FEWEST_DIGITS:
            continue
        groups = [match.span() for match in _DIGITS.finditer(text, *run.span())]
        at = 0
        while at < len(groups):
            last = _card_from(text, groups, at)
            if last is not None:
                yield item(groups[at][0], groups[last][1], Kind.CARD)
                at = last
            at += 1


def _card_from(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Return the last group of the card number that begins with a group."""
    start, end = groups[first]
    if end - start < _FEWEST_IN_GROUP:
        return None
    count = 0
    for at in range(first, len(groups)):
        count += groups[at][1] - groups[at][0]
        if count > _MOST_DIGITS:
            return None
        if count >= _FEWEST_DIGITS and _is_card(text[start : groups[at][1]]):
            return None if follows_number_word(text, start) else at
    return None


def _is_card(text: str) -> bool:
    if not _GROUPS.fullmatch(text):
        return False
    digits = "".join(str(int(sign)) for sign in text if sign.isdecimal())
    return _ISSUERS.fullmatch(digits) is not None and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
