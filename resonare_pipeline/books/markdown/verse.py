"""Verse: lines that only their elements tell apart become lines of one paragraph."""

import re

from resonare_pipeline.books.trees import Node, find

FEWEST_LINES = 2
_VERSE = re.compile(r"\b(verse|poem|poetry|stanza|line-?group|lg|lyrics)\b", re.IGNORECASE)
_STANZA = re.compile(r"\b(stanza|line-?group|lg|strophe)\b", re.IGNORECASE)
_LINE = re.compile(r"^(?:line|l|v|vl|verse-?line|poem-?line|i\d+|indent\d*)$", re.IGNORECASE)


def grouped(node: Node) -> list[Node | str]:
    """Return what is in an element; in verse, lines that follow one another as one paragraph."""
    if not node.has_block or not _is_verse(node):
        return node.children
    in_stanza = bool(_STANZA.search(_named(node))) or node.tag == "blockquote"
    made: list[Node | str] = []
    lines: list[Node] = []
    for child in node.children:
        if isinstance(child, Node) and _is_line(child, in_stanza=in_stanza):
            lines.append(child)
        elif not isinstance(child, str) or child.strip():
            made += (*_stanza(lines, node), child)
            lines = []
    return [*made, *_stanza(lines, node)]


def _stanza(lines: list[Node], above: Node) -> list[Node]:
    if len(lines) < FEWEST_LINES:
        return list(lines)
    stanza = Node("p", {}, above)
    for line in lines:
        # As a `span`, for it has its id and what hides it still.
        span = Node("span", line.attributes, stanza)
        span.children = line.children
        stanza.children += (span, Node("br", {}, stanza))
    return [stanza]


def _is_verse(node: Node) -> bool:
    """Tell whether an element is verse; so is a quotation in verse, or a frame in that."""
    if _VERSE.search(_named(node)):
        return True
    above = node.parent
    if above is None or node.get("class"):
        return False
    if node.tag == "div" and above.tag == "blockquote":
        return _is_verse(above)
    return node.tag == "blockquote" and bool(_VERSE.search(_named(above)))


def _is_line(node: Node, *, in_stanza: bool) -> bool:
    if node.tag not in ("div", "p") or node.has_block or find(node, "br") is not None:
        return False
    named = any(_LINE.match(name) for name in node.get("class").split())
    if _VERSE.search(_named(node)):
        return named
    # In a poem as a whole a paragraph without a class may as well be a stanza.
    return in_stanza or node.tag == "div" or named


def _named(node: Node) -> str:
    return f"{node.get('class')} {node.get('epub:type')}"


def broken_lines(node: Node, run: list[Node | str]) -> list[Node | str]:
    """Return lines of verse with breaks between them, if only `span` elements tell them apart."""
    if not _is_verse(node):
        return []
    parts = [item for item in run if isinstance(item, Node)]
    others = [item for item in run if isinstance(item, str) and item.strip()]
    if len(parts) < FEWEST_LINES or others:
        return []
    if any(item.tag != "span" or find(item, "br") for item in parts):
        return []
    ends = [Node("br", {}, None) for _ in parts]
    return [each for pair in zip(parts, ends, strict=True) for each in pair]
