"""The forms in which a person's names are looked for, made once for all people.

Three sets: sequences of words; names in scripts that put no space between words; and names that
are typed as one piece, as user names are.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain

from resonare_pipeline.privacy.folding import fold, spelt_out, words_of
from resonare_pipeline.privacy.inflection import SHORTEST_STEM, stems
from resonare_pipeline.privacy.name_words import COMMON_WORDS, NO_NAMES, PARTICLES, ROLES
from resonare_pipeline.privacy.people import Person

SHORT = 2  # letters; a shorter or equal word is a name only by its capital and place
LONGEST_NAME = 6  # words; what is longer is a slogan, and its first and last words count

_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]|\{[^}]*\}")
_USER_NAME = re.compile(r"@?(?=\w*[\d_])(?=\w*[^\W\d_])[\w.]{3,64}")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
HANGUL = re.compile("[\uac00-\ud7a3]")
_KANA = re.compile("[\u3040-\u30ff]+")
_ALPHABETIC = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


class Guard(IntEnum):
    """When a form counts as a name."""

    ANY_CASE = 0
    CAPITALISED = 1
    IN_SENTENCE = 2  # capitalised, and not at the start of a sentence unless a colon follows


@dataclass(frozen=True, slots=True)
class Form:
    """A sequence of folded words that stands for a person.

    Attributes:
        prefix: Letters before the name that belong to another word.
    """

    words: tuple[str, ...]
    label: str
    guard: Guard
    prefix: int = 0


@dataclass(frozen=True, slots=True)
class Forms:
    """All forms of all people.

    Attributes:
        sequences: First word → forms that begin with it, longest first.
        stems: Stem → the kind of its endings, and the form.
        unspaced: First character → texts and labels, longest first.
        pieces: Folded user name → label.
    """

    sequences: dict[str, list[Form]] = field(default_factory=lambda: defaultdict(list))
    stems: dict[str, list[tuple[str, Form]]] = field(default_factory=lambda: defaultdict(list))
    unspaced: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    pieces: dict[str, str] = field(default_factory=dict)


def forms_of(people: Iterable[Person]) -> Forms:
    """Return the forms of all names. Where two people share one, it is the first person's."""
    forms = Forms()
    known: set[tuple[str, ...]] = set()
    for person in people:
        for name in person.names:
            _add(forms, known, name, person.label)
    for sequences in forms.sequences.values():
        sequences.sort(key=lambda form: -len(form.words))  # stable: the first person stays first
    for texts in forms.unspaced.values():
        texts.sort(key=lambda entry: -len(entry[0]))
    return forms


def _add(forms: Forms, known: set[tuple[str, ...]], name: str, label: str) -> None:
    if fold(name.strip()) in NO_NAMES:
        return
    if _USER_NAME.fullmatch(name.strip()):
        forms.pieces.setdefault(fold(name.strip().removeprefix("@")), label)
        return
    for text in _unspaced(name):
        if (text,) not in known:
            known.add((text,))
            forms.unspaced[text[0]].append((text, label))
    for form in _sequences(name, label):
        if form.words not in known:
            known.add(form.words)
            forms.sequences[form.words[0]].append(form)
            _add_stems(forms, form)


def _add_stems(forms: Forms, form: Form) -> None:
    word = form.words[0]
    if len(form.words) == 1 and len(word) >= SHORTEST_STEM:
        for stem, kind in stems(word):
            forms.stems[stem].append((kind, form))


def _sequences(name: str, label: str) -> Iterator[Form]:
    """Yield the forms of a name in a script with spaces: whole, first and last, each word."""
    parts = [words_of(part) for part in UNSPACED.sub(" ", _BRACKETED.sub(" ", name)).split()]
    for spell in (fold, spelt_out, _plain):
        yield from _spelt([tuple(map(spell, part)) for part in parts if part], label)


def _plain(word: str) -> str:
    """Return the folded form with one s for ß."""
    return fold(word.replace("ß", "s"))


def _spelt(parts: list[tuple[str, ...]], label: str) -> Iterator[Form]:
    """Yield forms; parts are what stands between spaces: (anne, marie), (dubois)."""
    words = tuple(chain.from_iterable(parts))
    own = [word for word in words if not _is_filler(word)]
    if not own:
        return
    wholes = [words] if len(words) <= LONGEST_NAME else []
    for whole in (*wholes, (own[0], own[-1]), *parts):
        if len(whole) > 1:
            yield from _together(whole, label)
    for word in own:
        if len(word) > 1:
            yield Form((word,), label, _guard(word))
    for last in range(1, len(words)):
        if words[last] in own and words[last - 1] in PARTICLES:
            yield Form(_with_particles(words, last), label, Guard.CAPITALISED)


def _with_particles(words: tuple[str, ...], last: int) -> tuple[str, ...]:
    """Return a word with the particles before it: von Bülow, de la Cruz."""
    first = last
    while first and words[first - 1] in PARTICLES:
        first -= 1
    return words[first : last + 1]


def _together(words: Sequence[str], label: str) -> Iterator[Form]:
    careful = all(_is_filler(word) or _guard(word) for word in words)
    guard = Guard.CAPITALISED if careful else Guard.ANY_CASE
    yield Form(tuple(words), label, guard)
    yield Form(("".join(words),), label, guard)


def _is_filler(word: str) -> bool:
    return word in PARTICLES or word in ROLES


def _guard(word: str) -> Guard:
    if word.upper() == word.lower():
        return Guard.ANY_CASE  # no case to go by
    return Guard.IN_SENTENCE if len(word) <= SHORT or word in COMMON_WORDS else Guard.ANY_CASE


def _unspaced(name: str) -> Iterator[str]:
    """Yield what of a name to look for inside text without spaces, longest first."""
    runs = UNSPACED.findall(_BRACKETED.sub(" ", name))
    if len(runs) > 1:
        yield "".join(runs)
        yield " ".join(runs)
    for run in runs:
        if fold(run) in ROLES or len(run) < _shortest(run):
            continue
        yield run
        yield from _given(run)


def _shortest(run: str) -> int:
    """Return how many characters make a name that is not found inside other words all the time."""
    if _ALPHABETIC.search(run) or _KANA.fullmatch(run):
        return 3
    return 2


def _given(run: str) -> Iterator[str]:
    """Yield the given name, and the family name where it has two characters, of a whole name."""
    if _ALPHABETIC.search(run) or _KANA.fullmatch(run):
        return
    if len(run) == 3:  # a family name of one character, as most Chinese and Korean ones
        yield run[1:]
    if len(run) == 4:  # two and two: Japanese names, and rare Chinese family names
        yield from (run[:2], run[2:])
