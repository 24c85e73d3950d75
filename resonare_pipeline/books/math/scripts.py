"""Scripts, limits, accents and prescripts of MathML → LaTeX. Their content is given as LaTeX."""

import re

from resonare_pipeline.books.math.parts import (
    Convert,
    alone,
    base,
    children_of,
    grouped,
    parts_of,
)
from resonare_pipeline.books.math.symbols import (
    ACCENTS_OVER,
    ACCENTS_UNDER,
    BIG_OPERATORS,
    LIMITS_BELOW,
)
from resonare_pipeline.books.math.tokens import named_operator
from resonare_pipeline.books.trees import Node

_DEGREE = r"{}^{\circ}"


def scripts(tex: str, below: str, above: str) -> str:
    """Return something with a script below, above or both; primes as such."""
    if re.fullmatch(r"(\\prime|')+", above.replace(" ", "")):
        primes = "'" * (above.count("prime") + above.count("'"))
        return f"{tex}{primes}" + (f"_{{{below}}}" if below else "")
    above = r"\circ" if above == _DEGREE else above
    return tex + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def sub(node: Node, convert: Convert) -> str:
    """Return `msub`."""
    inner, below = parts_of(node, 2)
    return scripts(base(inner, convert), grouped(below, convert), "")


def sup(node: Node, convert: Convert) -> str:
    """Return `msup`."""
    inner, above = parts_of(node, 2)
    return scripts(base(inner, convert), "", grouped(above, convert))


def subsup(node: Node, convert: Convert) -> str:
    """Return `msubsup`."""
    inner, below, above = parts_of(node, 3)
    return scripts(base(inner, convert), grouped(below, convert), grouped(above, convert))


def under(node: Node, convert: Convert) -> str:
    """Return `munder`."""
    inner, below = parts_of(node, 2)
    return _below(inner, grouped(inner, convert), below, convert)


def over(node: Node, convert: Convert) -> str:
    """Return `mover`."""
    inner, above = parts_of(node, 2)
    return _above(inner, grouped(inner, convert), above, convert)


def underover(node: Node, convert: Convert) -> str:
    """Return `munderover`."""
    inner, below, above = parts_of(node, 3)
    if operator := _with_limits(inner, convert):
        return scripts(operator, grouped(below, convert), grouped(above, convert))
    tex = _below(inner, grouped(inner, convert), below, convert)
    return _above(inner, tex, above, convert)


def multiscripts(node: Node, convert: Convert) -> str:
    """Return `mmultiscripts`: what stands before is put to an empty base."""
    inner, *rest = children_of(node) or [Node("mrow", {}, node)]
    split = next((i for i, item in enumerate(rest) if item.tag == "mprescripts"), len(rest))
    after, before = rest[:split], rest[split + 1 :]
    left = "".join("{}" + scripts("", *pair) for pair in _pairs(before, convert))
    right = [scripts("", *pair) for pair in _pairs(after, convert)]
    return left + base(inner, convert) + "{}".join(filter(None, right))


def _pairs(items: list[Node], convert: Convert) -> list[tuple[str, str]]:
    texts = [grouped(item, convert) for item in items] + [""]
    return [(texts[i], texts[i + 1]) for i in range(0, len(items), 2)]


def _with_limits(inner: Node, convert: Convert) -> str:
    """Return what LaTeX puts scripts below and above of by itself, or "" if it is no such sign."""
    text = " ".join(inner.text().split())
    if text in BIG_OPERATORS or text in LIMITS_BELOW:
        tex = grouped(inner, convert)
        return rf"{tex}\limits" if text in "∫∬∭∮" else tex
    return named_operator(alone(inner))


def _below(inner: Node, tex: str, below: Node, convert: Convert) -> str:
    script = grouped(below, convert)
    if operator := _with_limits(inner, convert):
        return scripts(operator, script, "")
    sign = below.text().strip()
    if below.tag == "mo" and sign in ACCENTS_UNDER:
        return f"{ACCENTS_UNDER[sign]}{{{tex}}}"
    if tex.startswith((r"\underbrace{", r"\underline{")):
        return f"{tex}_{{{script}}}"
    return rf"\underset{{{script}}}{{{tex}}}" if script else tex


def _above(inner: Node, tex: str, above: Node, convert: Convert) -> str:
    script = grouped(above, convert)
    sign = above.text().strip()
    if above.tag == "mo" and sign in ACCENTS_OVER:
        return f"{_accent(sign, tex)}{{{tex}}}"
    if tex.startswith(r"\overbrace{"):
        return f"{tex}^{{{script}}}"
    if alone(inner).tag == "mo" and (operator := _with_limits(inner, convert)):
        return scripts(operator, "", script)
    return rf"\overset{{{script}}}{{{tex}}}" if script else tex


def _accent(sign: str, tex: str) -> str:
    command = ACCENTS_OVER[sign]
    if sign == "→" and len(tex) == 1:
        return r"\vec"
    is_wide = command in (r"\hat", r"\tilde") and len(tex) > 1 and not tex.startswith("\\")
    return command.replace("\\", r"\wide") if is_wide else command
