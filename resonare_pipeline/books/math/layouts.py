"""Tables, sums written out and enclosures of MathML → LaTeX. Their content is given as LaTeX."""

import re
from collections.abc import Iterator, Sequence

from resonare_pipeline.books.math.parts import Convert, alone, grouped, parts_of
from resonare_pipeline.books.trees import Node

LONG_DIVISION_PARTS = 2  # of the first children of mlongdiv: divisor, then quotient
MOST_CASES_COLUMNS = 2  # value and condition
ROWS = ("mtr", "mlabeledtr")
ENVIRONMENTS = {
    "()": "pmatrix",
    "[]": "bmatrix",
    "{}": "Bmatrix",
    "||": "vmatrix",
    "∣∣": "vmatrix",
    "‖‖": "Vmatrix",
    "∥∥": "Vmatrix",
    "{": "cases",
}
"""Brackets around a table that LaTeX has an environment for."""
ENCLOSURES = {
    "box": r"\boxed",
    "roundedbox": r"\boxed",
    "circle": r"\boxed",
    "radical": r"\sqrt",
    "top": r"\overline",
    "bottom": r"\underline",
    "updiagonalstrike": r"\cancel",
    "downdiagonalstrike": r"\bcancel",
    "horizontalstrike": r"\cancel",
    "actuarial": r"\overline",
    "longdiv": r"\overline",
}
_BLANK = re.compile(r"(\\qquad|\\quad|\\enspace|\\[ ,:;!]|\s)*")
_BLANK_END = re.compile(r"(\\qquad|\\quad|\\enspace|\\[,:;!]|\s)+$")


def matrix(node: Node, convert: Convert) -> str:
    """Return a table: `matrix`, `aligned`, or `array` if its columns are aligned otherwise."""
    rows = _table_rows(node, convert)
    letters = _alignment(node, max(map(len, rows), default=0))
    if not rows:
        return ""
    if _is_ruled(node):
        return environment("array", _underlined(node, rows), f"{{{_lined(node, letters)}}}")
    if set(letters) == {"c"}:
        return environment("matrix", rows)
    if len(letters) > 1 and letters == ("rl" * len(letters))[: len(letters)]:
        return environment("aligned", rows)
    return environment("array", rows, f"{{{letters}}}")


def fused(opening: str, node: Node, closing: str, convert: Convert) -> str:
    """Return a table or two lines with brackets around, if LaTeX has a name for that, else ""."""
    inner = alone(node)
    if inner.tag == "mfrac" and is_pile(inner) and (opening, closing) == ("(", ")"):
        top, bottom = (grouped(part, convert) for part in parts_of(inner, 2))
        return rf"\binom{{{top}}}{{{bottom}}}"
    name = ENVIRONMENTS.get(opening + closing, "")
    if inner.tag != "mtable" or not name:
        return ""
    rows = _table_rows(inner, convert)
    letters = _alignment(inner, max(map(len, rows), default=0))
    is_fine = (
        len(letters) <= MOST_CASES_COLUMNS and "r" not in letters
        if name == "cases"
        else set(letters) == {"c"}
    )
    return environment(name, rows) if is_fine and rows and not _is_ruled(inner) else ""


def is_pile(node: Node) -> bool:
    """Tell whether a fraction has no line: two things above one another."""
    return re.fullmatch(r"0*\.?0*(pt|px|em|ex|%)?", node.get("linethickness") or "1") is not None


def pile(node: Node, convert: Convert) -> str:
    """Return two things above one another."""
    return environment("matrix", [[grouped(part, convert)] for part in parts_of(node, 2)])


def environment(name: str, rows: Sequence[Sequence[str]], columns: str = "") -> str:
    """Return rows of cells in an environment of LaTeX."""
    body = r" \\ ".join(_guarded(" & ".join(row)) for row in rows)
    return rf"\begin{{{name}}}{columns} {body} \end{{{name}}}"


def _guarded(row: str) -> str:
    r"""Return a row so that a bracket or star at its beginning is not taken as one of `\\`."""
    return f"{{}}{row}" if row.startswith(("[", "*")) else row


def _table_rows(node: Node, convert: Convert) -> list[list[str]]:
    """Return the cells of a table, without cells and rows at the end that show nothing."""
    rows = [
        [grouped(cell, convert) for cell in _cells(item)]
        if item.tag in ROWS
        else [grouped(item, convert)]
        for item in node.elements()
    ]
    trimmed = [_trimmed(row) for row in rows]
    while trimmed and not any(trimmed[-1]):
        trimmed.pop()
    return trimmed


def _is_ruled(node: Node) -> bool:
    lines = f"{node.get('columnlines')} {node.get('rowlines')}".split()
    return any(line != "none" for line in lines)


def _lined(node: Node, letters: str) -> str:
    """Return the columns of an array with the lines between them."""
    lines = node.get("columnlines").split() or ["none"]
    lines += lines[-1:] * len(letters)
    bars = ("" if line == "none" else "|" for line in lines[: len(letters) - 1])
    return "".join(f"{letter}{bar}" for letter, bar in zip(letters, [*bars, ""], strict=False))


def _underlined(node: Node, rows: list[list[str]]) -> list[list[str]]:
    """Return rows with the lines between them."""
    lines = node.get("rowlines").split() or ["none"]
    lines += lines[-1:] * len(rows)
    pairs = zip(["none", *lines], rows, strict=False)
    return [row if line == "none" else [rf"\hline {row[0]}", *row[1:]] for line, row in pairs]


def _trimmed(row: list[str]) -> list[str]:
    cells = ["" if _BLANK.fullmatch(cell) else cell for cell in row]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
        cells[-1] = _BLANK_END.sub("", cells[-1])
    return cells


def _cells(row: Node) -> Iterator[Node]:
    """Yield the cells of a row; the label of a labelled one comes last, as it stands beside it."""
    cells = list(row.elements())
    if row.tag == "mlabeledtr":
        cells = [*cells[1:], *cells[:1]]
    yield from cells


def _alignment(node: Node, columns: int) -> str:
    """Return a letter a column; what a cell says goes before its row, a row before the table."""
    rows = [item for item in node.elements() if item.tag in ROWS]
    longest = max(rows, key=lambda row: len(list(row.elements())), default=node)
    common = (longest.get("columnalign") or node.get("columnalign") or "center").split()
    cells = [cell.get("columnalign") for cell in _cells(longest)] if rows else []
    names = common + common[-1:] * max(columns, len(cells))
    names[: len(cells)] = [own or name for own, name in zip(cells, names, strict=False)]
    return "".join(name[0] if name in ("left", "right") else "c" for name in names[:columns])


def enclosed(node: Node, inner: str) -> str:
    """Return something with a line around, over or through it."""
    names = node.get("notation").split()
    if {"updiagonalstrike", "downdiagonalstrike"} <= set(names):
        return rf"\xcancel{{{inner}}}"
    commands = [ENCLOSURES[name] for name in names if name in ENCLOSURES]
    for command in dict.fromkeys(commands or [r"\overline" if not names else ""]):
        inner = f"{command}{{{inner}}}" if command else inner
    return inner


def stacked(node: Node, convert: Convert) -> str:
    """Return a sum or division written out: its rows below one another, aligned to the right."""
    items = list(node.elements())
    if node.tag == "mlongdiv" and len(items) > LONG_DIVISION_PARTS:
        divisor, quotient, *rest = items
        first, *lines = list(_rows(rest, convert)) or [""]
        under = rf"{grouped(divisor, convert)} \overline{{){first}}}"
        rows = [grouped(quotient, convert), under, *lines]
    else:
        rows = list(_rows(items, convert))
    return rf"\begin{{array}}{{r}} {_lines(rows)} \end{{array}}" if rows else ""


def _rows(items: list[Node], convert: Convert) -> Iterator[str]:
    for item in items:
        if item.tag == "msline":
            yield r"\hline"
        elif item.tag == "msgroup":
            yield from _rows(list(item.elements()), convert)
        elif item.tag == "mscarries":
            yield r"\ ".join(filter(None, (grouped(part, convert) for part in item.elements())))
        else:
            yield grouped(item, convert)


def _lines(rows: list[str]) -> str:
    text = ""
    for row in rows:
        separator = " " if text.endswith(r"\hline") or not text else r" \\ "
        text += f"{separator if text else ''}{_guarded(row)}"
    return text
