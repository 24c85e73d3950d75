"""Markdown → what rules may change and what they must not: code, formulas, addresses, labels."""

import re
from collections.abc import Callable, Iterator

PROTECTED = re.compile(
    r"(?:^[^\S\n]*|(?<=\s))(?P<fence>`{3,})[^`\n]*\n(?s:.*?)\n[> ]*(?P=fence)`*(?=\s|$)"
    r"|(?<![\\`])(?P<tick>`+)(?!`)(?:(?!\n\n)(?s:.))+?(?<!`)(?P=tick)(?!`)"
    r"|(?<!\\)\$\$(?:[^$\\]|\\(?s:.))+?\$\$"
    r"|(?<![\\$])\$(?!\s)(?:[^$\\\n]|\\.)+?\$"
    r"|(?<!\\)\\\((?:(?!\\\(|\n\n)(?s:.)){1,4000}?\\\)"
    r"|(?<!\\)\\\[(?![\^\]])(?:(?!\\\[|\n\n)(?s:.)){1,4000}?\\\]"
    r"|\\begin\{(?P<environment>[A-Za-z]+\*?)\}(?s:.){1,4000}?\\end\{(?P=environment)\}"
    r"|\]\((?:[^()\s]|\([^()\s]*\))*\)"
    r"|<(?:https?|mailto|ftp|doi):[^>\s]*>"
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


def changed(text: str, change: Callable[[str], str]) -> str:
    """Return Markdown with each piece of plain text changed, and all else as it is."""
    parts: list[str] = []
    done = 0
    for found in PROTECTED.finditer(text):
        if found.start() > done:
            parts.append(change(text[done : found.start()]))
        parts.append(found.group())
        done = found.end()
    if done < len(text):
        parts.append(change(text[done:]))
    return "".join(parts)


def protected(text: str) -> list[str]:
    """Return code and formulas, in order."""
    return [part for part in (found.group() for found in PROTECTED.finditer(text)) if _counts(part)]


def _counts(part: str) -> bool:
    return part.lstrip().startswith(("`", "$", "\\(", "\\[", "\\begin"))


def plain(text: str) -> Iterator[str]:
    """Yield the pieces of plain text."""
    done = 0
    for found in PROTECTED.finditer(text):
        yield text[done : found.start()]
        done = found.end()
    yield text[done:]
