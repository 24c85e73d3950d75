"""Emoji of texts, by grapheme: a family, a flag or a skin tone is one emoji.

What counts is in Unicode's list of emoji as the package `emoji` has it, in any qualification, but
for signs that are mostly typed as text, such as © and ™.
"""

from collections.abc import Iterator
from functools import cache

import regex  # type: ignore[import-untyped]  # publishes no types

# A grapheme that begins as an emoji does; those of keys begin with a digit or sign.
_CANDIDATE = regex.compile(
    r"(?=[\p{Extended_Pictographic}\p{Regional_Indicator}])\X|[0-9#*]\ufe0f?\u20e3"
)
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
    if text.isascii():
        return []
    found = [match for match in _CANDIDATE.finditer(text) if is_emoji(match[0])]
    if not found:
        return []
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    between = [
        not text[end:start].isspace() and end < start
        for end, start in zip(ends, starts, strict=True)
    ]
    written = [at for at, is_text in enumerate(between) if is_text] or [len(found)]
    return [
        (match[0], START if at < written[0] else END if at >= written[-1] else MIDDLE)
        for at, match in enumerate(found)
    ]


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
