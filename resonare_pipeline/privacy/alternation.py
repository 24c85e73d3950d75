"""Lists of words as regular expressions."""


def alternation(words: str, *, whole: bool = False) -> str:
    """Return a pattern for any of some words.

    Args:
        words: With white space between them; each may be a pattern. `_` stands for one or no space.
        whole: No letter may stand before or behind.
    """
    parts = "|".join(word.replace("_", r"[ \u00a0_\-]?") for word in words.split())
    return rf"(?<![^\W\d_])(?:{parts})(?![^\W\d_])" if whole else rf"(?:{parts})"
