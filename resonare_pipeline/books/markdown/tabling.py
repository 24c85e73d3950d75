"""Tables → pipe tables: one line a row, `<br>` between the lines of a cell.

A cell that spans others stands in the first of them and the rest are empty, so that no word is
repeated. Several header rows become one, cell by cell. Tables that only lay out a page become what
is in their cells.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from resonare_pipeline.books.markdown.pieces import Block, State, stacked
from resonare_pipeline.books.trees import Node, find_all
from resonare_pipeline.books.visibility import is_unseen

Blocks = Callable[[Node, State], list[Block]]

MOST_COLUMNS = 1_000  # HTML, section 4.9.11: colspan
MOST_PADDED = 1_000_000  # cells of a table whose rows are made equally long
MOST_EMPTY = 20_000  # cells that only spans make; beyond it spans are passed over


@dataclass(slots=True)
class _Grid:
    """Rows of cells, filled as spans lead.

    Attributes:
        below: Column → rows that a cell above still takes.
    """

    head: list[list[str]] = field(default_factory=list)
    body: list[list[str]] = field(default_factory=list)
    below: dict[int, int] = field(default_factory=dict)
    empty: int = 0


def table(node: Node, state: State, blocks: Blocks) -> list[Block]:
    """Return a table with its caption above it."""
    rows = list(_rows(node))
    captions = [item for item in node.elements() if item.tag == "caption" and not is_unseen(item)]
    if state.in_cell:
        return _inner(rows, state, blocks)
    if _is_layout(node, rows):
        return [
            block
            for item in (*captions, *_all_cells(rows))
            for block in _inside(item, state, blocks)
        ]
    parts = [block for item in captions for block in _inside(item, state, blocks)]
    captioned = [block.markdown for block in parts]
    grid = _Grid()
    state.in_cell += 1
    for row, is_head in rows:
        _add_row(row, grid, parts, state, blocks, is_head=is_head)
    state.in_cell -= 1
    lines = _lines(grid)
    text = "\n\n".join([*captioned, *(["\n".join(lines)] if lines else [])])
    return [state.merged(parts, text)] if text else []


def _inside(node: Node, state: State, blocks: Blocks) -> list[Block]:
    state.enter(node)
    return blocks(node, state)


def _rows(node: Node) -> Iterator[tuple[Node, bool]]:
    """Yield the table's own rows, and whether each is of its header."""
    rows: list[tuple[Node, bool]] = []
    for part in node.elements():
        if is_unseen(part):
            continue
        if part.tag == "tr":
            rows.append((part, False))
        elif part.tag in ("thead", "tbody", "tfoot"):
            inside = [item for item in part.elements() if not is_unseen(item)]
            rows += [(item, part.tag == "thead") for item in inside]
        elif part.tag not in ("caption", "colgroup", "col"):
            rows.append((part, False))
    heads = any(is_head for _, is_head in rows)
    for index, (row, is_head) in enumerate(rows):
        cells = list(row.elements())
        all_heads = index == 0 and not heads and cells and all(cell.tag == "th" for cell in cells)
        yield row, is_head or bool(all_heads)


def _cells(row: Node) -> list[Node]:
    if row.tag in ("td", "th"):
        return [row]
    if row.tag != "tr":
        return [row]
    return [cell for cell in row.elements() if not is_unseen(cell)]


def _all_cells(rows: list[tuple[Node, bool]]) -> Iterator[Node]:
    for row, _ in rows:
        yield from _cells(row)


def _is_layout(node: Node, rows: list[tuple[Node, bool]]) -> bool:
    if {"presentation", "none"} & set(node.types()):
        return True
    if any(item.tag == "th" for item in _all_cells(rows)):
        return False
    is_column = all(len(_cells(row)) <= 1 for row, _ in rows)
    return is_column or any(item is not node for item in find_all(node, "table"))


def _add_row(
    row: Node, grid: _Grid, parts: list[Block], state: State, blocks: Blocks, *, is_head: bool
) -> None:
    state.enter(row)
    line: list[str] = []
    new: dict[int, int] = {}
    for cell in _cells(row):
        _skip_taken(line, grid)
        state.enter(cell)
        made = blocks(cell, state)
        parts += made
        width = min(_span(cell, "colspan"), MOST_COLUMNS)
        if grid.empty + width > MOST_EMPTY:
            width = 1
        grid.empty += width - 1
        if (height := _span(cell, "rowspan")) > 1:
            new |= dict.fromkeys(range(len(line), len(line) + width), height - 1)
        line += [_cell_text(made), *[""] * (width - 1)]
    _skip_taken(line, grid)
    grid.below = {column: rows - 1 for column, rows in grid.below.items() if rows > 1} | new
    if any(line):
        (grid.head if is_head else grid.body).append(line)


def _skip_taken(line: list[str], grid: _Grid) -> None:
    while grid.below.get(len(line), 0) > 0:
        line.append("")
        grid.empty += 1
    if grid.empty > MOST_EMPTY:
        grid.below.clear()


def _span(cell: Node, name: str) -> int:
    text = cell.get(name).strip()
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1


def _cell_text(made: list[Block]) -> str:
    text = stacked(made).strip()
    text = text.replace("  \n", "\n").replace("\n\n", "\n").replace("\n", "<br>")
    return text.replace("|", r"\|")


def _lines(grid: _Grid) -> list[str]:
    head, body = grid.head, grid.body
    if not head and not body:
        return []
    width = max(map(len, (*head, *body)))
    top = [
        "<br>".join(filter(None, (row[column] for row in head if column < len(row))))
        for column in range(width)
    ]
    if width * len(body) > MOST_PADDED:  # a row that is far wider than the others
        rows = body
    else:
        rows = [[*row, *[""] * (width - len(row))] for row in body]
    return [f"| {' | '.join(row)} |" for row in (top, ["---"] * width, *rows)]


def _inner(rows: list[tuple[Node, bool]], state: State, blocks: Blocks) -> list[Block]:
    """Return a table inside a cell: a line for each row."""
    parts: list[Block] = []
    lines: list[str] = []
    for row, _ in rows:
        texts: list[str] = []
        for cell in _cells(row):
            made = _inside(cell, state, blocks)
            parts += made
            texts.append(" ".join(stacked(made).split("\n")))
        lines.append("; ".join(filter(None, texts)))
    text = "\n".join(filter(None, lines))
    return [state.merged(parts, text)] if text else []
