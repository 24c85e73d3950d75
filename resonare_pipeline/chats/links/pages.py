"""Title and description of an HTML page, as pages offer them for previews. Any bytes are taken."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from resonare_pipeline.chats.foreign_texts import cut, one_line
from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.decoding import decode

MOST_KEPT_CHARACTERS = 10_000  # of each field; what a setting leaves of it is cut later
MOST_TITLES = 100  # of a page; that of the page is among the first, those of icons come later
MOST_METAS = 1_000
_TITLES = ("og:title", "twitter:title")
_DESCRIPTIONS = ("og:description", "twitter:description", "description")
_NAMES = frozenset({*_TITLES, *_DESCRIPTIONS})


def page_content(body: bytes, header_charset: str = "") -> LinkContent | None:
    """Return what a page says of itself; None if it has no title.

    Title: `og:title`, `twitter:title`, `<title>`; description: `og:description`,
    `twitter:description`, `<meta name=description>`. The first of a name that is not empty counts;
    only the first `MOST_TITLES` and `MOST_METAS` are looked at, so no page takes long.

    Args:
        body: The page or its beginning.
        header_charset: `charset` of its `Content-Type`; empty if there is none.
    """
    root = _tree(decode(body, header_charset))
    if root is None:
        return None
    named = _named(islice(root.iter("meta"), MOST_METAS))
    title = _first(named.get(name, "") for name in _TITLES) or _first(_titles(root))
    if not title:
        return None
    text = _first(named.get(name, "") for name in _DESCRIPTIONS)
    return LinkContent(kind=LinkKind.PAGE, title=title, text="" if text == title else text)


def _tree(text: str) -> Any:
    """Return the root of a page; None if there is nothing in it."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    # NUL would end the page for libxml2; browsers leave it out.
    body = text.replace("\0", "").encode("utf-8", "replace")
    try:
        return etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError, AssertionError):  # the last for a page of comments alone
        return None


def _named(metas: Iterable[Any]) -> dict[str, str]:
    """Return name → content of the first `<meta>` of each; sites mix up `name` and `property`."""
    found: dict[str, str] = {}
    for meta in metas:
        names = {(meta.get(key) or "").strip().lower() for key in ("property", "name")}
        wanted = (names & _NAMES) - found.keys()
        if wanted and (content := one_line(meta.get("content") or "")):
            found.update(dict.fromkeys(wanted, content))
    return found


def _titles(root: Any) -> Iterator[str]:
    for element in islice(root.iter("title"), MOST_TITLES):
        if not any(above.tag == "svg" for above in element.iterancestors()):
            yield "".join(element.itertext())


def _first(texts: Iterable[str]) -> str:
    """Return the first text that says something, as one line."""
    lines = (one_line(text) for text in texts)
    return cut(next((line for line in lines if line), ""), MOST_KEPT_CHARACTERS)
