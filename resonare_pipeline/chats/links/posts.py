"""Text and author of a post, from what an oEmbed endpoint answers (https://oembed.com).

Of X, `html` is a `<blockquote>` with one `<p>` for the text, the author's name and the date behind
it. Mirrors answer the like; a plain `title` is taken where there is no such text.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from resonare_pipeline.chats.foreign_texts import cut, one_line
from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.pages import MOST_KEPT_CHARACTERS

_BREAKS = ("br", "p", "div")


class _Answer(msgspec.Struct):
    """The fields that matter, whatever type they have."""

    html: Any = None
    title: Any = None
    author_name: Any = None
    author_url: Any = None


_decoder = msgspec.json.Decoder(_Answer)


def asked_url(oembed_url: str, post: str) -> str:
    """Return the address that tells the content of a post."""
    query = urlencode({"url": post, "omit_script": "true", "dnt": "true", "lang": "en"})
    return f"{oembed_url}{'&' if '?' in oembed_url else '?'}{query}"


def post_content(body: bytes) -> LinkContent | None:
    """Return what an endpoint says of a post; None if that is no oEmbed, or says nothing."""
    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = _quoted(_text(answer.html)) or one_line(_text(answer.title))
    author = one_line(_text(answer.author_name))
    handle = _handle(_text(answer.author_url))
    if not text and not author and not handle:
        return None
    return LinkContent(
        kind=LinkKind.POST,
        text=cut(text, MOST_KEPT_CHARACTERS),
        author=cut(author, 100),
        handle=cut(handle, 100),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _handle(author_url: str) -> str:
    try:
        path = urlsplit(author_url).path
    except ValueError:
        return ""
    return one_line(path.strip("/").rpartition("/")[2]).lstrip("@")


def _quoted(html: str) -> str:
    """Return the text of the quotation's paragraphs, else of the quotation."""
    from lxml import etree

    body = html.replace("\0", "").encode("utf-8", "replace")
    try:
        root = etree.fromstring(body, etree.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.LxmlError, ValueError, AssertionError):
        return ""
    if root is None:
        return ""
    quotation = next(root.iter("blockquote"), None)
    if quotation is None:
        return ""
    for line_end in quotation.iter(*_BREAKS):
        line_end.tail = f" {line_end.tail or ''}"
    paragraphs = list(quotation.iter("p")) or [quotation]
    return one_line(" ".join("".join(paragraph.itertext()) for paragraph in paragraphs))
