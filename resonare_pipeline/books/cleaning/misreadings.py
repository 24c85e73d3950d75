"""Rules against what scanning and converting does to words. The book's own words are the proof."""

import re
import unicodedata

from resonare_pipeline.books.cleaning.rules import Knowledge, Rule, Tally

LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"}
SEEN_OFTEN = 3  # times that a book must have a word for it to prove two halves
_LIGATURE = re.compile("[ﬀ-ﬆ]")
_HYPHEN = re.compile(r"\b([^\W\d_]{2,})[-‐¬] ([^\W\d_]{2,})\b")
_SOFT = re.compile("\u00ad ?")
_BROKEN = re.compile(r"(?<![\w'’-])([^\W\d_]+) ([^\W\d_]{1,})(?![\w'’-])")
_DIGITS = re.compile(
    r"(?<![\w.])(?=[\dOolI.,]*\d[\dOolI.,]*[OolI][\dOolI.,]*\d)\d[\dOolI.,]*\d(?!\w)"
)
_LETTERS = re.compile(r"(?<!\w)(?=\w*[^\W\d_])(?=\w*[10I])[^\W\d_][^\W_]*(?!\w)")
_WRONG = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1"})


def mojibake(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001  # one of a family
    """Mend text that was decoded with the wrong encoding."""
    if text.isascii():
        return text
    import ftfy  # takes 60 ms

    return tally.whole(text, ftfy.fix_encoding(text))


def ligatures(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001
    """Write ligatures as letters."""
    return tally.sub(_LIGATURE, lambda found: LIGATURES[found.group()], text)


def composition(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001
    """Write letters with their accents as one character (NFC)."""
    return text if text.isascii() else tally.whole(text, unicodedata.normalize("NFC", text))


def line_hyphens(text: str, known: Knowledge, tally: Tally) -> str:
    """Join words that were divided at the end of a line, if the book has them whole."""

    def joined(found: re.Match[str]) -> str:
        whole = found.group(1) + found.group(2)
        is_word = known.knows(whole) > 0 and found.group(2)[0].islower()
        return whole if is_word else found.group()

    text = tally.sub(_SOFT, "", text)
    return tally.sub(_HYPHEN, joined, text)


def broken_words(text: str, known: Knowledge, tally: Tally) -> str:
    """Join halves of a word, if the book has it whole often and one half nowhere else."""

    def joined(found: re.Match[str]) -> str:
        left, right = found.groups()
        often = known.knows(left + right)
        rare, usual = sorted((known.knows(left), known.knows(right)))
        # A half that is usual by itself may well stand beside a rare word: under ground.
        is_half = rare <= 1 and (usual <= often or min(len(left), len(right)) == 1)
        is_word = often >= SEEN_OFTEN and right.islower() and len(left + right) > 3
        return left + right if is_word and is_half else found.group()

    return tally.sub(_BROKEN, joined, text)


def digits_in_numbers(text: str, known: Knowledge, tally: Tally) -> str:  # noqa: ARG001
    """Read O as 0 and l or I as 1 between the digits of a number."""
    return tally.sub(_DIGITS, lambda found: found.group().translate(_WRONG), text)


def digits_in_words(text: str, known: Knowledge, tally: Tally) -> str:
    """Read 0 as o and 1 or I as l or i inside a word that the book has."""

    def read(found: re.Match[str]) -> str:
        word = found.group()
        if word.isupper() or known.knows(word) > 1 or not word[1:].strip("10I"):
            return word
        for sign in "li":
            inner = word[1:].replace("0", "o").replace("1", sign).replace("I", sign)
            if inner != word[1:] and known.knows(word[0] + inner) >= SEEN_OFTEN:
                return word[0] + inner
        return word

    return tally.sub(_LETTERS, read, text)


RULES = (
    Rule(name="mojibake", meaning="Text that was decoded wrongly is mended.", change=mojibake),
    Rule(name="ligatures", meaning="Ligatures become letters.", change=ligatures),
    Rule(
        name="composition",
        meaning="Letters and accents become one character (NFC).",
        change=composition,
    ),
    Rule(
        name="line_hyphens",
        meaning="Words divided at a line's end are joined if the book has them whole.",
        change=line_hyphens,
    ),
    Rule(
        name="broken_words",
        meaning="Halves of a word are joined if the book has it whole three times.",
        change=broken_words,
    ),
    Rule(
        name="digits_in_numbers",
        meaning="O, l and I between the digits of a number become 0 and 1.",
        change=digits_in_numbers,
    ),
    Rule(
        name="digits_in_words",
        meaning="0, 1 and I inside a word become letters if the book has that word.",
        change=digits_in_words,
    ),
)
