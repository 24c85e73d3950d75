"""Which language a conversation is in: a guess from its text, by py3langid's model."""

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

READ_CHARACTERS = 500  # a longer text is hardly guessed better, and costs more
FEWEST_LETTERS = 20  # of less, the guess is not worth having
LEAST_CONFIDENCE = 0.5
UNKNOWN = "und"  # ISO 639-2, for what is undetermined


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads its model: 0.7 s

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def guess_language(texts: Iterable[str]) -> str | None:
    """Return the ISO 639-1 code of the language of some texts together; None if it is not clear."""
    parts: list[str] = []
    left = READ_CHARACTERS
    for text in texts:
        parts.append(text[:left])
        left -= len(parts[-1])
        if left <= 0:
            break
    text = "\n".join(parts)
    if sum(map(str.isalpha, text)) < FEWEST_LETTERS:
        return None
    language, confidence = _identifier().classify(text)
    return language if confidence >= LEAST_CONFIDENCE else None
