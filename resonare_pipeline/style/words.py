"""Words of texts in any language, counted.

A word is a run of letters and the digits in it, with apostrophes inside, in lower case. Languages
that put no spaces between words have no words that could be told without a dictionary: in Chinese
and Japanese each ideograph and each hiragana is one (as Unicode's Annex 29 has it) and a run of
katakana, and in Thai, Lao, Khmer and Burmese each letter with its marks. Links are no words.
"""

import re
from collections import Counter
from collections.abc import Iterable

import regex  # type: ignore[import-untyped]  # publishes no types

from resonare_pipeline.style.function_words import FUNCTION_WORDS

_LINK = re.compile(r"(?:https?://|www\.)\S+")
_ASCII_WORD = re.compile(r"[a-z][a-z0-9]*(?:'[a-z]+)*")
_NO_SPACES = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(
    rf"(?V1)[[{_NO_SPACES}]&&\p{{L}}]\p{{M}}*"
    rf"|[\p{{L}}--[{_NO_SPACES}]][[\p{{L}}\p{{M}}\p{{N}}]--[[{_NO_SPACES}]&&\p{{L}}]]*(?:['’]\p{{L}}+)*"
)
_QUESTION = regex.compile(r"[?？؟;՞፧⁇⁈]")  # as in Latin, wide, Arabic, Greek, Armenian, Ethiopic


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Count the words of texts."""
    plain: list[str] = []
    other: list[str] = []
    for text in texts:
        (plain if text.isascii() else other).append(text)
    counts = Counter(_ASCII_WORD.findall(_prepared(plain)))
    counts.update(_WORD.findall(_prepared(other).replace("’", "'")))
    return counts


def _prepared(texts: list[str]) -> str:
    joined = "\n".join(texts)
    return (_LINK.sub(" ", joined) if "://" in joined or "www." in joined else joined).casefold()


def split_words(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand, in code points."""
    return [match.span() for match in _WORD.finditer(text)]


def asks(text: str) -> bool:
    """Tell whether a text has a question mark of any script, links aside."""
    if "?" in text:
        return "?" in _LINK.sub("", text)
    return not text.isascii() and _QUESTION.search(text) is not None


def telling(words: Counter[str], most: int) -> list[tuple[str, int]]:
    """Return the most frequent words that are no function words, most frequent first."""
    ordered = sorted(
        (item for item in words.items() if item[0] not in FUNCTION_WORDS),
        key=lambda item: (-item[1], item[0]),
    )
    return ordered[:most]
