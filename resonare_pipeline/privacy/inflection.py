"""Forms of names in languages that put endings or prefixes to them: a best effort.

Slavic and Finnish cases, Turkish and Hungarian endings without an apostrophe, German and English
possessives, and the one-letter words that Arabic and Hebrew write together with the next. Stems
that change (Marek, Marka; Pekka, Pekan) are not found but for a few. All forms are folded.
"""

from collections.abc import Iterator

from resonare_pipeline.privacy.folding import fold

SHORTEST_STEM = 3  # characters: "Ян" and "Li" with an ending could be anything
LONG_STEM = 4  # characters of a name that takes an s at the start of a sentence, too

_CYRILLIC_A = "а ы и у е ой ою ей ею о і ам ами ах"  # for a last а
_CYRILLIC_YA = "я и ю е ей ею ё ї є і ям ями ях"  # for a last я
_CYRILLIC_OTHER = "о е ю у ом ем а я и і"  # for a last о or е
_CYRILLIC_OWNED = "ин ина ино ину иной ины ином ын ына"  # Машин, Машина; машина is a car
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

_LATIN_CHANGES = (
    *(("ka", "ce"), ("ga", "dze"), ("ga", "ze"), ("ra", "rze"), ("ta", "cie"), ("da", "dzie")),
    *(("la", "le"), ("ha", "se")),
)
_CYRILLIC_CHANGES = (("ка", "ці"), ("га", "зі"), ("ха", "сі"))

_ENDINGS = {
    name: frozenset(map(fold, endings.split()))
    for name, endings in {
        "cyrillic а": _CYRILLIC_A,
        "cyrillic я": _CYRILLIC_YA,
        "cyrillic о": _CYRILLIC_OTHER,
        "cyrillic owned": _CYRILLIC_OWNED,
        "cyrillic soft": _CYRILLIC_SOFT,
        "cyrillic hard": _CYRILLIC_HARD,
        "cyrillic adjective": _CYRILLIC_ADJECTIVE,
        "latin vowel": _LATIN_VOWEL,
        "latin any": _LATIN_ANY,
        "latin hard": _LATIN_HARD,
        "greek": "υ ε ι",
        "none": "",
    }.items()
}
FREE_STEMS = frozenset(_ENDINGS) - {
    *("cyrillic owned", "latin vowel", "latin any", "latin hard", "none")
}
"""Stems whose forms count in small letters, too."""

_BARE = frozenset({"none", "greek"})  # stems that are forms themselves
_LONGEST_ENDING = max(len(ending) for endings in _ENDINGS.values() for ending in endings)

_PREFIXES = {"arabic": frozenset("وفبلك"), "hebrew": frozenset("והבכלמש")}


def stems(name: str) -> Iterator[tuple[str, str]]:
    """Yield the stems of a folded name, each with the name of the endings that it takes."""
    last = name[-1]
    if "\u0400" <= last <= "\u052f":
        yield from _cyrillic_stems(name)
    elif last.isascii():
        yield from _latin_stems(name)
    elif last == "σ":
        yield name[:-1], "greek"


def _cyrillic_stems(name: str) -> Iterator[tuple[str, str]]:
    last = name[-1]
    if last in "аяое":
        yield name[:-1], f"cyrillic {'о' if last == 'е' else last}"
        yield name[:-1], "cyrillic owned"
    if last in "иь":
        yield name[:-1], "cyrillic soft"
    if name.endswith(("скии", "цкии", "ыи")):
        yield name[:-2], "cyrillic adjective"
    if last not in "аяоеиьыую":
        yield name, "cyrillic hard"
    for ending, changed in _CYRILLIC_CHANGES:  # Ольга, Ользі
        if name.endswith(ending):
            yield name[: -len(ending)] + changed, "none"
    if name.endswith(("ел", "ек", "ок", "ец")):  # Павел, Павла
        yield name[:-2] + last, "cyrillic hard"


def _latin_stems(name: str) -> Iterator[tuple[str, str]]:
    last = name[-1]
    yield name, "latin any" if last in "aeiouy" else "latin hard"
    if last == "a":
        yield name[:-1], "latin vowel"
    for ending, changed in _LATIN_CHANGES:  # Agnieszka, Agnieszce
        if name.endswith(ending):
            yield name[: -len(ending)] + changed, "none"
    if name.endswith(("ek", "el")):  # Marek, Marka; Paweł, Pawła
        yield name[:-2] + last, "latin hard"


def takes(kind: str, ending: str) -> bool:
    """Tell whether stems of a kind take an ending."""
    return ending in _ENDINGS[kind] or (not ending and kind in _BARE)


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
