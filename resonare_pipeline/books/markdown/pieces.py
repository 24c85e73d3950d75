"""What the writers of Markdown share: blocks, and the state of the document that is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from resonare_pipeline.books.trees import Node


@dataclass(slots=True, kw_only=True)
class Block:
    """A paragraph, a heading, a list, a table or the like.

    Attributes:
        text: Markdown; a heading without its hashes.
        rank: Of a heading, 1 to 6; else 0.
        anchors: Ids of elements that begin before its end, after the block before it.
        calls: Keys of the notes that are called in it, in order.
        types: `epub:type` of the elements around it, innermost last.
    """

    text: str
    rank: int = 0
    anchors: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    types: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The block as it stands below others, such as in a list."""
        return f"{'#' * self.rank} {self.text}" if self.rank else self.text


class Links(Protocol):
    """What is known of the links of a document."""

    def image(self, href: str) -> str:
        """Return how the source of an image is written."""
        ...

    def outside(self, href: str) -> str:
        """Return the address if it lies outside of the book, else nothing."""
        ...

    def called(self, link: Node) -> int | None:
        """Return the key of the note that a link calls."""
        ...

    def is_backlink(self, link: Node) -> bool:
        """Tell whether a link only leads from a note back to its call."""
        ...

    def is_moved(self, node: Node) -> bool:
        """Tell whether an element is a note that is written where it is called."""
        ...


@dataclass(slots=True, kw_only=True)
class State:
    """Where the writing of one document stands.

    Attributes:
        anchors: Ids that belong to the next block.
        calls: Notes called since the last block.
        formulas: Formulas written.
        in_cell: How many tables are around.
        follower: What stands after the element that is being written.
    """

    links: Links
    anchors: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    formulas: int = 0
    in_cell: int = 0
    types: tuple[str, ...] = ()
    follower: Node | str = ""

    def enter(self, node: Node) -> None:
        """Take note of an element's ids."""
        if node.attributes:
            self._enter(node.attributes, node.tag)

    def _enter(self, attributes: Mapping[str, str], tag: str) -> None:
        if name := attributes.get("id") or attributes.get("xml:id"):
            self.anchors.append(name)
        if tag == "a" and (name := attributes.get("name")):
            self.anchors.append(name)

    def block(self, text: str, *, rank: int = 0) -> Block:
        """Return a block that takes all ids and calls that are pending."""
        made = Block(text=text, rank=rank, anchors=self.anchors, calls=self.calls, types=self.types)
        self.anchors, self.calls = [], []
        return made

    def merged(self, blocks: Iterable[Block], text: str) -> Block:
        """Return one block instead of several."""
        anchors: list[str] = []
        calls: list[int] = []
        for block in blocks:
            anchors += block.anchors
            calls += block.calls
        self.anchors[:0] = anchors
        self.calls[:0] = calls
        return self.block(text)


def stacked(blocks: Iterable[Block]) -> str:
    """Return blocks below one another."""
    return "\n\n".join(block.markdown for block in blocks)


def indented(text: str, by: str) -> str:
    """Return text whose lines but the first are moved in; empty ones stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"{by}{line}" if line else "" for line in rest)])
