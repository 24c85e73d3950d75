"""What the metadata of `phonenumbers` say of a number.

The library is imported when the first number is asked for, since it takes 40 ms; the metadata of a
region, when that region is.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from resonare_pipeline.errors import SettingsError

DEFAULT_REGIONS = (
    *("US", "GB", "DE", "FR", "ES", "IT", "RU", "UA", "PL", "TR", "BR", "MX", "IN", "ID", "PH"),
    *("NG", "ZA", "EG", "PK", "IR", "JP", "KR", "CN", "VN", "TH", "NL", "BE", "CH", "AT", "SE"),
    *("NO", "DK", "FI", "PT", "GR", "CZ", "RO", "HU", "IL", "SA", "AE", "AR", "CO", "AU", "KZ"),
    *("CL", "PE", "VE", "EC", "IE", "SK", "BG", "HR", "RS", "SI", "LT", "LV", "EE", "IS", "LU"),
    *("MA", "DZ", "TN", "IQ", "JO", "LB", "KW", "QA", "BD", "LK", "NP", "MY", "SG", "HK", "TW"),
    *("KE", "GH", "TZ", "UG", "ET", "NZ", "BY", "UZ", "AZ", "GE", "AM", "MD", "CU", "DO", "GT"),
)
"""Regions whose national formats count where none are set: all with many people and phones."""

_REMEMBERED = 1 << 13  # answers; a run of digits is asked of many regions, and often again
_DIGITS = re.compile(r"\d+")


class Numbering(NamedTuple):
    """What is known of a number.

    Attributes:
        valid: Some region gives such numbers out.
        possible: Its country code is one, and its length may be.
        mobile: It may be that of a mobile phone.
        groups: Digits in each group as it is written nationally, with and without its prefix.
    """

    valid: bool
    possible: bool
    mobile: bool
    groups: frozenset[tuple[int, ...]]


NONE = Numbering(valid=False, possible=False, mobile=False, groups=frozenset())


def known_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """Return the regions as they were given.

    Raises:
        SettingsError: If one is not known.
    """
    if regions:
        from phonenumbers import SUPPORTED_REGIONS

        for region in regions:
            if region not in SUPPORTED_REGIONS:
                raise SettingsError(
                    f"{region!r} is no region that gives out phone numbers",
                    where="privacy.regions",
                    expected="ISO 3166 codes such as DE or US",
                )
    return tuple(regions)


def international(digits: str) -> Numbering:
    """Return what is known of a number that begins with its country code."""
    return _look_up(f"+{digits}", None)


def national(digits: str, region: str) -> Numbering:
    """Return what is known of a number as it is dialled in a region."""
    return _look_up(digits, region)


@lru_cache(maxsize=_REMEMBERED)
def _look_up(number: str, region: str | None) -> Numbering:
    import phonenumbers as library

    try:
        parsed = library.parse(number, region)
    except library.NumberParseException:
        return NONE
    valid = library.is_valid_number(parsed)
    if not valid:
        return NONE._replace(possible=library.is_possible_number(parsed))
    kinds = (library.PhoneNumberType.MOBILE, library.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    written = library.format_number(parsed, library.PhoneNumberFormat.NATIONAL)
    abroad = library.format_number(parsed, library.PhoneNumberFormat.INTERNATIONAL)
    with_prefix = tuple(len(group) for group in _DIGITS.findall(written))
    without = tuple(len(group) for group in _DIGITS.findall(abroad))[1:]
    return Numbering(
        valid=True,
        possible=True,
        mobile=library.number_type(parsed) in kinds,
        groups=frozenset({with_prefix, without}),
    )
