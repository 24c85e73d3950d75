"""Elements around paragraphs → blocks of Markdown.

Containers that mean nothing by themselves (`div`, `section`, …) hand on the blocks inside them, so
a chapter may begin at any of these. What is inside a list, a table or a quotation is one block.
"""

import re
from collections.abc import Callable

from resonare_pipeline.books.markdown.escaping import fenced, one_line, paragraph
from resonare_pipeline.books.markdown.inline import chosen_case, inline
from resonare_pipeline.books.markdown.listing import definitions, listed
from resonare_pipeline.books.markdown.pieces import Block, State, stacked
from resonare_pipeline.books.markdown.tabling import table
from resonare_pipeline.books.markdown.verse import broken_lines, grouped
from resonare_pipeline.books.trees import BLOCK_TAGS, Node, find, walk
from resonare_pipeline.books.visibility import is_unseen

RANKS = {f"h{rank}": rank for rank in range(1, 7)}
LANGUAGE = re.compile(
    r"(?:^|[\s])(?:language|lang|brush:?|highlight|src)[-\s:]+([\w+#.-]+)", re.IGNORECASE
)
DISPLAY = re.compile(
    r"(?:eqn|equation|formula|math)[-_]?(?:block|display)|display[-_]?(?:eqn|equation|formula|math)"
    r"|\bequation\b",
    re.IGNORECASE,
)  # a paragraph for a formula by itself, where the formula does not say so
_FORMULA = re.compile(r"\$(?!\$)(?:[^$\\]|\\.)+\$")
SOURCE_CODE = re.compile(r"\bsourceCode\s+([\w+#.-]+)", re.IGNORECASE)


def blocks(node: Node, state: State) -> list[Block]:
    """Return what is inside an element, as blocks."""
    made: list[Block] = []
    run: list[Node | str] = []
    for child in grouped(node):
        if isinstance(child, Node) and _is_block(child):
            _end_run(run, made, node, state)
            made += _block(child, state)
        else:
            run.append(child)
    _end_run(run, made, node, state)
    return made


def _is_block(node: Node) -> bool:
    is_display = node.tag == "math" and node.get("display") == "block"
    return node.tag in BLOCK_TAGS or node.has_block or is_display


def _end_run(run: list[Node | str], made: list[Block], node: Node, state: State) -> None:
    if not run:
        return
    if lines := broken_lines(node, run):
        run[:] = lines
    if text := paragraph(inline(run, state), in_cell=bool(state.in_cell)):
        is_display = _FORMULA.fullmatch(text) and DISPLAY.search(node.get("class"))
        made.append(state.block(f"${text}$" if is_display and not state.in_cell else text))
    run.clear()


def _block(node: Node, state: State) -> list[Block]:
    state.enter(node)
    if is_unseen(node):
        for item in walk(node):
            if item is not node:
                state.enter(item)
        return []
    if state.links.is_moved(node):
        return []
    outer = state.types
    if types := node.types():
        state.types = (*outer, *types)
    maker = _MAKERS.get(node.tag)
    made = maker(node, state) if maker else blocks(node, state)
    state.types = outer
    return made


def _heading(node: Node, state: State) -> list[Block]:
    rank = RANKS[node.tag]
    text = one_line(inline(node.children, state))
    if not text:
        return []
    if state.in_cell:
        return [state.block(f"**{text}**")]
    return [state.block(text, rank=rank)]


def _heading_group(node: Node, state: State) -> list[Block]:
    """Return a heading with what belongs to it as one heading."""
    parts = blocks(node, state)
    ranks = [block.rank for block in parts if block.rank]
    if not ranks or state.in_cell:
        return parts
    title = ": ".join(one_line(block.text) for block in parts)
    merged = state.merged(parts, title)
    merged.rank = min(ranks)
    return [merged]


def _code(node: Node, state: State) -> list[Block]:
    parts: list[str] = []
    stack: list[Node | str] = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            parts.append(here)
        elif here.tag == "br":
            parts.append("\n")
        elif here is node or not is_unseen(here):
            if here is not node:
                state.enter(here)
            stack.extend(reversed(here.children))
    text = "".join(parts).removeprefix("\n").rstrip()
    if not text.strip():
        return []
    if state.in_cell:
        return [state.block("\n".join(f"`{line}`" for line in text.split("\n") if line.strip()))]
    return [state.block(fenced(text, _language(node)))]


def _language(node: Node) -> str:
    """Return the language of code, as its classes or attributes name it."""
    for item in (node, *(each for each in node.elements() if each.tag == "code")):
        if (
            named := item.get("data-language")
            or item.get("data-lang")
            or item.get("data-code-language")
        ):
            return named.strip().lower()
        for pattern in (LANGUAGE, SOURCE_CODE):
            if found := pattern.search(item.get("class")):
                return found.group(1).strip(".-").lower()
    return ""


def _pre(node: Node, state: State) -> list[Block]:
    if find(node, "math") is None and find(node, "img") is None:
        return _code(node, state)
    made = blocks(node, state) if node.has_block else []
    if not made and (text := paragraph(inline(node.children, state))):
        made = [state.block(text)]
    return made


def _quotation(node: Node, state: State) -> list[Block]:
    parts = blocks(node, state)
    if not parts:
        return []
    lines = stacked(parts).split("\n")
    if state.in_cell:
        return parts
    return [state.merged(parts, "\n".join(f"> {line}" if line else ">" for line in lines))]


def _list(node: Node, state: State) -> list[Block]:
    return listed(node, state, blocks)


def _definitions(node: Node, state: State) -> list[Block]:
    return definitions(node, state, blocks)


def _table(node: Node, state: State) -> list[Block]:
    return table(node, state, blocks)


def _figure(node: Node, state: State) -> list[Block]:
    parts = blocks(node, state)
    if not parts or any(block.rank for block in parts):
        return parts
    return [state.merged(parts, stacked(parts))]


def _rule(node: Node, state: State) -> list[Block]:  # noqa: ARG001  # one of a family
    return [] if state.in_cell else [state.block("---")]


def _switch(node: Node, state: State) -> list[Block]:
    chosen = Node("div", {}, node.parent)
    chosen.children = chosen_case(node)
    return blocks(chosen, state)


_MAKERS: dict[str, Callable[[Node, State], list[Block]]] = {
    **dict.fromkeys(RANKS, _heading),
    "hgroup": _heading_group,
    "pre": _pre,
    "blockquote": _quotation,
    **dict.fromkeys(("ul", "ol", "menu", "dir"), _list),
    "dl": _definitions,
    "table": _table,
    "figure": _figure,
    "hr": _rule,
    "switch": _switch,
}


def document_blocks(root: Node, state: State) -> list[Block]:
    """Return the blocks of a document: of its body, or of all of it where it has none."""
    top = Node("div", {}, None)
    top.children = root.children
    return blocks(top, state)


def wrapped_math(node: Node, state: State) -> list[Block]:
    """Return a formula that stands by itself."""
    text = paragraph(inline([node], state))
    return [state.block(text)] if text else []


_MAKERS["math"] = wrapped_math
