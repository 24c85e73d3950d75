"""What a link says, and the line that tells it in a message."""

from enum import StrEnum

import msgspec

from resonare_pipeline.added_lines import LINK, POST, added_line
from resonare_pipeline.chats.foreign_texts import cut, in_brackets


class LinkKind(StrEnum):
    """What a link leads to."""

    PAGE = "page"
    POST = "post"


class LinkContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found behind a link, each field one line.

    Attributes:
        kind: What it is.
        title: Of a page.
        text: Description of a page, or text of a post.
        author: Name of who wrote a post.
        handle: Theirs, without `@`.
    """

    kind: LinkKind
    title: str = ""
    text: str = ""
    author: str = ""
    handle: str = ""


def shortened(content: LinkContent, max_characters: int) -> LinkContent:
    """Return the content with at most so many characters of title and text together."""
    title = cut(content.title, max_characters)
    text = cut(content.text, max_characters - len(title))
    return msgspec.structs.replace(content, title=title, text=text)


def link_line(content: LinkContent) -> str:
    """Return the one line that a message gets; brackets within become round ones.

    `[Link: Title — description]` or `[Post by Name (@handle): text]`.
    """
    if content.kind is LinkKind.PAGE:
        said = " — ".join(part for part in (content.title, content.text) if part)
        return added_line(LINK, in_brackets(said))
    handle = f"@{content.handle}" if content.handle else ""
    if content.author and handle:
        handle = f"({handle})"
    author = in_brackets(" ".join(part for part in (content.author, handle) if part))
    return added_line(POST, in_brackets(content.text), by=author)
