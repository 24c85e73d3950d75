"""MathML that says what is meant (content MathML) → LaTeX. Its arguments are given as LaTeX.

Few books write it by itself. What is common in schools is written as one writes it by hand;
anything else stands as a function of its arguments, so that nothing of it is lost.
"""

from collections.abc import Sequence

from resonare_pipeline.books.math.layouts import environment
from resonare_pipeline.books.math.parts import Convert, base, children_of, grouped
from resonare_pipeline.books.math.symbols import FUNCTIONS
from resonare_pipeline.books.math.tokens import content_of, identifier, join, number
from resonare_pipeline.books.trees import Node

BETWEEN = {
    "plus": " + ",
    "minus": " - ",
    "times": r" \cdot ",
    "eq": " = ",
    "neq": r" \neq ",
    "lt": " < ",
    "gt": " > ",
    "leq": r" \leq ",
    "geq": r" \geq ",
    "approx": r" \approx ",
    "equivalent": r" \equiv ",
    "implies": r" \Rightarrow ",
    "and": r" \wedge ",
    "or": r" \vee ",
    "xor": r" \oplus ",
    "in": r" \in ",
    "notin": r" \notin ",
    "subset": r" \subseteq ",
    "prsubset": r" \subset ",
    "notsubset": r" \nsubseteq ",
    "union": r" \cup ",
    "intersect": r" \cap ",
    "setdiff": r" \setminus ",
    "cartesianproduct": r" \times ",
    "vectorproduct": r" \times ",
    "scalarproduct": r" \cdot ",
    "outerproduct": r" \otimes ",
    "compose": r" \circ ",
    "tendsto": r" \rightarrow ",
    "factorof": r" \mid ",
    "rem": r" \bmod ",
}
LOOSE = frozenset({"plus", "minus", "and", "or", "union", "intersect", "compose"})
BIG = {"sum": r"\sum", "product": r"\prod", "int": r"\int", "limit": r"\lim"}
QUANTIFIERS = {"forall": r"\forall ", "exists": r"\exists ", "lambda": r"\lambda "}
AROUND = {
    "abs": (r"\left| ", r" \right|"),
    "card": (r"\left| ", r" \right|"),
    "floor": (r"\left\lfloor ", r" \right\rfloor"),
    "ceiling": (r"\left\lceil ", r" \right\rceil"),
    "factorial": ("{", "}!"),
    "conjugate": (r"\overline{", "}"),
    "transpose": ("{", "}^{T}"),
    "inverse": ("{", "}^{-1}"),
    "exp": ("e^{", "}"),
    "not": (r"\neg ", ""),
    "real": (r"\Re ", ""),
    "imaginary": (r"\Im ", ""),
}
CONSTANTS = {
    "pi": r"\pi",
    "infinity": r"\infty",
    "exponentiale": "e",
    "imaginaryi": "i",
    "eulergamma": r"\gamma",
    "emptyset": r"\emptyset",
    "reals": r"\mathbb{R}",
    "integers": r"\mathbb{Z}",
    "naturalnumbers": r"\mathbb{N}",
    "rationals": r"\mathbb{Q}",
    "complexes": r"\mathbb{C}",
    "primes": r"\mathbb{P}",
    "true": r"\text{true}",
    "false": r"\text{false}",
    "notanumber": r"\text{NaN}",
}
CONTAINERS = {"set": (r"\left\{ ", r" \right\}"), "list": (r"\left( ", r" \right)")}
CONTAINERS |= {"vector": CONTAINERS["list"]}
CLOSURES = {"open": ("(", ")"), "open-closed": ("(", "]"), "closed-open": ("[", ")")}
QUALIFIERS = frozenset({"bvar", "lowlimit", "uplimit", "condition", "degree", "logbase"})
HEADS = frozenset(
    {"apply", "bind", "reln", "ci", "cn", "csymbol", "interval", "matrix", "piecewise", "lambda"}
    | CONSTANTS.keys()
    | CONTAINERS.keys()
)
"""Elements that `meaning` takes."""


def meaning(node: Node, convert: Convert) -> str:
    """Return one element of content MathML."""
    if node.tag in CONSTANTS:
        return CONSTANTS[node.tag]
    if node.tag == "cn":
        return _number(node)
    if node.tag in ("ci", "csymbol"):
        inside = children_of(node)
        return join([convert(item) for item in inside]) if _is_deep(inside) else identifier(node)
    if node.tag in ("apply", "bind", "reln"):
        return _applied(node, convert)
    return _container(node, convert)


def _is_deep(inside: Sequence[Node]) -> bool:
    return any(item.tag.startswith("m") for item in inside)


def _number(node: Node) -> str:
    parts = [child.strip() for child in node.children if isinstance(child, str)]
    if len(parts) == 1:
        return number(node)
    if node.get("type") == "rational":
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if node.get("type") == "e-notation":
        return rf"{parts[0]} \times 10^{{{parts[1]}}}"
    if node.get("type").startswith("complex-cartesian"):
        return f"{parts[0]} + {parts[1]}i"
    return ", ".join(parts) or content_of(node)


def _container(node: Node, convert: Convert) -> str:
    items = children_of(node)
    if node.tag == "matrix":
        rows = [[grouped(cell, convert) for cell in row.elements()] for row in items]
        return environment("pmatrix", rows)
    if node.tag == "piecewise":
        return environment("cases", [_piece(item, convert) for item in items])
    if node.tag == "lambda":
        return rf"\lambda {_arguments(items, convert)}"
    inner = _arguments(items, convert)
    if node.tag == "interval":
        left, right = CLOSURES.get(node.get("closure"), ("[", "]"))
        return f"{left}{inner}{right}"
    left, right = CONTAINERS[node.tag]
    return f"{left}{inner}{right}"


def _piece(node: Node, convert: Convert) -> list[str]:
    parts = [grouped(item, convert) for item in children_of(node)]
    return [*parts, r"\text{otherwise}"] if node.tag == "otherwise" else parts


def _arguments(items: Sequence[Node], convert: Convert) -> str:
    return ", ".join(grouped(item, convert) for item in items)


def _applied(node: Node, convert: Convert) -> str:
    head, *rest = children_of(node) or [Node("mrow", {}, node)]
    named = {item.tag: grouped(item, convert) for item in rest if item.tag in QUALIFIERS}
    items = [item for item in rest if item.tag not in QUALIFIERS]
    name = head.tag
    if name in BIG or name in QUANTIFIERS:
        return _bound(name, named, _arguments(items, convert))
    if name in ("diff", "partialdiff") and "bvar" in named:
        return _derivative(name, named, _arguments(items, convert))
    if name in ("root", "log"):
        return _root_or_log(name, named, _arguments(items, convert))
    if not named and (tex := _by_hand(name, items, convert)):
        return tex
    return _function(head, rest, convert)


def _by_hand(name: str, items: Sequence[Node], convert: Convert) -> str:
    if name == "divide" and len(items) == 2:  # top and bottom
        return rf"\frac{{{grouped(items[0], convert)}}}{{{grouped(items[1], convert)}}}"
    if name == "power" and len(items) == 2:  # base and exponent
        return f"{_operand(items[0], '', convert)}^{{{grouped(items[1], convert)}}}"
    if name in AROUND and len(items) == 1:
        left, right = AROUND[name]
        return f"{left}{grouped(items[0], convert)}{right}"
    if name == "minus" and len(items) == 1:
        return f"-{_operand(items[0], name, convert)}"
    if name in BETWEEN and items:
        return BETWEEN[name].join(_operand(item, name, convert) for item in items)
    return ""


def _operand(item: Node, name: str, convert: Convert) -> str:
    """Return an argument, in brackets where it holds an operation that binds less."""
    inside = children_of(item)
    is_operation = item.tag == "apply" and bool(inside) and inside[0].tag in BETWEEN
    is_relation = bool(name) and name not in LOOSE and name != "times"
    if not is_operation:
        return base(item, convert) if not name else grouped(item, convert)
    if is_relation or (inside[0].tag == "times" and name):
        return grouped(item, convert)
    return rf"\left( {grouped(item, convert)} \right)"


def _bound(name: str, named: dict[str, str], body: str) -> str:
    below = named.get("condition", "")
    if not below:
        start = named.get("lowlimit", "")
        sign = r" \rightarrow " if name == "limit" else " = "
        below = sign.join(filter(None, ("" if name == "int" else named.get("bvar", ""), start)))
    if name in QUANTIFIERS:
        known = dict.fromkeys(filter(None, (named.get("bvar", ""), below)))
        return f"{QUANTIFIERS[name]}{', '.join(known)}: {body}"
    above = named.get("uplimit", "")
    tex = BIG[name] + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    return f"{tex} {body}" + (rf" \, d{named.get('bvar', '')}" if name == "int" else "")


def _derivative(name: str, named: dict[str, str], body: str) -> str:
    sign = r"\partial " if name == "partialdiff" else "d"
    return rf"\frac{{{sign}}}{{{sign}{named['bvar']}}} {body}"


def _root_or_log(name: str, named: dict[str, str], body: str) -> str:
    if name == "root":
        degree = named.get("degree", "")
        return rf"\sqrt[{degree}]{{{body}}}" if degree not in ("", "2") else rf"\sqrt{{{body}}}"
    below = named.get("logbase", "")
    return r"\log" + (f"_{{{below}}}" if below else "") + rf"\left( {body} \right)"


def _function(head: Node, rest: Sequence[Node], convert: Convert) -> str:
    if head.children or head.tag in CONSTANTS:
        name = grouped(head, convert)
    else:
        name = f"\\{head.tag}" if head.tag in FUNCTIONS else rf"\operatorname{{{head.tag}}}"
    return rf"{name}\left( {_arguments(rest, convert)} \right)"
