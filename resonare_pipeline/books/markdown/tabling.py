"""Tables → pipe tables: one line a row, `<br>` between the lines of a cell.

A cell that spans others stands in the first of them and the rest are empty, so that no word is
repeated. A table has the columns in which a cell of some row begins, whatever its spans claim.
Several header rows become one, cell by cell. Tables that only lay out a page become what is in
their cells.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from resonare_pipeline.books.markdown.pieces import Block, State, stacked
from resonare_pipeline.books.trees import Node, find_all
from resonare_pipeline.books.visibility import is_unseen

Blocks = Callable[[Node, State], list[Block]]

MOST_COLUMNS = 1_000  # HTML, section 4.9.11: colspan
MOST_ROWS = 65_534  # the same: rowspan
MOST_EMPTY = 20_000  # places that spans may fill beyond those that the table's cells allow
EMPTY_A_CELL = 8  # places that spans may fill for each cell; beyond both, spans are passed over
MOST_PADDED = 1_000_000  # cells of a table whose rows are made equally long
_WHOLE = re.compile(r"\s*\+?0*(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of a table.

    Attributes:
        index: In its group.
        last: Index of the last row of its group.
    """

    node: Node
    is_head: bool
    index: int
    last: int


@dataclass(slots=True)
class _Grid:
    """Rows of cells by column, filled as spans lead.

    Attributes:
        taken: Column → index of the last row, in the group, that a cell above takes.
        left: Places that spans may still fill.
    """

    head: list[dict[int, str]] = field(default_factory=list)
    body: list[dict[int, str]] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    left: int = MOST_EMPTY


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
    for row in rows:
        _add_row(row, grid, parts, state, blocks)
    state.in_cell -= 1
    lines = _lines(grid)
    text = "\n\n".join([*captioned, *(["\n".join(lines)] if lines else [])])
    return [state.merged(parts, text)] if text else []


def _inside(node: Node, state: State, blocks: Blocks) -> list[Block]:
    state.enter(node)
    return blocks(node, state)


def _rows(node: Node) -> Iterator[_Row]:
    """Yield the table's own rows."""
    groups = list(_groups(node))
    has_head = any(is_head for is_head, _ in groups)
    for number, (is_head, rows) in enumerate(groups):
        for index, row in enumerate(rows):
            first = number == index == 0 and not has_head and _all_heads(row)
            yield _Row(node=row, is_head=is_head or first, index=index, last=len(rows) - 1)


def _all_heads(row: Node) -> bool:
    cells = list(row.elements())
    return bool(cells) and all(cell.tag == "th" for cell in cells)


def _groups(node: Node) -> Iterator[tuple[bool, list[Node]]]:
    """Yield groups of rows, and whether each is the header; no span leads out of its group."""
    loose: list[Node] = []
    for part in node.elements():
        if is_unseen(part) or part.tag in ("caption", "colgroup", "col"):
            continue
        if part.tag not in ("thead", "tbody", "tfoot"):
            loose.append(part)
            continue
        if loose:
            yield False, loose
            loose = []
        yield part.tag == "thead", [item for item in part.elements() if not is_unseen(item)]
    if loose:
        yield False, loose


def _cells(row: Node) -> list[Node]:
    if row.tag != "tr":
        return [row]
    return [cell for cell in row.elements() if not is_unseen(cell)]


def _all_cells(rows: list[_Row]) -> Iterator[Node]:
    for row in rows:
        yield from _cells(row.node)


def _is_layout(node: Node, rows: list[_Row]) -> bool:
    if {"presentation", "none"} & set(node.types()):
        return True
    if any(item.tag == "th" for item in _all_cells(rows)):
        return False
    is_column = all(len(_cells(row.node)) <= 1 for row in rows)
    return is_column or any(item is not node for item in find_all(node, "table"))


def _add_row(row: _Row, grid: _Grid, parts: list[Block], state: State, blocks: Blocks) -> None:
    state.enter(row.node)
    line: dict[int, str] = {}
    column = 0
    if row.index == 0:
        grid.taken.clear()
    for cell in _cells(row.node):
        grid.left += EMPTY_A_CELL
        column = _free(column, row, grid)
        state.enter(cell)
        made = blocks(cell, state)
        parts += made
        line[column] = _cell_text(made)
        column += _take(cell, column, row, grid)
    if any(line.values()):
        (grid.head if row.is_head else grid.body).append(line)


def _free(column: int, row: _Row, grid: _Grid) -> int:
    """Return the next column that no cell above takes."""
    while grid.left > 0 and grid.taken.get(column, -1) >= row.index:
        column += 1
        grid.left -= 1
    return column


def _take(cell: Node, column: int, row: _Row, grid: _Grid) -> int:
    """Take the places of a cell, and return its columns; a height of 0 means the whole group."""
    width = min(max(_span(cell, "colspan"), 1), MOST_COLUMNS)
    last = min(row.index + (_span(cell, "rowspan") or MOST_ROWS) - 1, row.last)
    if last > row.index and width <= grid.left:
        grid.left -= width
        grid.taken |= dict.fromkeys(range(column, column + width), last)
    return width


def _span(cell: Node, name: str) -> int:
    """Return a span as a browser reads it; what is no number is 1."""
    found = _WHOLE.match(cell.get(name))
    return int(found.group(1)) if found else 1


def _cell_text(made: list[Block]) -> str:
    text = stacked(made).strip()
    text = text.replace("  \n", "\n").replace("\n\n", "\n").replace("\n", "<br>")
    return text.replace("|", r"\|")


def _lines(grid: _Grid) -> list[str]:
    head, body = grid.head, grid.body
    columns = sorted({column for row in (*head, *body) for column in row})
    if not columns:
        return []
    top = ["<br>".join(row[column] for row in head if row.get(column)) for column in columns]
    place = {column: index for index, column in enumerate(columns)}
    body_lines = _filled(body, place)
    return [f"| {' | '.join(row)} |" for row in (top, ["---"] * len(columns), *body_lines)]


def _filled(rows: list[dict[int, str]], place: dict[int, int]) -> Iterator[list[str]]:
    """Yield rows with empty cells before, between and after theirs.

    Rows of a table in which one is far wider than the others end where their cells do, and if even
    that would be too much, spans are passed over.
    """
    most = MOST_PADDED + EMPTY_A_CELL * sum(map(len, rows))
    is_padded = len(rows) * len(place) <= most
    is_packed = not is_padded and sum(place[max(row)] + 1 for row in rows) > most
    for row in rows:
        if is_packed:
            yield list(row.values())
            continue
        line = [""] * (len(place) if is_padded else place[max(row)] + 1)
        for column, text in row.items():
            line[place[column]] = text
        yield line


def _inner(rows: list[_Row], state: State, blocks: Blocks) -> list[Block]:
    """Return a table inside a cell: a line for each row."""
    parts: list[Block] = []
    lines: list[str] = []
    for row in rows:
        texts: list[str] = []
        for cell in _cells(row.node):
            made = _inside(cell, state, blocks)
            parts += made
            texts.append(" ".join(stacked(made).split("\n")))
        lines.append("; ".join(filter(None, texts)))
    text = "\n".join(filter(None, lines))
    return [state.merged(parts, text)] if text else []
