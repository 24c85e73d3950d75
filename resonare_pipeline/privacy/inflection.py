"""Forms of names in languages that put endings or prefixes to them: a best effort.

Slavic and Finnish cases, Turkish and Hungarian endings without an apostrophe, German and English
possessives, and the one-letter words that Arabic and Hebrew write together with the next. Stems
that change (Marek, Marka; Pekka, Pekan) are not found but for a few. All forms are folded.
"""

from collections.abc import Iterator

from resonare_pipeline.privacy.folding import fold

SHORTEST_STEM = 3  # characters: "Ян" and "Li" with an ending could be anything
FREE_STEM = 4  # characters of a Cyrillic stem that counts in small letters, too

_CYRILLIC_VOWEL = (
    "а я ы и е у ю ой ей ою ею ё о і ї є ам ами ин ина ино ину иной ины"  # for the last vowel
)
_CYRILLIC_SOFT = "я ю ем ём е и єм ї ев ева еву"
_CYRILLIC_HARD = "а у ом ем е ы и і ов ам ами ым ой ую ові еві ова ову овой ого ому их ыми ю я"
_CYRILLIC_ADJECTIVE = "ого ому им ом ая ой ую ие их ими ій ої ою ым"
_LATIN_VOWEL = "y i e ie o u ou ej owi ovi ach"  # for a last a
_FINNISH = "n lla lle lta ssa sta na ksi an en in on un aan een iin oon uun sse st ga ta tta nsa ni"
_TURKISH = "ya ye yi yu nin nun dan den da de la le yla yle ta te nda nde"
_HUNGARIAN = "nak nek t val vel hoz hez ban ben ra re tol nal nel rol ert ig ba be"
_LATIN_ANY = f"{_FINNISH} {_TURKISH} {_HUNGARIAN} s"
_LATIN_HARD = (
    "a u e em om owi ovi ie i y s in ia ille illa ilta ista issa iin un en ta te da de dan den tan "
    "ten nak nek hoz hez ban ben ra re tol rol nal nel ert ig et ot at"
)

_ENDINGS = {
    name: frozenset(map(fold, endings.split()))
    for name, endings in {
        "cyrillic vowel": _CYRILLIC_VOWEL,
        "cyrillic soft": _CYRILLIC_SOFT,
        "cyrillic hard": _CYRILLIC_HARD,
        "cyrillic adjective": _CYRILLIC_ADJECTIVE,
        "latin vowel": _LATIN_VOWEL,
        "latin any": _LATIN_ANY,
        "latin hard": _LATIN_HARD,
    }.items()
}
_LONGEST_ENDING = max(len(ending) for endings in _ENDINGS.values() for ending in endings)

_PREFIXES = {"arabic": frozenset("وفبلك"), "hebrew": frozenset("והבכלמש")}


def stems(name: str) -> Iterator[tuple[str, str]]:
    """Yield the stems of a folded name, each with the name of the endings that it takes."""
    last = name[-1]
    if "\u0400" <= last <= "\u052f":
        yield from _cyrillic_stems(name)
    elif last.isascii():
        if last == "a":
            yield name[:-1], "latin vowel"
        yield name, "latin any" if last in "aeiouy" else "latin hard"
    elif last == "σ":
        yield name[:-1], "greek"


def _cyrillic_stems(name: str) -> Iterator[tuple[str, str]]:
    last = name[-1]
    if last in "аяоеи" and not name.endswith("ии"):
        yield name[:-1], "cyrillic vowel"
    if last in "иь":
        yield name[:-1], "cyrillic soft"
    if name.endswith(("скии", "цкии", "ыи")):
        yield name[:-2], "cyrillic adjective"
    if last not in "аяоеиьыую":
        yield name, "cyrillic hard"


def takes(kind: str, ending: str) -> bool:
    """Tell whether stems of a kind take an ending."""
    if kind == "greek":
        return ending in {"", "υ", "ε", "ι"}
    return ending in _ENDINGS[kind]


def splits(word: str) -> Iterator[tuple[str, str]]:
    """Yield the ways in which a folded word may be a stem and an ending, longest stem first."""
    shortest = max(SHORTEST_STEM, len(word) - _LONGEST_ENDING)
    for at in range(len(word), shortest - 1, -1):
        yield word[:at], word[at:]


def without_prefix(word: str) -> str:
    """Return a folded Arabic or Hebrew word without its first letter, if that may be a prefix."""
    first = word[0]
    script = "hebrew" if "\u0590" <= first <= "\u05ff" else "arabic"
    return word[1:] if first in _PREFIXES[script] and len(word) > SHORTEST_STEM else ""
