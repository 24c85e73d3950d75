"""Plants items in sentences, and makes clean material, to measure redaction with.

Nothing here knows the detectors: phone numbers are examples from the metadata of `phonenumbers`, as
it writes them, and as people change them; other items are made by their own standards; sentences
are written by hand, in `tests/data/privacy`. No number belongs to a person but by chance. The same
seed gives the same items.
"""

import json
import random
import re
import string
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers

DATA = Path(__file__).parents[1] / "data" / "privacy"

LANGUAGES = {
    "en": "US GB IE CA AU NZ ZA NG KE SG PH IS HU RO HR RS PK BD LK EE LT LV",
    "de": "DE AT CH",
    "fr": "FR BE LU MA",
    "es": "ES MX AR CO CL PE",
    "pt": "PT BR",
    "it": "IT",
    "nl": "NL",
    "sv": "SE NO DK FI",
    "pl": "PL",
    "cs": "CZ SK",
    "ru": "RU BY KZ BG",
    "uk": "UA",
    "tr": "TR",
    "el": "GR",
    "ar": "EG SA AE",
    "he": "IL",
    "fa": "IR",
    "hi": "IN",
    "zh": "CN TW HK",
    "ja": "JP",
    "ko": "KR",
    "vi": "VN",
    "th": "TH",
    "id": "ID MY",
}
REGIONS = {
    region: language for language, regions in LANGUAGES.items() for region in regions.split()
}
"""More than sixty regions, and the language of the sentences that their numbers stand in."""

FORMATS = {
    "national": phonenumbers.PhoneNumberFormat.NATIONAL,
    "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    "E.164": phonenumbers.PhoneNumberFormat.E164,
    "RFC 3966": phonenumbers.PhoneNumberFormat.RFC3966,
}
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789+", "０１２３４５６７８９＋")


def _typed(number: phonenumbers.PhoneNumber) -> Iterator[tuple[str, str]]:
    """Yield how programs and people write a number: by format, and with other signs in it."""
    for form, code in FORMATS.items():
        yield form, phonenumbers.format_number(number, code)
    abroad = phonenumbers.format_number(number, FORMATS["international"])
    yield "international, no-break spaces", abroad.replace(" ", "\u00a0")
    yield "international, narrow spaces", abroad.replace(" ", "\u202f")
    yield "international, dots", abroad.replace(" ", ".").replace("-", ".")
    yield "international, hyphens", abroad.replace(" ", "-")
    yield "international, direction marks", f"\u202a{abroad}\u202c"
    yield "international, zero-width", abroad.replace(" ", " \u200b")
    yield "international, full-width", abroad.translate(FULL_WIDTH)
    yield "international, Arabic digits", abroad.translate(ARABIC_DIGITS)
    yield "international, 00", "00" + abroad.removeprefix("+")
    yield "international, in brackets", f"({abroad})"


TYPES = (
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
)
VARIANTS = 2  # numbers of one type and region, which differ in their last four digits


class Planted(NamedTuple):
    """A text that holds one item.

    Attributes:
        group: The region or language by which it is counted.
        form: How the item is written.
        region: Whose national numbers must be known for it, or empty.
    """

    kind: str
    group: str
    form: str
    text: str
    item: str
    region: str = ""


@cache
def _data(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def planted_phones(seed: int = 1) -> Iterator[Planted]:
    """Yield numbers of every region, type and format, in every sentence of the region's "
    "language."""
    rng = random.Random(seed)  # noqa: S311  # test data has to be repeatable, not secret
    for region, language in REGIONS.items():
        numbers = [number for kind in TYPES for number in _numbers(region, kind, rng)]
        for number in numbers:
            for form, written in _typed(number):
                for context in _data("planted_contexts")[language]["phone"]:
                    text = context.replace("{}", written)
                    yield Planted("phone", region, form, text, written, region)


def _numbers(region: str, kind: int, rng: random.Random) -> Iterator[phonenumbers.PhoneNumber]:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    yield example
    found, code = 1, example.country_code
    for _ in range(200):
        digits = phonenumbers.national_significant_number(example)[:-4] + _digits(rng, 4)
        number = phonenumbers.parse(f"+{code}{digits}")
        if phonenumbers.is_valid_number(number) and found < VARIANTS:
            found += 1
            yield number


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _check_digit(digits: str) -> str:
    """Return the digit that makes a number right by Luhn (ISO/IEC 7812-1, annex B)."""
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10))
        for place, digit in enumerate(reversed(digits))
    )
    return str(-total % 10)


def _cards(rng: random.Random) -> Iterator[tuple[str, str]]:
    issuers = {"4": 16, "51": 16, "5555": 16, "2223": 16, "34": 15, "37": 15, "6011": 16}
    issuers |= {"36": 14, "3530": 16, "6212": 16, "2200": 16, "2202": 16, "65": 16, "644": 16}
    for prefix, length in issuers.items():
        body = prefix + _digits(rng, length - len(prefix) - 1)
        number = body + _check_digit(body)
        cuts = (4, 10) if length < 16 else (4, 8, 12)
        parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, length), strict=True)]
        yield from ((gap or "together", gap.join(parts)) for gap in ("", " ", "-", "\u00a0"))


_IBAN_FORMS = """
DE n18 FR n10c11n2 GB a4n14 ES n20 IT a1n10c12 NL a4n10 PL n24 CH n5c12 AT n16 BE n12 SE n20 NO n11
DK n14 FI n14 IE a4n14 PT n21 GR n7c16 CZ n20 UA n6c19 TR n6c16 SA n2c18 AE n19 RO a4c16 HU n24
MT a4n5c18 LU n3c13 KZ n3c13 BR n23a1c1 IL n19 BG a4n6c8
"""
IBAN_FORMS = dict(zip(_IBAN_FORMS.split()[::2], _IBAN_FORMS.split()[1::2], strict=True))
"""Country → its account numbers, as the registry writes them: a letters, n digits, c either."""


def _ibans(rng: random.Random) -> Iterator[tuple[str, str]]:
    signs = {"n": string.digits, "a": string.ascii_uppercase}
    signs["c"] = signs["n"] + signs["a"]
    for country, form in IBAN_FORMS.items():
        parts = re.findall(r"([anc])(\d+)", form)
        body = "".join("".join(rng.choices(signs[sign], k=int(count))) for sign, count in parts)
        value = int("".join(str(int(sign, 36)) for sign in f"{body}{country}00"))
        number = f"{country}{98 - value % 97:02}{body}"
        yield "together", number
        yield "groups", " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        yield "small", number.lower()


def _emails(rng: random.Random) -> Iterator[tuple[str, str]]:
    names = ("maya", "j.doe", "anna-lena", "x_y", "first.last+tag", "1987maya", "info", "müller")
    hosts = (
        "example.com",
        "mail.example.org",
        "example.co.uk",
        "sub.domain.example.net",
        "münchen.example",
    )
    for name in names:
        for host in hosts:
            yield "plain", f"{name}@{host}"
    yield from (("capitals", f"{name.upper()}@EXAMPLE.COM") for name in names)
    yield from (("spelt", f"{name} (at) example (dot) com") for name in names[:4])
    yield from (("spelt", f"{name}[at]example.com") for name in names[:4])
    yield from (("digits", f"user{_digits(rng, 6)}@example.com") for _ in range(10))


def _ips(rng: random.Random) -> Iterator[tuple[str, str]]:
    for prefix in (
        "192.0.2.",
        "198.51.100.",
        "203.0.113.",
        "10.20.30.",
        "192.168.178.",
        "172.16.0.",
    ):
        for _ in range(6):
            yield "IPv4", f"{prefix}{rng.randint(1, 254)}"
    for _ in range(12):
        groups = [f"{rng.randint(1, 0xFFFF):x}" for _ in range(6)]
        yield "IPv6", "2001:db8:" + ":".join(groups)
        yield "IPv6, shortened", f"2001:db8:{groups[0]}::{groups[1]}"


def _urls(rng: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(5):
        key = _token(rng, 24)
        yield "credentials", f"https://maya:{_token(rng, 8)}@example.com/files"
        yield "credentials", f"postgresql://app:{_token(rng, 10)}@db.example.com:5432/app"
        yield "credentials", f"ftp://anna:{_token(rng, 6)}@203.0.113.7/in"
        yield "token", f"https://example.com/reset?user=5&token={key}"
        yield "token", f"https://api.example.com/v1/data?api_key={key}&page=2"
        yield "token", f"https://example.com/share?id=7&sig={key}"
        yield "token", f"https://cdn.example.com/a.png?X-Amz-Expires=60&X-Amz-Signature={key}"
        yield "token", f"https://example.com/cb?code={key}&state=1"
        yield "token", f"https://example.com/login#access_token={key}"
        yield "invitation", f"https://t.me/joinchat/{_token(rng, 16)}"
        yield "invitation", f"https://t.me/+{_token(rng, 16)}"
        yield "invitation", f"https://chat.whatsapp.com/{_token(rng, 22)}"
        yield "invitation", f"https://us02web.zoom.us/j/{_digits(rng, 11)}?pwd={key}"


def _handles() -> Iterator[tuple[str, str]]:
    names = (
        "maya_dev",
        "anna.lena",
        "jonas93",
        "MrSmith",
        "x_y_z",
        "kater42",
        "lukasz.w",
        "ivanov_i",
    )
    for name in names:
        yield "mention", f"@{name}"
        plain = name.replace(".", "_")
        for host in (
            "t.me/",
            "instagram.com/",
            "twitter.com/",
            "github.com/",
            "tiktok.com/@",
            "vk.com/",
        ):
            yield "profile", f"https://{host}{plain}"
        yield "profile", f"www.facebook.com/{name}"
        yield "profile", f"t.me/{plain}"


def _token(rng: random.Random, length: int) -> str:
    """Return a token as machines draw them."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=length))


def _keys(rng: random.Random) -> Iterator[tuple[str, str]]:
    hexadecimal = "0123456789abcdef"
    for _ in range(6):
        yield "OpenAI", f"sk-proj-{_token(rng, 48)}"
        yield "Anthropic", f"sk-ant-api03-{_token(rng, 60)}"
        yield "GitHub", f"ghp_{_token(rng, 36)}"
        yield "GitHub", f"github_pat_{_token(rng, 22)}_{_token(rng, 59)}"
        yield "GitLab", f"glpat-{_token(rng, 20)}"
        yield "AWS", "AKIA" + "".join(rng.choices(string.ascii_uppercase + "234567", k=16))
        yield "AWS", "".join(rng.choices(string.ascii_letters + string.digits + "+/", k=40))
        yield "Google", f"AIza{_token(rng, 35)}"
        yield "Slack", f"xoxb-{_digits(rng, 12)}-{_digits(rng, 12)}-{_token(rng, 24)}"
        yield "Stripe", f"sk_live_{_token(rng, 24)}"
        yield "Hugging Face", f"hf_{_token(rng, 34)}"
        yield "Telegram bot", f"{_digits(rng, 10)}:AA{_token(rng, 33)}"
        yield "JWT", f"eyJ{_token(rng, 33)}.eyJ{_token(rng, 60)}.{_token(rng, 43)}"
        yield "random", _token(rng, 32)
        yield "random", _token(rng, 44)
        body = "\n".join(_token(rng, 64) for _ in range(6))
        yield "PEM", f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
        yield "hexadecimal with its word", "api key: " + "".join(rng.choices(hexadecimal, k=32))


PASSWORDS = ("hunter2", "Sommer2024!", "qwerty123", "pA$$w0rd", "katze-42", "Xk9#mQ2v", "admin1")
PINS = ("4711", "0815", "271828")


def planted_items(seed: int = 1) -> Iterator[Planted]:
    """Yield items of all other kinds but names, in sentences of every language."""
    rng = random.Random(seed)  # noqa: S311  # test data has to be repeatable, not secret
    makers = {
        "email": list(_emails(rng)),
        "card": list(_cards(rng)),
        "iban": list(_ibans(rng)),
        "ip": list(_ips(rng)),
        "url": list(_urls(rng)),
        "handle": list(_handles()),
        "secret": list(_keys(rng)),
    }
    for language, contexts in _data("planted_contexts").items():
        for kind, items in makers.items():
            for at, (form, item) in enumerate(items):
                for step in range(2):
                    plain = contexts["plain"]
                    text = plain[(at + step) % len(plain)].replace("{}", item)
                    yield Planted(kind, language, form, text, item)
        for form, words in (("secret", PASSWORDS), ("pin", PINS)):
            for word, context in product(words, contexts[form]):
                yield Planted("secret", language, form, context.replace("{}", word), word)


class NamedText(NamedTuple):
    """A text with names in it, each between ⟦ and ⟧, and all people of its export."""

    language: str
    names: tuple[str, ...]
    marked: str


def named_texts() -> Iterator[NamedText]:
    """Yield texts with names, written by hand."""
    for language, entry in _data("names").items():
        for text in entry["texts"]:
            yield NamedText(language, tuple(entry["names"]), text)
