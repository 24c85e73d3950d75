"""Lists and definitions → Markdown. The last are written as pandoc reads them."""

from collections.abc import Callable, Iterator

from resonare_pipeline.books.markdown.pieces import Block, State, indented, stacked
from resonare_pipeline.books.trees import Node
from resonare_pipeline.books.visibility import is_unseen

Blocks = Callable[[Node, State], list[Block]]

LISTS = frozenset({"ul", "ol", "menu", "dir"})
ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"))
ROMAN_SMALL = ((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
LETTERS = 26
MOST_ROMAN = 3999
TERM_INDENT = " " * 4


def listed(node: Node, state: State, blocks: Blocks) -> list[Block]:
    """Return a list, numbered as it is in the book."""
    items: list[str] = []
    parts: list[Block] = []
    is_loose = False
    for child, numeral in numbered(node):
        made = _item(child, state, blocks)
        if made:
            marker = f"{numeral}. " if numeral else "- "
            is_loose = is_loose or _is_loose(made, child)
            items.append(marker + indented(_joined(made, child), " " * len(marker)))
            parts += made
    if not items:
        return []
    return [state.merged(parts, ("\n\n" if is_loose else "\n").join(items))]


def numbered(node: Node) -> Iterator[tuple[Node, str]]:
    """Yield what a list holds, each with its number as the book shows it; empty without one."""
    number, step = _start(node)
    for child in _items(node):
        number = _whole(child.get("value"), number)
        yield child, _numeral(number, node.get("type")) if node.tag == "ol" else ""
        if child.tag == "li":
            number += step


def _items(node: Node) -> list[Node]:
    """Return what a list holds; text outside of items, which is not valid, is kept as one."""
    found: list[Node] = []
    for child in node.children:
        if isinstance(child, Node):
            found.append(child)
        elif child.strip():
            item = Node("p", {}, node)
            item.children = [child]
            found.append(item)
    return found


def _item(node: Node, state: State, blocks: Blocks) -> list[Block]:
    around = Node("div", {}, node.parent)
    around.children = [node]
    around.has_block = True
    if is_unseen(node):
        return []
    return blocks(around, state)


def _is_loose(made: list[Block], item: Node) -> bool:
    """Tell whether an item holds more than one paragraph; a list below the first is none."""
    lists = sum(child.tag in LISTS for child in item.elements())
    return len(made) - lists > 1


def _joined(made: list[Block], item: Node) -> str:
    return stacked(made) if _is_loose(made, item) else "\n".join(block.markdown for block in made)


def _start(node: Node) -> tuple[int, int]:
    step = -1 if "reversed" in node.attributes else 1
    count = sum(child.tag == "li" for child in node.elements())
    return _whole(node.get("start"), count if step < 0 else 1), step


def _whole(text: str, default: int) -> int:
    try:
        return int(text) if len(text) < 10 else default  # digits of numbers beyond all lists
    except ValueError:
        return default


def _numeral(number: int, kind: str) -> str:
    """Return a number as `type` wants it: decimal, letters or Roman."""
    if kind in ("a", "A") and number > 0:
        text = ""
        while number > 0:
            number, rest = divmod(number - 1, LETTERS)
            text = chr(ord("a") + rest) + text
    elif kind in ("i", "I") and 0 < number <= MOST_ROMAN:
        text = ""
        for value, letters in ROMAN + ROMAN_SMALL:
            count, number = divmod(number, value)
            text += letters * count
    else:
        return str(number)
    return text.upper() if kind.isupper() else text


def definitions(node: Node, state: State, blocks: Blocks) -> list[Block]:
    """Return terms with their definitions."""
    lines: list[str] = []
    parts: list[Block] = []
    for child in _pairs(node):
        made = _item(child, state, blocks)
        if not made:
            continue
        parts += made
        text = stacked(made)
        if child.tag == "dd" and lines:  # what nothing is defined by stands by itself
            lines.append(f":   {indented(text, TERM_INDENT)}")
        elif state.in_cell:
            lines.append(text)
        else:
            lines.append(f"\n{text}" if lines else text)
    return [state.merged(parts, "\n".join(lines))] if lines else []


def _pairs(node: Node) -> list[Node]:
    found: list[Node] = []
    for child in _items(node):
        is_group = child.tag == "div" and any(item.tag in ("dt", "dd") for item in child.elements())
        found += _items(child) if is_group else [child]
    return found
