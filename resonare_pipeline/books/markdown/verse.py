"""Verse: lines that only their elements tell apart become lines of one paragraph."""

import re

from resonare_pipeline.books.markdown.escaping import paragraph
from resonare_pipeline.books.markdown.inline import inline
from resonare_pipeline.books.markdown.pieces import Block, State
from resonare_pipeline.books.trees import Node, find
from resonare_pipeline.books.visibility import is_unseen

FEWEST_LINES = 2
_VERSE = re.compile(r"\b(verse|poem|poetry|stanza|line-?group|lg|lyrics)\b", re.IGNORECASE)
_STANZA = re.compile(r"\b(stanza|line-?group|lg|strophe)\b", re.IGNORECASE)
_LINE = re.compile(r"^(?:line|l|v|vl|verse-?line|poem-?line|i\d+|indent\d*)$", re.IGNORECASE)


def are_lines(node: Node) -> bool:
    """Tell whether an element is a stanza, and each element in it a line."""
    if not node.has_block or not _VERSE.search(_named(node)):
        return False
    if any(isinstance(child, str) and child.strip() for child in node.children):
        return False
    parts = [part for part in node.elements() if not is_unseen(part)]
    is_stanza = bool(_STANZA.search(_named(node)))
    return len(parts) >= FEWEST_LINES and all(_is_line(part, in_stanza=is_stanza) for part in parts)


def _is_line(node: Node, *, in_stanza: bool) -> bool:
    if node.tag not in ("div", "p") or node.has_block or find(node, "br") is not None:
        return False
    if _VERSE.search(_named(node)):
        return any(_LINE.match(name) for name in node.get("class").split())
    # In a poem as a whole a paragraph without a class may as well be a stanza.
    named = any(_LINE.match(name) for name in node.get("class").split())
    return in_stanza or node.tag == "div" or named


def _named(node: Node) -> str:
    return f"{node.get('class')} {node.get('epub:type')}"


def verse(node: Node, state: State) -> list[Block]:
    """Return a stanza: its lines with breaks between them."""
    run: list[Node | str] = []
    for part in node.elements():
        state.enter(part)
        if not is_unseen(part):
            run += (*part.children, Node("br", {}, None))
    text = paragraph(inline(run, state), in_cell=bool(state.in_cell))
    return [state.block(text)] if text else []


def broken_lines(node: Node, run: list[Node | str]) -> list[Node | str]:
    """Return lines of verse with breaks between them, if only `span` elements tell them apart."""
    if not _VERSE.search(_named(node)):
        return []
    parts = [item for item in run if isinstance(item, Node)]
    others = [item for item in run if isinstance(item, str) and item.strip()]
    if len(parts) < FEWEST_LINES or others:
        return []
    if any(item.tag != "span" or find(item, "br") for item in parts):
        return []
    ends = [Node("br", {}, None) for _ in parts]
    return [each for pair in zip(parts, ends, strict=True) for each in pair]
