"""What of a document a reader does not see as text: hidden parts, scripts, page numbers, menus."""

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
    return _is_page_number(node)


def _is_page_number(node: Node) -> bool:
    """Tell whether it marks a page of the printed book, and holds nothing but its number."""
    classes = node.get("class").lower().split()
    marked = not PAGE_CLASSES.isdisjoint(classes) or not UNSEEN_TYPES.isdisjoint(node.types())
    return marked and _PAGE_NUMBER.fullmatch(node.text().strip()) is not None
