"""Markdown → what rules may change and what they must not: code, formulas, addresses, labels."""

import re
from collections.abc import Iterator

PROTECTED = re.compile(
    r"(?:^[^\S\n]*|(?<=\s))(?P<fence>`{3,})[^`\n]*\n(?s:.*?)\n[> ]*(?P=fence)`*(?=\s|$)"
    r"|(?<![\\`])(?P<tick>`+)(?!`)(?:(?!\n\n)(?s:.))+?(?<!`)(?P=tick)(?!`)"
    r"|(?<!\\)\$\$(?:[^$\\]|\\(?s:.))+?\$\$"
    r"|(?<![\\$])\$(?!\s)(?:[^$\\\n]|\\.)+?\$"
    r"|(?<!\\)\\\((?:(?!\\\(|\n\n)(?s:.)){1,4000}?\\\)"
    r"|(?<!\\)\\\[(?![\^\]])(?:(?!\\\[|\n\n)(?s:.)){1,4000}?\\\]"
    r"|\\begin\{(?P<environment>[A-Za-z]+\*?)\}(?s:.){1,4000}?\\end\{(?P=environment)\}"
    r"|\]\((?:[^()\s]|\([^()\s]*\))*\)"
    r"|<(?:https?|mailto|ftp|doi):[^<>\s]{0,2000}>"
    r"|https?://[^\s)>\]]+"
    r"|\[\^[^\]\s]+\]:?"
    r"|[\^_]\{[^{}\n]*\}"
    r"|^[> ]*\|(?: *:?-{3,}:? *\|)+ *$"
    r"|^[> ]*-{3,}$"
    r"|^(?:[> ]*(?:[-*] |\d+\. |: {3}|#{1,6} ))+"
    r"|(?: {2})$"
    r"|<br>",
    re.MULTILINE,
)
"""What no rule touches."""
_LABEL = re.compile(r"\[\^[^\]\s]+\]:?")


def split(text: str) -> list[str]:
    """Return plain and protected pieces by turns, the first one plain; joined they are the text."""
    parts: list[str] = []
    done = 0
    for found in PROTECTED.finditer(text):
        parts += (text[done : found.start()], found.group())
        done = found.end()
    return [*parts, text[done:]]


def protected(text: str) -> list[str]:
    """Return code and formulas, in order."""
    return [part for part in split(text)[1::2] if _counts(part)]


def note_labels(text: str) -> list[str]:
    """Return the labels of notes in a text, in order: `[^1]` at a call, `[^1]:` at the note."""
    labels: list[str] = []
    before = ""
    for index, part in enumerate(split(text)):
        if index % 2 and _LABEL.fullmatch(part) and not before.endswith("\\"):
            starts_line = not before or before.endswith("\n")
            labels.append(part if starts_line else part.removesuffix(":"))
        before = part or before
    return labels


def notes_that_do_not_match(text: str) -> set[str]:
    """Return labels of notes that a text calls and does not define, or the other way round."""
    labels = note_labels(text)
    defined = {label.removesuffix(":") for label in labels if label.endswith(":")}
    return defined ^ {label for label in labels if not label.endswith(":")}


def _counts(part: str) -> bool:
    return part.lstrip().startswith(("`", "$", "\\(", "\\[", "\\begin"))


def plain(text: str) -> Iterator[str]:
    """Yield the pieces of plain text."""
    yield from split(text)[::2]
