"""Brackets around something tall, which grow with it."""

from itertools import accumulate

from resonare_pipeline.books.math.symbols import BARS, CLOSING, OPENING
from resonare_pipeline.books.trees import Node, walk

TALL = frozenset({"mfrac", "mtable", "munderover", "munder", "mover", "mroot", "msqrt", "mstack"})


def brackets(children: list[Node]) -> dict[int, str]:
    r"""Return place → `\left(` or `\right)`, for pairs around something tall."""
    found: dict[int, str] = {}
    opened: list[tuple[int, str]] = []
    tall: list[int] = []  # how many tall elements stand before each, made when first asked for
    for index, child in enumerate(children):
        sign = child.text().strip() if child.tag == "mo" else ""
        is_bar = sign in BARS and bool(opened) and opened[-1][1] == BARS[sign]
        if sign in OPENING or (sign in BARS and not is_bar):
            opened.append((index, OPENING.get(sign) or BARS[sign]))
        elif opened and (sign in CLOSING or is_bar):
            start, left = opened.pop()
            tall = tall or [0, *accumulate(map(is_tall, children))]
            if tall[index] > tall[start + 1]:
                found[start] = rf"\left{left} "
                found[index] = rf" \right{CLOSING.get(sign) or BARS[sign]}"
    _open_end(children, opened, found)
    return found


def _open_end(children: list[Node], opened: list[tuple[int, str]], found: dict[int, str]) -> None:
    """Let a brace that is never closed grow with the cases that follow it."""
    if not opened or opened[-1][1] != r"\{":
        return
    start = opened[-1][0]
    if any(item.tag == "mtable" for child in children[start + 1 :] for item in walk(child)):
        found[start] = r"\left\{ "
        found[-1] = ""


def is_tall(node: Node) -> bool:
    """Tell whether an element is higher than a line."""
    return any(item.tag in TALL for item in walk(node))
