"""People whose names are redacted, and what stands in the place of each.

The map from names to labels is made here and lives in memory only: no stage writes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from resonare_pipeline.privacy.folding import fold, words_of
from resonare_pipeline.privacy.kinds import person_label
from resonare_pipeline.privacy.pseudonyms import PSEUDONYMS, RESERVE
from resonare_pipeline.privacy.settings import PrivacySettings


@dataclass(frozen=True, slots=True)
class Person:
    """One person.

    Attributes:
        key: Who it is, such as `telegram:user123`.
        names: All names that the person goes by; may be none.
        label: What stands in their place.
    """

    key: str
    names: tuple[str, ...]
    label: str


def label_people(
    found: Iterable[tuple[str, tuple[str, ...]]], settings: PrivacySettings
) -> tuple[Person, ...]:
    """Give each person a label.

    Numbers and pseudonyms go by place. Who is given in the order of first appearance keeps a
    placeholder when newer data only appends people. A pseudonym changes only for the one whose
    pseudonym a newcomer really bears.

    Args:
        found: Keys and names; a key that stands again only adds names.
        settings: Say what kind of label.
    """
    names: dict[str, dict[str, None]] = {}
    for key, given in found:
        names.setdefault(key, {}).update(dict.fromkeys(given))
    labels = _labels(names, settings)
    return tuple(
        Person(key, tuple(given), label)
        for (key, given), label in zip(names.items(), labels, strict=False)
    )


def _labels(names: dict[str, dict[str, None]], settings: PrivacySettings) -> Iterator[str]:
    if settings.people == "pseudonym":
        real = {fold(word) for given in names.values() for name in given for word in words_of(name)}
        return _pseudonyms(real)
    if settings.people == "keep":
        return (
            next(iter(given), person_label(number))
            for number, given in enumerate(names.values(), 1)
        )
    return map(person_label, count(1))


def _pseudonyms(real: set[str]) -> Iterator[str]:
    """Yield different names that nobody bears, without end; later rounds carry a number."""
    free = _numbered(tuple(name for name in RESERVE if fold(name) not in real))
    for number, name in enumerate(_numbered(PSEUDONYMS), 1):
        borne = fold(name.rstrip("0123456789")) in real
        yield next(free, person_label(number)) if borne else name


def _numbered(names: tuple[str, ...]) -> Iterator[str]:
    """Yield the names, then all of them with a 2, and so on."""
    yield from names
    for number in count(2) if names else ():
        yield from (f"{name}{number}" for name in names)
