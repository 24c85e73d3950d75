"""Tables, sums written out and enclosures of MathML → LaTeX. Their content is given as LaTeX."""

from collections.abc import Callable, Iterator

from resonare_pipeline.books.trees import Node

Convert = Callable[[Node], str]

LONG_DIVISION_PARTS = 2  # of the first children of mlongdiv: divisor, then quotient
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


def matrix(node: Node, convert: Convert) -> str:
    """Return a table: `matrix`, or `array` if its columns are aligned in some way."""
    rows = [
        [convert(cell).strip() for cell in _cells(row)]
        for row in node.elements()
        if row.tag in ("mtr", "mlabeledtr")
    ]
    others = [
        convert(item).strip() for item in node.elements() if item.tag not in ("mtr", "mlabeledtr")
    ]
    rows += [[text] for text in others if text]
    columns = max((len(row) for row in rows), default=0)
    body = r" \\ ".join(" & ".join(row) for row in rows)
    aligned = (node.get("columnalign") or "center").split()
    letters = [item[0] if item in ("left", "right") else "c" for item in aligned]
    if set(letters) == {"c"}:
        return rf"\begin{{matrix}} {body} \end{{matrix}}"
    letters += letters[-1:] * max(0, columns - len(letters))
    return rf"\begin{{array}}{{{''.join(letters[:columns])}}} {body} \end{{array}}"


def _cells(row: Node) -> Iterator[Node]:
    """Yield the cells of a row; the label of a labelled one comes last, as it stands beside it."""
    cells = list(row.elements())
    if row.tag == "mlabeledtr":
        cells = [*cells[1:], *cells[:1]]
    yield from cells


def enclosed(node: Node, inner: str) -> str:
    """Return something with a line around, over or through it."""
    commands = [ENCLOSURES[name] for name in node.get("notation").split() if name in ENCLOSURES]
    for command in dict.fromkeys(commands or [r"\overline" if not node.get("notation") else ""]):
        inner = f"{command}{{{inner}}}" if command else inner
    return inner


def stacked(node: Node, convert: Convert) -> str:
    """Return a sum or division written out: its rows below one another, aligned to the right."""
    items = list(node.elements())
    if node.tag == "mlongdiv" and len(items) > LONG_DIVISION_PARTS:
        divisor, quotient, *rest = items
        head = rf"{convert(quotient).strip()} \\ {convert(divisor).strip()} \overline{{)"
        rows = list(_rows(rest, convert))
        return rf"\begin{{array}}{{r}} {head}{rows[0]}}} \\ {_lines(rows[1:])} \end{{array}}"
    return rf"\begin{{array}}{{r}} {_lines(list(_rows(items, convert)))} \end{{array}}"


def _rows(items: list[Node], convert: Convert) -> Iterator[str]:
    for item in items:
        if item.tag == "msline":
            yield r"\hline"
        elif item.tag == "msgroup":
            yield from _rows(list(item.elements()), convert)
        else:
            yield convert(item).strip()


def _lines(rows: list[str]) -> str:
    text = ""
    for row in rows:
        separator = " " if text.endswith(r"\hline") or not text else r" \\ "
        text += f"{separator if text else ''}{row}"
    return text
