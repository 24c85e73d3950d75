"""What stands inside an element of MathML, whatever its state."""

import re
from collections.abc import Callable
from itertools import accumulate

from resonare_pipeline.books.math.symbols import BARS, CLOSING, OPENING
from resonare_pipeline.books.trees import Node

Convert = Callable[[Node], str]
"""Element → LaTeX."""

_ONE = re.compile(r"\\[A-Za-z]+|\\[A-Za-z]+\{(?:[^{}]|\{[^{}]*\})*\}|\d+")
SHORTEST_BRACKETED = 2  # an opening bracket and a closing one


def children_of(node: Node) -> list[Node]:
    """Return an element's own; text beside elements, which is not valid, is kept as one."""
    found = list(node.elements())
    if not found or all(isinstance(child, Node) or not child.strip() for child in node.children):
        return found
    kept: list[Node] = []
    for child in node.children:
        if isinstance(child, Node):
            kept.append(child)
        elif child.strip():
            stray = Node("mi", {}, node)
            stray.children = [child]
            kept.append(stray)
    return kept


def parts_of(node: Node, count: int) -> list[Node]:
    """Return as many elements as a layout takes, empty ones where some are missing."""
    found = children_of(node)
    if len(found) > count:  # not valid; nothing of it may be lost
        row = Node("mrow", {}, node)
        row.children = list(found[count - 1 :])
        return [*found[: count - 1], row]
    return found + [Node("mrow", {}, node)] * (count - len(found))


def alone(node: Node) -> Node:
    """Return the one element that stands in rows around it, or the element itself."""
    while node.tag in ("mrow", "mstyle", "mpadded") and len(inside := children_of(node)) == 1:
        node = inside[0]
    return node


def stripped(tex: str) -> str:
    r"""Return LaTeX without space around it, nor the backslash of a last `\ `."""
    tex = tex.strip()
    while (len(tex) - len(tex.rstrip("\\"))) % 2:
        tex = tex[:-1].rstrip()
    return tex


def grouped(node: Node, convert: Convert) -> str:
    """Return an element without space around it."""
    return stripped(convert(node))


def is_bracketed(node: Node) -> bool:
    """Tell whether the operator that a row begins with is closed by the one that it ends with."""
    found = children_of(node)
    signs = [item.text().strip() if item.tag == "mo" else "" for item in found]
    if len(found) < SHORTEST_BRACKETED or not signs[0] or not signs[-1]:
        return False
    if signs[0] in BARS:
        return signs[-1] == signs[0] and signs[0] not in signs[1:-1]
    depths = accumulate((sign in OPENING) - (sign in CLOSING) for sign in signs)
    return signs[-1] in CLOSING and all(depth > 0 for depth in list(depths)[:-1])


def base(node: Node, convert: Convert) -> str:
    """Return what scripts are put to, in braces unless it is one sign or number."""
    tex = grouped(node, convert)
    is_one = len(tex) == 1 or _ONE.fullmatch(tex)
    node = alone(node)
    if is_one or (node.tag == "mo" and tex):
        return tex
    closing = node.attributes.get("close", ")").strip()
    is_clear = closing in CLOSING or (closing in BARS and BARS.keys().isdisjoint(node.text()))
    is_fenced = node.tag == "mfenced" and is_clear
    if is_fenced or (node.tag == "mrow" and is_bracketed(node)):
        return tex
    return f"{{{tex}}}"
