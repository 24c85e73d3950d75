r"""MathML → LaTeX of amsmath and amssymb, without delimiters.

pandoc's texmath is the model. It is not the engine, since it takes 6 seconds and 370 MB for a book
of 10,000 formulas, brings 155 MB along, and leaves a formula that it cannot read, such as a long
division, as bare text. Here whatever is unknown keeps its content, so that no sign is lost.

What an author wrote as TeX is taken before anything is converted: an `annotation` of TeX, else an
`alttext` that is TeX.
"""

import re
from collections.abc import Callable

from resonare_pipeline.books.math.brackets import brackets, is_tall
from resonare_pipeline.books.math.layouts import enclosed, matrix, stacked
from resonare_pipeline.books.math.symbols import (
    ACCENTS_OVER,
    ACCENTS_UNDER,
    BARS,
    BIG_OPERATORS,
    CLOSING,
    LIMITS_BELOW,
    OPENING,
)
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
from resonare_pipeline.books.math.written import written
from resonare_pipeline.books.trees import Node, walk

SILENT = frozenset(
    {"annotation", "annotation-xml", "maligngroup", "malignmark", "mprescripts", "none", "mglyph"}
)
_WHITE = re.compile(r"\s+")


def to_latex(math: Node) -> str:
    """Return a `math` element as LaTeX; empty only if there is no sign in it."""
    tex = written(math)
    if not tex:
        tex = _WHITE.sub(" ", _row(_children(math), math)).strip()
    if not tex:
        content = _WHITE.sub(" ", math.get("alttext") or _visible(math)).strip()
        tex = text_of(content) if content else ""
    return tex.replace("\n\n", "\n")


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
    maker = _MAKERS.get(node.tag)
    if maker is not None:
        return maker(node)
    if node.tag in SILENT:
        return text_of(node.get("alt")) if node.get("alt") else ""
    return _row(_children(node), node)


def _children(node: Node) -> list[Node]:
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


def _row(children: list[Node], node: Node | None = None) -> str:
    """Return elements beside one another; brackets around something tall grow with it."""
    if not children:
        own = _WHITE.sub(" ", node.text()).strip() if node is not None else ""
        return symbols_of(own) if own else ""
    pairs = brackets(children)
    parts: list[str] = []
    for index, child in enumerate(children):
        if index in pairs:
            parts.append(pairs[index])
        elif child.tag == "mi" and _is_applied(children, index):
            parts.append(applied_name(child))
        else:
            parts.append(convert(child))
    return join([*parts, *([r" \right."] if -1 in pairs else [])])


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


def _group(node: Node) -> str:
    return convert(node).strip()


def _base(node: Node) -> str:
    """Return what scripts are put to, in braces unless it is one sign."""
    tex = _group(node)
    is_one = len(tex) == 1 or re.fullmatch(r"\\[A-Za-z]+|\\[A-Za-z]+\{[^{}]*\}", tex)
    if is_one or (node.tag == "mo" and tex):
        return tex
    if node.tag == "mrow" and re.fullmatch(r"(\\left)?[(\[|].*[)\]|]", tex) and _is_bracketed(node):
        return tex
    return f"{{{tex}}}"


def _is_bracketed(node: Node) -> bool:
    found = _children(node)
    return len(found) > 1 and found[0].tag == found[-1].tag == "mo"


def _parts(node: Node, count: int) -> list[Node]:
    """Return as many elements as a layout takes, empty ones where some are missing."""
    found = _children(node)
    rest = found[count - 1 :]
    if len(found) > count:  # not valid; nothing of it may be lost
        row = Node("mrow", {}, node)
        row.children = list(rest)
        return [*found[: count - 1], row]
    return found + [Node("mrow", {}, node)] * (count - len(found))


def _fraction(node: Node) -> str:
    top, bottom = map(_group, _parts(node, 2))
    if node.get("linethickness") in ("0", "0pt", "0px", "0em", "0.0"):
        return rf"\genfrac{{}}{{}}{{0pt}}{{}}{{{top}}}{{{bottom}}}"
    if node.get("bevelled") == "true":
        return f"{{{top}}}/{{{bottom}}}"
    return rf"\frac{{{top}}}{{{bottom}}}"


def _square_root(node: Node) -> str:
    return rf"\sqrt{{{_row(_children(node), node).strip()}}}"


def _root(node: Node) -> str:
    base, index = map(_group, _parts(node, 2))
    return rf"\sqrt[{index}]{{{base}}}" if index else rf"\sqrt{{{base}}}"


def _scripts(base: str, below: str, above: str) -> str:
    if re.fullmatch(r"(\\prime|')+", above.replace(" ", "")):
        primes = "'" * (above.count("prime") + above.count("'"))
        return f"{base}{primes}" + (f"_{{{below}}}" if below else "")
    return base + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def _sub(node: Node) -> str:
    base, below = _parts(node, 2)
    return _scripts(_base(base), _group(below), "")


def _sup(node: Node) -> str:
    base, above = _parts(node, 2)
    return _scripts(_base(base), "", _group(above))


def _subsup(node: Node) -> str:
    base, below, above = _parts(node, 3)
    return _scripts(_base(base), _group(below), _group(above))


def _takes_limits(base: Node) -> bool:
    text = base.text().strip()
    return text in BIG_OPERATORS or text in LIMITS_BELOW


def _under(node: Node) -> str:
    base, below = _parts(node, 2)
    return _below(base, _group(base), below)


def _below(base: Node, tex: str, below: Node) -> str:
    script = _group(below)
    if _takes_limits(base):
        return _scripts(_limits(base, tex), script, "")
    sign = below.text().strip()
    if below.tag == "mo" and sign in ACCENTS_UNDER:
        return f"{ACCENTS_UNDER[sign]}{{{tex}}}"
    if tex.startswith((r"\underbrace{", r"\underline{")):
        return f"{tex}_{{{script}}}"
    return rf"\underset{{{script}}}{{{tex}}}" if script else tex


def _limits(base: Node, tex: str) -> str:
    return rf"{tex}\limits" if base.text().strip() in "∫∬∭∮" else tex


def _over(node: Node) -> str:
    base, above = _parts(node, 2)
    return _above(base, _group(base), above)


def _above(base: Node, tex: str, above: Node) -> str:
    script = _group(above)
    if _takes_limits(base):
        return _scripts(_limits(base, tex), "", script)
    sign = above.text().strip()
    if above.tag == "mo" and sign in ACCENTS_OVER:
        command = ACCENTS_OVER[sign]
        if sign == "→" and len(tex) == 1:
            command = r"\vec"
        elif command in (r"\hat", r"\tilde") and len(tex) > 1 and not tex.startswith("\\"):
            command = command.replace("\\", r"\wide")
        return f"{command}{{{tex}}}"
    if tex.startswith(r"\overbrace{"):
        return f"{tex}^{{{script}}}"
    return rf"\overset{{{script}}}{{{tex}}}" if script else tex


def _underover(node: Node) -> str:
    base, below, above = _parts(node, 3)
    if _takes_limits(base):
        return _scripts(_limits(base, _group(base)), _group(below), _group(above))
    return _above(base, _below(base, _group(base), below), above)


def _multiscripts(node: Node) -> str:
    base, *rest = _children(node) or [Node("mrow", {}, node)]
    split = next((i for i, item in enumerate(rest) if item.tag == "mprescripts"), len(rest))
    after, before = rest[:split], rest[split + 1 :]
    left = "".join("{}" + _scripts("", *pair) for pair in _pairs(before))
    right = [_scripts("", *pair) for pair in _pairs(after)]
    return left + _base(base) + "{}".join(filter(None, right))


def _pairs(items: list[Node]) -> list[tuple[str, str]]:
    texts = [_group(item) for item in items] + [""]
    return [(texts[i], texts[i + 1]) for i in range(0, len(items), 2)]


def _fenced(node: Node) -> str:
    opening = node.attributes.get("open", "(").strip()
    closing = node.attributes.get("close", ")").strip()
    signs = node.attributes.get("separators", ",").replace(" ", "")
    items = _children(node)
    parts: list[str] = []
    for index, item in enumerate(items):
        if index and signs:
            parts.append(f"{symbols_of(signs[min(index - 1, len(signs) - 1)])} ")
        parts.append(convert(item))
    inner = join(parts)
    if not any(map(is_tall, items)) and opening and closing:
        return join([symbols_of(opening), inner, symbols_of(closing)])
    fences = OPENING | CLOSING | BARS
    left, right = fences.get(opening, symbols_of(opening)), fences.get(closing, symbols_of(closing))
    return rf"\left{left or '.'} {inner} \right{right or '.'}"


def _phantom(node: Node) -> str:
    return rf"\phantom{{{_row(_children(node), node)}}}"


def _enclosed(node: Node) -> str:
    return enclosed(node, _row(_children(node), node).strip())


def _semantics(node: Node) -> str:
    for child in node.elements():
        if child.tag == "annotation-xml" and "presentation" in child.get("encoding").lower():
            return _row(_children(child), child)
    return "".join(convert(child) for child in node.elements() if child.tag not in SILENT)


def _action(node: Node) -> str:
    items = _children(node)
    chosen = node.get("selection")
    index = int(chosen) - 1 if chosen.isdecimal() else 0
    return convert(items[min(max(index, 0), len(items) - 1)]) if items else ""


def _apply(node: Node) -> str:
    """Return content MathML as a function of its arguments; few books write it by itself."""
    head, *rest = _children(node) or [Node("mrow", {}, node)]
    arguments = ", ".join(map(_group, rest))
    name = _group(head) if head.children else rf"\operatorname{{{head.tag}}}"
    return rf"{name}\left( {arguments} \right)"


def _table(node: Node) -> str:
    return matrix(node, convert)


def _stack(node: Node) -> str:
    return stacked(node, convert)


_MAKERS: dict[str, Callable[[Node], str]] = {
    "mi": identifier,
    "ci": identifier,
    "mn": number,
    "cn": number,
    "mo": operator,
    "mtext": _mtext,
    "ms": quoted,
    "mspace": space,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _subsup,
    "munder": _under,
    "mover": _over,
    "munderover": _underover,
    "mmultiscripts": _multiscripts,
    "mfenced": _fenced,
    "mphantom": _phantom,
    "menclose": _enclosed,
    "mtable": _table,
    "mstack": _stack,
    "mlongdiv": _stack,
    "semantics": _semantics,
    "maction": _action,
    "apply": _apply,
}
