"""Blocks and a table of contents → sections, each with the titles that lead to it.

The table of contents says where sections begin, at any depth. Headings that it does not name begin
sections of their own below these, down to a depth. A document that neither names goes on with the
section before it, unless it is another kind of thing. Each block is in one section.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from resonare_pipeline.books.kinds import Kind, kind_of_title, kind_of_types
from resonare_pipeline.books.markdown.pieces import Block
from resonare_pipeline.books.navigation import Entry
from resonare_pipeline.books.opening import Document

_LINK = re.compile(r"(?<!\\)!?\[((?:[^\[\]\\]|\\.)*)\]\([^()\s]*\)|<(\w+:[^\s<>]*)>")
LONGEST_TITLE = 300  # characters; a heading beyond it is a paragraph in disguise


@dataclass(slots=True, kw_only=True)
class Section:
    """A stretch of a book below one title.

    Attributes:
        path: Titles from the top down to its own.
        document: Where it begins.
        anchor: The id at its beginning; empty where it begins with its document.
        rank: Of the heading that it begins with; 0 without one.
        listed: Whether the table of contents names it.
    """

    path: tuple[str, ...]
    document: str
    anchor: str
    kind: Kind
    linear: bool
    rank: int = 0
    listed: bool = False
    blocks: list[Block] = field(default_factory=list)

    @property
    def level(self) -> int:
        """Its depth, from 1."""
        return len(self.path)


def outline(
    documents: Iterable[Document], contents: Iterable[Entry], *, depth: int, book_title: str
) -> list[Section]:
    """Cut a book into sections, in the order of reading; what is not linear comes last.

    Args:
        depth: Level down to which headings begin sections. Entries of the table of contents do at
            any.
    """
    ordered = sorted(documents, key=lambda document: not document.linear)
    starts = _starts(ordered, list(contents))
    outliner = _Outliner(depth=depth, book_title=book_title)
    for document in ordered:
        outliner.add(document, starts.get(document.name, {}))
    return [section for section in outliner.sections if section.blocks]


def _starts(
    documents: list[Document], contents: list[Entry]
) -> dict[str, dict[int, tuple[Entry, str]]]:
    """Return document → number of a block → the entry of the contents that begins there."""
    places = {document.name: _anchors(document) for document in documents}
    starts: dict[str, dict[int, tuple[Entry, str]]] = {}
    for entry in contents:
        if entry.document not in places:
            continue
        anchors = places[entry.document]
        # An anchor that is nowhere means its document, as for every reader.
        index = anchors.get(entry.anchor, 0) if entry.anchor else 0
        here = starts.setdefault(entry.document, {})
        known = here.get(index)
        # Of several at one place the innermost counts: a part that begins with its chapter.
        if known is None or entry.path[: len(known[0].path)] == known[0].path:
            here[index] = (entry, entry.anchor)
    return starts


def _anchors(document: Document) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, block in enumerate(document.blocks):
        for anchor in block.anchors:
            found.setdefault(anchor, index)
    for anchor in document.trailing:
        found.setdefault(anchor, len(document.blocks))
    return found


@dataclass(slots=True, kw_only=True)
class _Outliner:
    depth: int
    book_title: str
    sections: list[Section] = field(default_factory=list)
    listed: Section | None = None  # the last that the table of contents names
    waiting: tuple[Entry, str] | None = None  # an entry that leads to a page without text
    ranks: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)  # headings that are open

    def add(self, document: Document, starts: Mapping[int, tuple[Entry, str]]) -> None:
        """Add a document's blocks to sections, new or begun."""
        if not document.blocks:
            self.waiting = starts.get(0, self.waiting)
            return
        for index, block in enumerate(document.blocks):
            if index in starts:
                entry, anchor = starts[index]
                self._begin_listed(document, block, entry, anchor)
            elif index == 0 and self._stands_apart(document, block):
                self._begin_apart(document, block)
            elif index == 0 and self.waiting:  # its title is an image, on a page of its own
                self._begin_listed(document, block, self.waiting[0], "")
            elif block.rank and self._begins(block):
                self._begin_heading(document, block)
            self.waiting = None
            self.sections[-1].blocks.append(block)

    def _begin_listed(self, document: Document, block: Block, entry: Entry, anchor: str) -> None:
        kind = kind_of_types(entry.types) or self._kind(document, block, entry.path)
        self._begin(document, entry.path, anchor, kind, block, listed=True)
        self.listed = self.sections[-1]
        self.ranks = [(block.rank, entry.path)] if block.rank else []

    def _stands_apart(self, document: Document, block: Block) -> bool:
        if not self.sections or not document.linear:
            return True
        own = self._typed(document, block)
        last = self.sections[-1]
        is_other = own is not None and own is not last.kind
        return is_other and not (own is Kind.BODY and last.kind is Kind.BODY)

    def _begin_apart(self, document: Document, block: Block) -> None:
        heading = block.text if block.rank and len(block.text) < LONGEST_TITLE else ""
        title = heading or document.title or self._typed_name(document, block)
        path = (plain(title) or self.book_title or document.name,)
        kind = self._kind(document, block, path)
        self._begin(document, path, "", kind, block)
        self.listed = None
        self.ranks = [(block.rank, path)] if block.rank else []

    def _begins(self, block: Block) -> bool:
        """Tell whether a heading that the contents do not name begins a section."""
        if len(block.text) > LONGEST_TITLE:
            return False
        here = self.sections[-1]
        if here.listed and all(item.rank for item in here.blocks):
            if not here.rank:
                here.rank = block.rank
                self.ranks = [(block.rank, here.path)]
            return False  # the title of the section, or what stands below its title
        return len(self._path(block)) <= max(self.depth, 1)

    def _path(self, block: Block) -> tuple[str, ...]:
        above: tuple[str, ...] = self.listed.path if self.listed else ()
        for rank, path in self.ranks:
            if rank < block.rank:
                above = path
        if self.ranks and self.ranks[0][0] >= block.rank and self.listed:
            above = self.listed.path[:-1]  # beside the section that is named, not below it
        return (*above, plain(block.text))

    def _begin_heading(self, document: Document, block: Block) -> None:
        path = self._path(block)
        kept = [(rank, known) for rank, known in self.ranks if rank < block.rank]
        kind = self._kind(document, block, path)
        if self.listed is not None and len(path) > 1 and kind is Kind.BODY:
            kind = self.listed.kind
        anchor = block.anchors[-1] if block.anchors else ""
        self._begin(document, path, anchor, kind, block)
        self.ranks = [*kept, (block.rank, path)]

    def _begin(
        self,
        document: Document,
        path: tuple[str, ...],
        anchor: str,
        kind: Kind,
        block: Block,
        *,
        listed: bool = False,
    ) -> None:
        self.sections.append(
            Section(
                path=path,
                document=document.name,
                anchor=anchor,
                kind=kind,
                linear=document.linear,
                rank=block.rank,
                listed=listed,
            )
        )

    def _typed(self, document: Document, block: Block) -> Kind | None:
        is_first = block is document.blocks[0]
        return kind_of_types(block.types) or kind_of_types([document.type] if is_first else [])

    def _typed_name(self, document: Document, block: Block) -> str:
        names = [*block.types, document.type]
        return next((name.replace("-", " ").capitalize() for name in reversed(names) if name), "")

    def _kind(self, document: Document, block: Block, path: tuple[str, ...]) -> Kind:
        typed = self._typed(document, block)
        if typed is not None and typed is not Kind.BODY:
            # Front and back are often all that is said; a title may say more.
            titled = kind_of_title(path[-1])
            is_rough = typed in (Kind.FRONT, Kind.BACK)
            return titled if is_rough and titled in (Kind.NOTES, Kind.INDEX) else typed
        if len(path) == 1 and (titled := kind_of_title(path[0])):
            return titled
        return typed or Kind.BODY


def plain(text: str) -> str:
    """Return inline Markdown as a title: without marks of emphasis, escapes and notes."""
    from resonare_pipeline.books.markdown.escaping import CALL_END, CALL_START

    parts = [part.partition(CALL_END)[2] or "" for part in text.split(CALL_START)[1:]]
    text = "".join([text.split(CALL_START)[0], *parts])
    text = _LINK.sub(lambda found: found.group(1) or found.group(2) or "", text)
    out: list[str] = []
    is_escaped = False
    for sign in text:
        if is_escaped or sign not in "\\*`":
            out.append(sign if not is_escaped or sign in "\\*`_#[]<>$~!&" else f"\\{sign}")
            is_escaped = False
        elif sign == "\\":
            is_escaped = True
    return " ".join("".join(out).split())
