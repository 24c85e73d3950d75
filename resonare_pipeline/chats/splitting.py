"""One message that no block could hold, split into pieces: paragraph, sentence, then token borders.

Pieces are spans of the text in code points. What lies between two of them is white space only. No
piece begins inside a character as people see it (a letter with its marks, a joined emoji), unless
that character alone is over the budget. What may not live here: what a piece becomes.
"""

from collections.abc import Callable

import regex  # type: ignore[import-untyped]  # publishes no types

Span = tuple[int, int]

CLOSERS = r"[\p{Pe}\p{Pf}\p{Pi}\p{Quotation_Mark}]*"  # brackets and quotes that end a sentence
PARAGRAPH = regex.compile(r"\s*\n\s*")
# Full stops need white space after them (3.14, a.b); those of scripts without spaces do not.
SENTENCE = regex.compile(
    rf"[\p{{SB=STerm}}--[!?]]+{CLOSERS}\s*|[\p{{SB=STerm}}\p{{SB=ATerm}}…]+{CLOSERS}\s+",
    flags=regex.VERSION1,
)
WORD = regex.compile(r"\s+")
GRAPHEME = regex.compile(r"\X")

LEAST_FILL = 3  # a border is used if the piece before it fills at least 1/3 of what fits
FIRST_GUESS = 256  # characters; where the search for what fits begins


def split_text(text: str, fits: Callable[[str], bool]) -> list[Span]:
    """Return spans whose texts all fit, in order, with only white space between them.

    Args:
        text: The message's whole text.
        fits: Tells whether a piece is within the budget.

    Returns:
        No span at all if not even single characters fit.
    """
    spans: list[Span] = []
    at, end = _trimmed(text, 0, len(text))
    guess = FIRST_GUESS
    while at < end:
        limit = _farthest(text, at, end, fits, guess)
        stop = limit if limit == end else _border(text, at, limit)
        # Tokens are not quite monotone: a shorter piece may, rarely, have more of them.
        while stop > at and not fits(text[at:stop]):
            stop = _border(text, at, stop - 1)
        if stop == at:
            return []
        spans.append((at, stop))
        guess = limit - at
        at, _ = _trimmed(text, stop, end)
    return spans


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _farthest(text: str, at: int, end: int, fits: Callable[[str], bool], guess: int) -> int:
    # The farthest limit whose piece fits: doubled from a guess, then by bisection.
    low, high = at, min(end, at + guess)
    while high < end and fits(text[at:high]):
        low, high = high, min(end, at + 2 * (high - at))
    if high == end and fits(text[at:end]):
        return end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text[at:middle]) else (low, middle)
    return low


def _border(text: str, at: int, limit: int) -> int:
    # Where a piece that may reach the limit ends: the last border of the best kind that leaves it a
    # decent size, without the white space there.
    least = at + max(1, (limit - at) // LEAST_FILL)
    window = text[at : limit + 1]  # one more character tells whether the limit itself is a border
    for kind in (PARAGRAPH, SENTENCE, WORD):
        stop = 0
        for match in kind.finditer(window):
            before = at + match.start() + len(match.group().rstrip())
            if least <= before <= limit:
                stop = before
        if stop:
            return stop
    return _whole_characters(text, at, limit)


def _whole_characters(text: str, at: int, limit: int) -> int:
    stop = at
    for match in GRAPHEME.finditer(text, at):
        if match.end() > limit:
            break
        stop = match.end()
    return _trimmed(text, at, stop if stop > at else limit)[1]
