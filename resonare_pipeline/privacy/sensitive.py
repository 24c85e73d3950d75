"""Words that a person does not want in a dataset."""

import re
from collections.abc import Iterator, Sequence

from resonare_pipeline.privacy.kinds import Kind, Span, item
from resonare_pipeline.privacy.name_forms import UNSPACED

_SPACES = re.compile(r"\s+")


class WordFinder:
    """Finds words and phrases, whatever their case and the spaces between their parts.

    A word stands by itself: `pass` is not found in `passage`. In scripts without spaces it is found
    anywhere.
    """

    def __init__(self, words: Sequence[str]) -> None:
        parts = sorted(
            {_SPACES.sub(" ", word.strip()) for word in words}, key=lambda w: (-len(w), w)
        )
        self._pattern = re.compile("|".join(map(_form, parts)), re.IGNORECASE)

    def find(self, text: str) -> Iterator[Span]:
        """Yield the words that stand in a text."""
        for match in self._pattern.finditer(text):
            yield item(match.start(), match.end(), Kind.WORD)


def _form(word: str) -> str:
    body = re.escape(word).replace(r"\ ", r"\s+")
    before = "" if UNSPACED.match(word[0]) or not word[0].isalnum() else r"(?<!\w)"
    behind = "" if UNSPACED.match(word[-1]) or not word[-1].isalnum() else r"(?!\w)"
    return f"{before}{body}{behind}"
