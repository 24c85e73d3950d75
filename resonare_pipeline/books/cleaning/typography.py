"""Rules for quotes, dashes, spaces, powers and units."""

import re

from resonare_pipeline.books.cleaning.rules import Knowledge, Rule, Tally

QUOTES = {
    **dict.fromkeys(("de", "cs", "sk", "sl", "bg", "is", "lt"), ("„", "“")),
    **dict.fromkeys(("pl", "hu", "ro", "hr"), ("„", "”")),
    **dict.fromkeys(("ru", "uk", "es", "it", "pt", "el", "no", "nb", "ca"), ("«", "»")),
    **dict.fromkeys(("sv", "fi"), ("”", "”")),
    "fr": ("«\u202f", "\u202f»"),
}
"""Language → its quotes; the English ones stand for all others."""
ENGLISH = ("“", "”")
SPACED_DASH = ("de", "fr", "it", "es", "pt", "nl", "sv", "no", "nb", "da", "pl", "cs", "ru")
UNITS = "km|cm|mm|nm|kg|mg|ml|mL|kJ|kW|kWh|MHz|GHz|kHz|Hz|kPa|mol|dB"

_TEX_QUOTES = re.compile(r"(?:\\`|`){2}([^`\n]{1,400}?)''")
_STRAIGHT = re.compile(r'(?<![\w"])"(?=[^\s"])([^"\n]{1,600}?)(?<=[^\s"])"(?![\w"])')
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_RANGE = re.compile(r"(?<=\d)--(?=\d)")
_DASH = re.compile(r"(?<=[^\s|>-])( ?)---?( ?)(?=[^\s|>-])")
_UNSEEN = re.compile("[\u200b\u2060\ufeff\u200c](?![\u0600-\u0dff])")
_MANY = re.compile(r"(?<=[^\s|])(?: {2,}|[ \u00a0]*(?:\u00a0 | \u00a0)[ \u00a0]*)(?=[^\s|])")
_BEFORE = re.compile(r"(?<=[^\W_]) +([,.;:])(?=\s|$)(?!\s?\.)")
_AFTER_PROTECTED = re.compile(r"\A +(?=[,.)](?!\s?\.)(?:\W|\Z))|\A +(?=-[a-z]{3,})")
_BEFORE_PROTECTED = re.compile(r"(?<=[(\[]) +\Z")
_MANY_AT_EDGE = re.compile("(?<=[^\\s|])[ \u00a0]{2,}\\Z|\\A[ \u00a0]{2,}(?=[^\\s|])")
_UNBROKEN = re.compile("(?<=\\S)\u00a0(?=\\S)|(?<=\\S)\u00a0\\Z|\\A\u00a0(?=\\S)")
_ASKED = re.compile(r"\A +(?=[?!;](?:\s|\Z))")
_AFTER_BRACKET = re.compile(r"(?<=\A[)\]]) +(?=[,.](?!\s?\.)(?:\W|\Z))")
_INSIDE = re.compile(r"(?<=[(\[]) +(?=[^\W_])|(?<=[^\W_.]) +(?=[)\]])")
_TIMES_TEN = re.compile(r"(?<=\d) ?[xX*×·] ?(?=10(?:\^|\Z))")
_RAISED = re.compile(r"(?<=[\w)\]])[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?!\w)")
_LOWERED = re.compile(r"(?<=[A-Za-z)\]])[₀₁₂₃₄₅₆₇₈₉]+")
_LETTERED = re.compile(r"[^\W\d_]+$")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
_DEGREE = re.compile(r"(?<=\d) ?[º˚](?= ?[CF]\b)|[℃℉]")
_MICRO = re.compile(r"μ(?=[mglsAVWFHLJ]\b)")
_GLUED = re.compile(rf"(?<![\w.,-])(\d+(?:[.,]\d+)?)({UNITS})(?!\w)")
LONGEST_UNIT = 3  # letters before a raised sign; after longer words it may call a note


def quotes(text: str, known: Knowledge, tally: Tally) -> str:
    """Write pairs of quotes as the language does, where the book does so mostly."""
    opening, closing = QUOTES.get(known.language, ENGLISH)

    def quoted(found: re.Match[str]) -> str:
        return f"{opening}{found.group(1)}{closing}"

    text = tally.sub(_TEX_QUOTES, quoted, text)
    if not known.curly or text.count('"') % 2:
        return text
    text = tally.sub(_STRAIGHT, quoted, text)
    return tally.sub(_APOSTROPHE, "’", text)


def dashes(text: str, known: Knowledge, tally: Tally) -> str:
    """Write two or three hyphens as the dash of the language."""

    def dashed(found: re.Match[str]) -> str:
        if known.language in SPACED_DASH and found.group(1) and found.group(2):
            return " – "
        return f"{found.group(1)}—{found.group(2)}"

    return tally.sub(_DASH, dashed, tally.sub(_RANGE, "–", text))


def spaces(text: str, known: Knowledge, tally: Tally) -> str:
    """Leave out unseen signs, runs of spaces, and spaces before commas and inside brackets.

    A piece begins and ends where something protected stands, which is mostly a formula.
    """
    text = tally.sub(_UNSEEN, "", text)
    text = tally.sub(_MANY_AT_EDGE, " ", tally.sub(_MANY, " ", text))
    text = tally.sub(_INSIDE, "", text)
    text = tally.sub(_BEFORE_PROTECTED, "", tally.sub(_AFTER_PROTECTED, "", text))
    text = tally.sub(_AFTER_BRACKET, "", text)
    if known.language == "fr":
        return text
    text = tally.sub(_UNBROKEN, " ", text)
    text = tally.sub(_ASKED, "", text)
    return tally.sub(_BEFORE, lambda found: found.group(1), text)


def powers(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001  # one of a family
    """Write raised and lowered digits as chapters do: 10^{-3}, m^2, H_2O."""

    def raised(found: re.Match[str]) -> str:
        before = _LETTERED.search(found.string[max(0, found.start() - 20) : found.start()])
        if before and len(before.group()) > LONGEST_UNIT:
            return found.group()
        return _script("^", found.group())

    text = tally.sub(_RAISED, raised, text)
    text = tally.sub(_LOWERED, lambda found: _script("_", found.group()), text)
    return tally.sub(_TIMES_TEN, " × ", text)


def _script(sign: str, digits: str) -> str:
    inner = digits.translate(_PLAIN)
    return f"{sign}{inner}" if len(inner) == 1 else f"{sign}{{{inner}}}"


def units(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001
    """Write degrees and micro with their own signs, and a space before units of two letters."""
    text = tally.sub(_DEGREE, lambda found: {"℃": "°C", "℉": "°F"}.get(found.group(), " °"), text)
    text = tally.sub(_MICRO, "µ", text)
    return tally.sub(_GLUED, lambda found: f"{found.group(1)} {found.group(2)}", text)


RULES = (
    Rule(
        name="quotes",
        meaning="Pairs of quotes take the language's form where the book mostly does.",
        change=quotes,
    ),
    Rule(name="dashes", meaning="Two hyphens become a dash.", change=dashes),
    Rule(
        name="spaces",
        meaning="Unseen signs, hard and doubled spaces, and those before commas go.",
        change=spaces,
    ),
    Rule(name="powers", meaning="Raised digits become ^{…}, lowered ones _{…}.", change=powers),
    Rule(
        name="units",
        meaning="Degrees and micro have their signs; units stand apart from numbers.",
        change=units,
    ),
)
