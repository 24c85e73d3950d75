"""Words of a text, and the one form that all spellings of a word share.

A word is a run of letters and the marks that belong to them, in any script; digits, underscores,
apostrophes, hyphens, punctuation and emoji end it. Folding takes away case, diacritics of Latin,
Greek and Cyrillic letters, and the vowel points of Arabic and Hebrew.
"""

import re
import unicodedata

# What ends a word: ASCII but for letters, marks of Latin-1, general punctuation and symbols, CJK
# punctuation, private use, variation selectors, full-width signs, and all emoji.
_ENDS = (
    r"\x00-@\[-`{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u02c2-\u02df\u060c\u061b\u061f"
    r"\u0660-\u066d\u06d4\u06f0-\u06f9\u0964-\u096f\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004"
    r"\u3007-\u3030\u30fb\ue000-\uf8ff\ufe00-\ufe6f\uff00-\uff20\uff3b-\uff40\uff5b-\uff65"
    r"\ufff0-\uffff\U0001f000-\U0010ffff"
)
WORD = re.compile(rf"[^{_ENDS}]+")
ASCII_WORD = re.compile("[A-Za-z]+")

_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
_LETTERS = str.maketrans(
    {
        "ı": "i",  # Turkish: the capital of both i is folded to the same letter
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ħ": "h",
        "ŋ": "n",
        "ґ": "г",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
    }
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return (ASCII_WORD if text.isascii() else WORD).findall(text)


def fold(word: str) -> str:
    """Return the form that all spellings of a word share."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.casefold())
    return _MARKS.sub("", plain).translate(_LETTERS)


def spelt_out(word: str) -> str:
    """Return the folded form with German and Nordic letters written as two: ü as ue."""
    composed = unicodedata.normalize("NFC", word.casefold())
    return fold(composed.translate(_SPELT_OUT))
