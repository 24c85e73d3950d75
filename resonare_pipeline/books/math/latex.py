r"""MathML → LaTeX of amsmath and amssymb, without delimiters.

pandoc's texmath is the model, and tests hold each kind of formula against it. It is not the engine:
pandoc takes eight times the time and three times the memory for a textbook of 10,000 formulas,
brings 155 MB along, and leaves a formula that it cannot read, such as a long division, as bare
text. Here whatever is unknown keeps its content, so that no sign is lost.

What an author wrote as TeX is taken before anything is converted: an `annotation` of TeX, else an
`alttext` that is TeX.
"""

import re
from collections.abc import Callable

from resonare_pipeline.books.math import scripts
from resonare_pipeline.books.math.brackets import brackets, is_tall
from resonare_pipeline.books.math.layouts import enclosed, fused, is_pile, matrix, pile, stacked
from resonare_pipeline.books.math.meaning import HEADS, meaning
from resonare_pipeline.books.math.parts import (
    Convert,
    alone,
    children_of,
    grouped,
    parts_of,
    stripped,
)
from resonare_pipeline.books.math.symbols import BARS, CLOSING, OPENING
from resonare_pipeline.books.math.tokens import (
    applied_name,
    identifier,
    join,
    number,
    operator,
    quoted,
    space,
    symbols_of,
    text_of,
)
from resonare_pipeline.books.math.written import sealed, written
from resonare_pipeline.books.trees import Node, walk

SILENT = frozenset(
    {"annotation", "annotation-xml", "maligngroup", "malignmark", "mprescripts", "none", "mglyph"}
)
_WHITE = re.compile(r"\s+")
_WORDS = re.compile(r"[^\W\d_]{2}.* ")


def to_latex(math: Node) -> str:
    """Return a `math` element as LaTeX; empty only if there is no sign in it."""
    tex = written(math)
    if not tex:
        tex = stripped(_WHITE.sub(" ", _row(children_of(math), math)))
    if not tex:
        content = _WHITE.sub(" ", math.get("alttext") or _visible(math)).strip()
        tex = text_of(content) if content else ""
    return sealed(tex)


def _visible(node: Node) -> str:
    return " ".join(
        child.strip()
        for item in walk(node)
        if item.tag not in ("annotation", "annotation-xml")
        for child in item.children
        if isinstance(child, str)
    )


def convert(node: Node) -> str:
    """Return one element."""
    if node.tag in _MAKERS:
        return _MAKERS[node.tag](node)
    if node.tag in _LAYOUTS:
        return _LAYOUTS[node.tag](node, convert)
    if node.tag in SILENT:
        return text_of(node.get("alt")) if node.get("alt") else ""
    if node.tag in HEADS:
        return meaning(node, convert)
    return _row(children_of(node), node)


def _row(children: list[Node], node: Node | None = None) -> str:
    """Return elements beside one another; brackets around something tall grow with it."""
    if not children:
        own = _WHITE.sub(" ", node.text()).strip() if node is not None else ""
        return text_of(own) if _WORDS.search(own) else symbols_of(own)
    pairs = brackets(children)
    parts: list[str] = []
    index = 0
    while index < len(children):
        child = children[index]
        whole, count = _whole(children, index, pairs) if index in pairs else ("", 1)
        if whole:
            parts.append(whole)
        elif index in pairs:
            parts.append(pairs[index])
        elif child.tag == "mi" and _is_applied(children, index):
            parts.append(applied_name(child))
        else:
            parts.append(convert(child))
        index += count
    return join([*parts, *([r" \right."] if -1 in pairs else [])])


def _whole(children: list[Node], index: int, pairs: dict[int, str]) -> tuple[str, int]:
    """Return brackets and the one table in them, and how many elements these are."""
    rest = children[index + 1 :]
    if not rest or not pairs[index].startswith(r"\left"):
        return "", 1
    opening = children[index].text().strip()
    if -1 in pairs and not any(child.text().strip() for child in rest[1:]):
        tex, count = fused(opening, rest[0], "", convert), len(children) - index
        if tex:
            del pairs[-1]
    elif pairs.get(index + 2, "").startswith(r" \right"):
        tex, count = fused(opening, rest[0], rest[1].text().strip(), convert), 3
    else:
        return "", 1
    return (tex, count) if tex else ("", 1)


def _is_applied(children: list[Node], index: int) -> bool:
    return index + 1 < len(children) and children[index + 1].text().strip() == "\u2061"


def _mtext(node: Node) -> str:
    parts: list[str] = []
    for child in node.children:
        if isinstance(child, str):
            text = _WHITE.sub(" ", child).replace("\u00a0", " ")
            parts.append(text_of(text) if text.strip() else (r"\ " if text else ""))
        else:
            parts.append(to_latex(child) if child.tag == "math" else _mtext(child))
    return "".join(parts)


def _fraction(node: Node) -> str:
    if is_pile(node):
        return pile(node, convert)
    top, bottom = (grouped(part, convert) for part in parts_of(node, 2))
    if node.get("bevelled") == "true" and all(map(_is_one, parts_of(node, 2))):
        return f"{top}/{bottom}"
    return rf"\frac{{{top}}}{{{bottom}}}"


def _is_one(node: Node) -> bool:
    return alone(node).tag in ("mi", "mn")


def _square_root(node: Node) -> str:
    return rf"\sqrt{{{stripped(_row(children_of(node), node))}}}"


def _root(node: Node) -> str:
    base, index = (grouped(part, convert) for part in parts_of(node, 2))
    if not index:
        return rf"\sqrt{{{base}}}"
    return rf"\sqrt[{{{index}}}]{{{base}}}" if "]" in index else rf"\sqrt[{index}]{{{base}}}"


def _fenced(node: Node) -> str:
    opening = node.attributes.get("open", "(").strip()
    closing = node.attributes.get("close", ")").strip()
    items = children_of(node)
    if len(items) == 1 and (tex := fused(opening, items[0], closing, convert)):
        return tex
    inner = _separated(items, re.sub(r"\s", "", node.attributes.get("separators", ",")))
    fences = {"": "."} | OPENING | CLOSING | BARS
    grows = opening in fences and closing in fences and f"{opening}{closing}"
    if grows and (any(map(is_tall, items)) or not (opening and closing)):
        return rf"\left{fences[opening]} {inner} \right{fences[closing]}"
    return join([symbols_of(opening), inner, symbols_of(closing)])


def _separated(items: list[Node], signs: str) -> str:
    parts: list[str] = []
    for index, item in enumerate(items):
        if index and signs:
            parts.append(f"{symbols_of(signs[min(index - 1, len(signs) - 1)])} ")
        parts.append(convert(item))
    return join(parts)


def _phantom(node: Node) -> str:
    return rf"\phantom{{{_row(children_of(node), node)}}}"


def _enclosed(node: Node) -> str:
    return enclosed(node, stripped(_row(children_of(node), node)))


def _semantics(node: Node) -> str:
    for child in node.elements():
        if child.tag == "annotation-xml" and "presentation" in child.get("encoding").lower():
            return _row(children_of(child), child)
    return "".join(convert(child) for child in node.elements() if child.tag not in SILENT)


def _action(node: Node) -> str:
    items = children_of(node)
    chosen = node.get("selection")
    index = int(chosen) - 1 if chosen.isdecimal() else 0
    return convert(items[min(max(index, 0), len(items) - 1)]) if items else ""


_MAKERS: dict[str, Callable[[Node], str]] = {
    "mi": identifier,
    "mn": number,
    "mo": operator,
    "mtext": _mtext,
    "ms": quoted,
    "mspace": space,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "mfenced": _fenced,
    "mphantom": _phantom,
    "menclose": _enclosed,
    "semantics": _semantics,
    "maction": _action,
}
_LAYOUTS: dict[str, Callable[[Node, Convert], str]] = {
    "msub": scripts.sub,
    "msup": scripts.sup,
    "msubsup": scripts.subsup,
    "munder": scripts.under,
    "mover": scripts.over,
    "munderover": scripts.underover,
    "mmultiscripts": scripts.multiscripts,
    "mtable": matrix,
    "mstack": stacked,
    "mlongdiv": stacked,
}
