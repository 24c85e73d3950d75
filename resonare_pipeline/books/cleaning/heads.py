"""Running heads: a title that is printed on every page, left in the middle of a sentence."""

import re
from collections import Counter
from collections.abc import Iterable

from resonare_pipeline.books.cleaning.rules import Tally

NAME = "running_heads"
MEANING = "A paragraph that repeats a title inside a sentence goes, and the sentence is joined."
FEWEST = 2  # times that a title must interrupt a sentence in a book
LONGEST = 90  # characters
_EDGE = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_OPEN_END = re.compile(r"[\w,;-]$")
_STRUCTURE = re.compile(r"^(?:[#>|`$!:]|[-*] |\d+\. |\[\^)")


def without_heads(texts: list[str], titles: Iterable[str], tally: Tally) -> list[str]:
    """Return texts without the titles that stand in the middle of their sentences.

    Args:
        texts: Markdown of a book's rows.
        titles: Of the book and all its sections.
    """
    known = {_folded(title) for title in titles} - {""}
    parts = [text.split("\n\n") for text in texts]
    seen: Counter[str] = Counter(
        _folded(part[index])
        for part in parts
        for index in range(1, len(part) - 1)
        if _interrupts(part, index, known)
    )
    heads = {head for head, count in seen.items() if count >= FEWEST}
    return ["\n\n".join(_joined(part, heads, tally)) for part in parts]


def _folded(text: str) -> str:
    return " ".join(_EDGE.sub("", text).casefold().split()) if len(text) <= LONGEST else ""


def _interrupts(parts: list[str], index: int, titles: set[str]) -> bool:
    before, here, after = parts[index - 1 : index + 2]
    is_inside = _OPEN_END.search(before) and after[:1].islower()
    is_plain = not any(_STRUCTURE.match(part) for part in (before, here, after))
    return bool(is_inside) and is_plain and _folded(here) in titles


def _joined(parts: list[str], heads: set[str], tally: Tally) -> list[str]:
    if not heads:
        return parts
    kept: list[str] = []
    index = 0
    while index < len(parts):
        if 0 < index < len(parts) - 1 and _interrupts(parts, index, heads):
            after = f"{kept[-1]} {parts[index + 1]}"
            tally.add(" / ".join(parts[index - 1 : index + 2])[-120:], after[-100:])
            kept[-1] = after
            parts = [*parts[: index - 1], after, *parts[index + 2 :]]
            kept.pop()
            index -= 1
        kept.append(parts[index])
        index += 1
    return kept
