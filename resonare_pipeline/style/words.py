"""Words of texts in any language, counted.

A word is a run of letters and the digits in it, with apostrophes inside, in lower case. Languages
that put no spaces between words have no words that could be told without a dictionary: in Chinese
and Japanese each ideograph and each hiragana is one (as Unicode's Annex 29 has it) and a run of
katakana, and in Thai, Lao, Khmer and Burmese each letter with its marks. Links are no words.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

import regex  # type: ignore[import-untyped]  # publishes no types

from resonare_pipeline.style.function_words import FUNCTION_WORDS

BATCH_TEXTS = 16_384  # joined and searched at once: some megabytes
DISTINCTIVE_USES = 5
DISTINCTIVE_SCORE = 1.96  # by chance, one word in forty would have more

_LINK = re.compile(r"(?:https?://|www\.)\S+")
# Latin, Greek and Cyrillic need no look at scripts and marks, and the standard library finds their
# words four times as fast; numbers that it takes for letters stand here, too.
_OTHER_SCRIPTS = re.compile(
    "[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u218f\u2460-\u24ff"
    "\u0300-\u036f\u0483-\u0489\u0530-\u1dff\u20d0-\u20ff\u2c00-\ud7ff\uf900-\ufdff"
    "\ufe20-\ufe2f\ufe70-\uffef\U00010000-\U0001efff\U00020000-\U0010ffff]"
)
_PLAIN_WORD = re.compile(r"[^\W\d_][^\W_]*(?:'[^\W\d_]+)*")
_NO_SPACES = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(
    rf"(?V1)[[{_NO_SPACES}]&&\p{{L}}]\p{{M}}*"
    rf"|[\p{{L}}--[{_NO_SPACES}]][[\p{{L}}\p{{M}}\p{{N}}]--[[{_NO_SPACES}]&&\p{{L}}]]*(?:['’]\p{{L}}+)*"
)
_QUESTION = regex.compile(r"[?？؟;՞፧⁇⁈]")  # as in Latin, wide, Arabic, Greek, Armenian, Ethiopic


def count_words(texts: Sequence[str]) -> Counter[str]:
    """Count the words of texts."""
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), BATCH_TEXTS):
        plain: list[str] = []
        other: list[str] = []
        for text in texts[start : start + BATCH_TEXTS]:
            is_plain = text.isascii() or _OTHER_SCRIPTS.search(text) is None
            (plain if is_plain else other).append(text)
        counts.update(_PLAIN_WORD.findall(_prepared(plain)))
        counts.update(_WORD.findall(_prepared(other)))
    return counts


def _prepared(texts: list[str]) -> str:
    joined = "\n".join(texts)
    joined = _LINK.sub(" ", joined) if "://" in joined or "www." in joined else joined
    # A capital I with a dot becomes an i and a dot of its own, which no other word has.
    return joined.casefold().replace("i\u0307", "i").replace("’", "'")


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


def distinctive(yours: Counter[str], theirs: Counter[str], most: int) -> list[str]:
    """Return the words that set you apart from those you write with, the most telling first.

    Ranked by the z-score of the log odds ratio, each count raised by a half:
    z = (ln(a / (A - a)) - ln(b / (B - b))) / sqrt(1 / a + 1 / b), for a of your A words and b of
    their B. Words that you used less than five times, and those with z ≤ 1.96, tell nothing.
    """
    if not yours or not theirs:
        return []
    own_total, other_total = yours.total() + 0.5, theirs.total() + 0.5
    scored = []
    for word, count in yours.items():
        if count < DISTINCTIVE_USES:
            continue
        own, other = count + 0.5, theirs[word] + 0.5
        ratio = math.log(own / (own_total - own + 1)) - math.log(other / (other_total - other + 1))
        score = ratio / math.sqrt(1 / own + 1 / other)
        if score > DISTINCTIVE_SCORE:
            scored.append((-score, word))
    return [word for _, word in sorted(scored)[:most]]
