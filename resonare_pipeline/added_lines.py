"""Lines that messages gain below their texts, and how they are told from what people wrote.

Each stands on a line of its own at the end of a text, between square brackets, behind one of a few
labels, and holds no other square brackets but placeholders.
"""

import re

LINK = "Link"
POST = "Post"
IMAGE = "Image"
_ADDED = re.compile(rf"\[(?:{LINK}: |{POST} by |{POST}: |{POST}\]|{IMAGE}: )")


def added_line(label: str, said: str = "", *, by: str = "") -> str:
    """Return a line: `[Link: said]`, or `[Post by somebody: said]`, or `[Post]`."""
    head = f"{label} by {by}" if by else label
    return f"[{head}: {said}]" if said else f"[{head}]"


def without_added_lines(text: str) -> str:
    """Return a text without the lines that it has gained; empty if it is nothing else."""
    if not text.endswith("]"):  # nearly all
        return text
    lines = text.split("\n")
    while lines and _is_added(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _is_added(line: str) -> bool:
    return line.endswith("]") and _ADDED.match(line) is not None
