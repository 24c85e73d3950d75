"""What of a document is not read as text: hidden parts, scripts, menus, numbers of pages."""

import re

from resonare_pipeline.books.trees import Node

UNSEEN_TAGS = frozenset(
    [
        "head",
        "script",
        "style",
        "template",
        "noscript",
        "audio",
        "video",
        "iframe",
        "source",
        "track",
        "link",
        "meta",
        "rp",
        "nav",
        "area",
        "param",
        "canvas",
        "datalist",
    ]
)
UNSEEN_TYPES = frozenset({"pagebreak", "page-list", "landmarks", "toc-brief"})
PAGE_CLASSES = frozenset(
    {
        "pagenum",
        "pageno",
        "page-number",
        "pagenumber",
        "x-ebookmaker-pageno",
        "pagebreak",
        "page-break-number",
    }
)
LINE_CLASSES = frozenset({"lnum", "linenum", "linenumber", "line-number", "lineno", "ln"})
MENU_CLASSES = frozenset({"related-links", "familylinks", "navheader", "navfooter"})
"""What DITA and DocBook put around each page: links to the pages before and after it."""
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"[\[{(]?\s*(p(g|age)?\.?\s*)?(\d{1,4}|[ivxlc]{1,7})?\s*[\]})]?", re.IGNORECASE
)


def is_unseen(node: Node) -> bool:
    """Tell whether an element and all in it is left out."""
    if node.tag in UNSEEN_TAGS:
        return True
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes and attributes["hidden"].lower() != "until-found":
        return True
    if attributes.get("aria-hidden", "").lower() == "true":
        return node.tag != "math"
    if "style" in attributes and HIDDEN_STYLE.search(attributes["style"]):
        return True
    if node.tag == "a" and _leads_to_itself(node):
        return True
    classes = attributes.get("class", "").lower().split()
    return _is_number(node, classes) or not MENU_CLASSES.isdisjoint(classes)


def _leads_to_itself(link: Node) -> bool:
    """Tell whether a link is a sign such as ¶ that leads to the place where it stands."""
    href = link.get("href")
    if not href.startswith("#") or any(sign.isalnum() for sign in link.text()):
        return False
    above = link.parent
    while above is not None and href[1:] not in (above.get("id"), above.get("xml:id")):
        above = above.parent
    return above is not None and len(href) > 1


def _is_number(node: Node, classes: list[str]) -> bool:
    """Tell whether it marks a printed page or a line, and holds nothing but its number."""
    if not LINE_CLASSES.isdisjoint(classes):
        return node.text().strip().isdecimal()
    marked = not PAGE_CLASSES.isdisjoint(classes) or not UNSEEN_TYPES.isdisjoint(node.types())
    return marked and _PAGE_NUMBER.fullmatch(node.text().strip()) is not None
