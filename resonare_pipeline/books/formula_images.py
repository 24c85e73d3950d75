"""Images that are formulas: their alternative text is TeX."""

import re

from resonare_pipeline.books.trees import Node

_NAMED = re.compile(r"\b(math|tex|latex|equation|formula|mwe-math\S*)\b", re.IGNORECASE)
_TEX_SIGN = re.compile(r"\\[A-Za-z]+|[_^]")


def tex_of_image(node: Node) -> str:
    """Return the TeX that an image of a formula stands for; empty for any other image."""
    alternative = " ".join(node.get("alt").split())
    named = f"{node.get('class')} {node.get('role')} {node.get('epub:type')}"
    return alternative if _NAMED.search(named) and _TEX_SIGN.search(alternative) else ""
