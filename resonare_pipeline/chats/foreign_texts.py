"""Texts of strangers as one plain line, and cut to a length."""

import re
import unicodedata

ELLIPSIS = "…"
_SPACES = re.compile(r"[\s\u0085\u2028\u2029\u3000]+")
# Controls, marks that turn the direction of writing, halves of pairs, and signs for no text.
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    "\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]"
)
_BRACKETS = str.maketrans("[]", "()")
_JOINED_TO = "\u200d"  # it makes one sign of the emoji on both its sides
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_SHARE_KEPT = 0.6  # a cut is not moved to a word's end if that costs more


def one_line(text: str) -> str:
    """Return a text with white space folded to single spaces, and no control characters."""
    return _SPACES.sub(" ", _HARMFUL.sub("", text)).strip()


def in_brackets(text: str) -> str:
    """Return a text as one line whose own brackets are round, to stand in `[…]`."""
    return one_line(text).translate(_BRACKETS)


def cut(text: str, max_characters: int) -> str:
    """Return a text of at most some characters; one that is cut ends at a word, with an ellipsis.

    Where words are as long as the text, as in Chinese, it is cut at a character.
    """
    if len(text) <= max_characters:
        return text
    end = max(0, max_characters - len(ELLIPSIS))
    space = text.rfind(" ", 0, end + 1)
    if space >= end * _SHARE_KEPT:
        end = space
    while end and _belongs_together(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip(" ,;:-–—") + ELLIPSIS if end else ""


def _belongs_together(left: str, right: str) -> bool:
    return (
        _JOINED_TO in (left, right)
        or bool(unicodedata.combining(right))
        or unicodedata.category(right) in ("Mn", "Me")
        or _SKIN_TONES[0] <= right <= _SKIN_TONES[1]
    )
