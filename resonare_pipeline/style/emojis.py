"""Emoji of texts, by grapheme: a family, a flag or a skin tone is one emoji.

What counts is in Unicode's list of emoji as the package `emoji` has it, in any qualification, but
for signs that are mostly typed as text, such as © and ™.
"""

from collections.abc import Iterator
from functools import cache

import regex  # type: ignore[import-untyped]  # publishes no types

_CANDIDATE = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")
_GRAPHEME = regex.compile(r"\X")
_TEXT_SIGNS = frozenset("©®™‼⁉ℹ↔↕↖↗↘↙↩↪〰〽㊗㊙")

START = "start"
MIDDLE = "middle"
END = "end"


def find_emojis(text: str) -> list[str]:
    """Return the emoji of a text, in order."""
    return [emoji for emoji, _ in place_emojis(text)]


def place_emojis(text: str) -> list[tuple[str, str]]:
    """Return the emoji of a text, each with where it stands.

    `start`: no other sign but white space and emoji stands before it; `end`: such signs stand
    before it and none behind; else `middle`. A text of emoji alone starts with all of them.
    """
    if text.isascii() or _CANDIDATE.search(text) is None:
        return []
    graphemes = _GRAPHEME.findall(text)
    written = [at for at, grapheme in enumerate(graphemes) if _is_text(grapheme)]
    first, last = (written[0], written[-1]) if written else (len(graphemes), -1)
    return [
        (grapheme, START if at < first else END if at > last else MIDDLE)
        for at, grapheme in enumerate(graphemes)
        if is_emoji(grapheme)
    ]


def _is_text(grapheme: str) -> bool:
    return not grapheme.isspace() and not is_emoji(grapheme)


@cache
def is_emoji(grapheme: str) -> bool:
    """Tell whether a grapheme is an emoji."""
    if grapheme.isascii() or grapheme in _TEXT_SIGNS:
        return False
    from emoji import EMOJI_DATA  # 50 ms, which a plan must not wait for

    return grapheme in EMOJI_DATA


def with_emojis(texts: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield the placed emoji of each text that has any."""
    for text in texts:
        if placed := place_emojis(text):
            yield placed
