"""Makes numbers, dates, prices, versions, order numbers and the like that nothing may redact.

As independent of the detectors as `generate_items`: values are drawn at random in the forms that
people and programs write, sentences are written by hand in `tests/data/privacy`.
"""

import datetime as dt
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parents[1] / "data" / "privacy"
ROUNDS = 120  # values of each kind


class Clean(NamedTuple):
    """A text that holds nothing to be redacted."""

    kind: str
    text: str


def _digits(rng: random.Random, count: int) -> str:
    """Return digits of which the first is no zero."""
    return rng.choice(string.digits[1:]) + "".join(rng.choices(string.digits, k=count - 1))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits, k=count))


def _order(rng: random.Random) -> str:
    return rng.choice(
        (
            _digits(rng, 7),
            _digits(rng, 8),
            _digits(rng, 9),
            _digits(rng, 10),
            _digits(rng, 12),
            _digits(rng, 16),
            f"{_digits(rng, 3)}-{_digits(rng, 7)}-{_digits(rng, 7)}",
            f"2024-{_digits(rng, 6)}",
            f"RE-{_digits(rng, 8)}",
            f"000{_digits(rng, 7)}",
            f"{_digits(rng, 4)} {_digits(rng, 4)} {_digits(rng, 4)}",
            f"1Z{_digits(rng, 6)}{_digits(rng, 10)}",
            f"{rng.choice('ABCDEFGH')}{_digits(rng, 9)}",
        )
    )


def _id(rng: random.Random) -> str:
    return rng.choice([_digits(rng, count) for count in (5, 6, 7, 8, 9, 10, 11, 12, 18)])


def _day(rng: random.Random) -> dt.datetime:
    return dt.datetime(2001, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
        seconds=rng.randrange(25 * 365 * 86_400)
    )


DATE_FORMS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%Y/%m/%d", "%Y%m%d"),
    *("%B %d, %Y", "%d %b %Y", "%Y年%m月%d日", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"),
    *("%d.%m.%Y %H:%M", "%d.%m.%y %H.%M", "%d %m %Y", "%Y.%m.%d %H:%M", "%d.%m.%Y-%d.%m.%Y"),
    *("%Y-%m-%d to %Y-%m-%d", "%d.%m. - %d.%m.%Y", "%A %d.%m.", "%y%m%d"),
)


def _date(rng: random.Random) -> str:
    return _day(rng).strftime(rng.choice(DATE_FORMS))


def _time(rng: random.Random) -> str:
    forms = ("%H:%M", "%H:%M:%S", "%H.%M", "%Hh%M", "%H:%M:%S.%f", "%I:%M %p", "%H:%M-%H:%M")
    return _day(rng).strftime(rng.choice(forms))


def _timestamp(rng: random.Random) -> str:
    seconds = _day(rng).timestamp()
    return rng.choice((f"{seconds:.0f}", f"{seconds * 1e3:.0f}", f"{seconds:.6f}"))


def _price(rng: random.Random) -> str:
    value = rng.randrange(100, 10**9) / 100
    plain = f"{value:,.2f}"
    continental = plain.translate(str.maketrans(",.", ".,"))
    spaced = plain.replace(",", "\u00a0").replace(".", ",")
    return rng.choice(
        (
            f"${plain}",
            f"{plain} USD",
            f"{continental} €",
            f"{spaced} zł",
            f"{spaced} руб.",
            f"£{value:.2f}",
            f"{int(value * 100):,} ₫".replace(",", "."),
            f"Rp {int(value * 100):,}".replace(",", "."),
            f"{int(value)}€",
            f"¥{int(value)}",
            f"CHF {int(value):,}".replace(",", "'"),
            f"{int(value * 100)} руб",
        )
    )


def _amount(rng: random.Random) -> str:
    value = rng.randrange(10**4, 10**10)
    gap = rng.choice((",", ".", " ", "\u00a0", "'"))
    unit = rng.choice(("views", "people", "bytes", "followers", "dollars", "km", "steps"))
    return f"{value:,} {unit}".replace(",", gap)


def _version(rng: random.Random) -> str:
    part = rng.randrange
    return rng.choice(
        (
            f"{part(30)}.{part(30)}.{part(100)}",
            f"{part(1, 10)}.{part(10)}.{part(10)}.{part(10)}",
            f"10.0.{part(10_000, 30_000)}.{part(256, 5000)}",
            f"{part(90, 130)}.0.{part(1000, 9999)}.{part(256, 999)}",
            f"{part(2015, 2027)}.{part(1, 13)}.{part(30)}",
            f"{part(9)}.{part(9)}.{part(9)}-rc{part(9)}",
            f"{part(30)}.{part(30)}.{part(100)}+build.{part(10_000)}",
        )
    )


def _isbn(rng: random.Random) -> str:
    group, publisher, title = _digits(rng, 1), _digits(rng, 4), _digits(rng, 4)
    check = rng.choice(string.digits)
    return rng.choice(
        (
            f"978-{group}-{publisher}-{title}-{check}",
            f"979{group}{publisher}{title}{check}",
            f"978 {group} {publisher} {title} {check}",
            f"{group}-{publisher}-{title}-{check}",
            f"0-{publisher}-{title}-X",
        )
    )


def _coordinates(rng: random.Random) -> str:
    latitude, longitude = rng.uniform(-90, 90), rng.uniform(-180, 180)
    return rng.choice(
        (
            f"{latitude:.6f}, {longitude:.6f}",
            f"{latitude:.4f},{longitude:.4f}",
            f"{latitude:.7f} {longitude:.7f}",
            f"{abs(latitude):.5f}° N, {abs(longitude):.5f}° E",
            f"{int(abs(latitude))}°31'12\"N {int(abs(longitude))}°24'18\"E",
            f"https://maps.example.com/@{latitude:.7f},{longitude:.7f},15z",
        )
    )


def _code(rng: random.Random) -> str:
    hexadecimal = "0123456789abcdef"
    return rng.choice(
        (
            "".join(rng.choices(hexadecimal, k=40)),
            "".join(rng.choices(hexadecimal, k=7)),
            "".join(rng.choices(hexadecimal, k=64)),
            "".join(rng.choices(hexadecimal, k=32)),
            str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            f"https://www.youtube.com/watch?v={_letters(rng, 11)}",
            f"https://example.com/orders/{_digits(rng, 10)}/items/{_digits(rng, 8)}",
            f"https://docs.example.com/d/{_letters(rng, 44)}/edit",
            f"IMG_20240{_digits(rng, 3)}_{_digits(rng, 6)}.jpg",
            f"getElementById{_digits(rng, 2)}AndThenSomethingElse",
            f"some_rather_long_identifier_v{_digits(rng, 2)}_final",
            f"resonare-pipeline-{_digits(rng, 1)}.{_digits(rng, 2)}.0-py3-none-any.whl",
            f"#{''.join(rng.choices(hexadecimal, k=6))}",
            "00:1b:44:11:3a:b7",
        )
    )


def _number(rng: random.Random) -> str:
    return rng.choice((_digits(rng, rng.randint(1, 6)), f"{rng.uniform(0, 1000):.3f}"))


TEXTS = (
    "Will you be there in May? I hope so, but mark my words: it may rain.",
    "password is wrong again, I have to reset it",
    "the password: please change it soon",
    "forgot my password lol",
    "пароль не подходит, поменяй",
    "das Passwort ist falsch",
    "meet @ 5pm @ the gym, 3 @ 10 each",
    "std::vector<int> a; a[0]::b; 10:30::45",
    "ratio 16:9, score 3:2, verse 3:16-17",
    "1:1 meeting 10:00-11:00, then 2x4 and 5+5=10",
    "order of magnitude 10^9 or 1e-12",
    "call me maybe 8 times a day, 24/7, 365",
    "http://example.com/a/b?page=2&lang=de",
    "https://github.com/pytorch/pytorch/issues/12345",
    "see www.example.org/2024/05/12/story-1234567.html",
    "our flight LH 1234 leaves 18:05 gate B12 seat 23A",
    "my flat is 12-14, 3rd floor, 10115 Berlin",
    "2 1/2 cups, 350 g, 180 °C, 25-30 min",
    "won 6:3 7:5 6-4, 4-4-2 formation",
    "127.0.0.1:8080 and 0.0.0.0",
    "python 3.11.4 / node 20.10.0",
    "lotto: 3 14 22 31 38 45",
    "2+2=4, 100 000 times, 3.14159265",
    "decimals 0.123456789 and 12.345678",
    "@everyone please read, @all too",
    "@property\ndef x(self): ...",
    "on 12.05.2024 at 14:30 and 13.05.2024 at 9:00",
    "week 2024-W12, Q3 2024, FY 2023/2024",
    "1990-2000, 2010 - 2020, 1914–1918",
    "I'm 99.9999999% sure",
    "chapter 1.2.3.4, section 3.1.4.2",
    "the 1st, 2nd, 3rd and 1000000th",
    "token of my love, secret santa, key lime pie",
    "pin it to the board, otp is a band",
)

MAKERS: dict[str, Callable[[random.Random], str]] = {
    "order": _order,
    "id": _id,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "price": _price,
    "amount": _amount,
    "version": _version,
    "isbn": _isbn,
    "coordinates": _coordinates,
    "code": _code,
    "number": _number,
}


def clean_texts(seed: int = 1) -> Iterator[Clean]:
    """Yield texts of every kind, each value in one sentence after the other."""
    rng = random.Random(seed)  # noqa: S311  # test data has to be repeatable, not secret
    contexts = json.loads((DATA / "clean_contexts.json").read_text(encoding="utf-8"))
    for kind, make in MAKERS.items():
        own = contexts[kind]
        rounds = max(ROUNDS, 12 * len(own))
        for at in range(rounds):
            yield Clean(kind, own[at % len(own)].replace("{}", make(rng)))
    yield from (Clean("text", text) for text in TEXTS)
