"""A book's archive → its documents as blocks, its table of contents and its notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from resonare_pipeline.books.container import Container
from resonare_pipeline.books.limits import LIMITS, Limits
from resonare_pipeline.books.markdown.blocks import blocks, document_blocks
from resonare_pipeline.books.markdown.pieces import Block, State
from resonare_pipeline.books.navigation import Entry, read_contents
from resonare_pipeline.books.notes import Notes, Place, find_notes
from resonare_pipeline.books.package import Package, Reason, SpineItem, read_package
from resonare_pipeline.books.trees import Node, find, find_all, walk
from resonare_pipeline.errors import InputError
from resonare_pipeline.progress import Progress, silent

OUTSIDE = ("http://", "https://", "mailto:", "ftp://", "doi:")


@dataclass(slots=True, kw_only=True)
class Document:
    """One document of the spine.

    Attributes:
        type: What landmarks or guide say that it is.
        trailing: Ids after its last block.
        shows: Whether there is anything in it but menus.
    """

    name: str
    linear: bool
    title: str
    type: str
    blocks: list[Block]
    trailing: list[str] = field(default_factory=list)
    is_menu: bool = False


@dataclass(slots=True, kw_only=True)
class Book:
    """A book as it was read.

    Attributes:
        notes: Key of a called note → its blocks.
        marks: Key of a called note → what calls it.
        formulas: Formulas that were written.
        recovered: Documents that were not well-formed.
    """

    package: Package
    documents: list[Document]
    contents: list[Entry]
    notes: dict[int, list[Block]]
    marks: dict[int, str]
    trees: Mapping[str, Node]
    formulas: int = 0
    recovered: list[str] = field(default_factory=list)


class _Links:
    """The links of one document, as the writers of Markdown ask for them."""

    def __init__(self, container: Container, name: str, notes: Notes) -> None:
        self._container = container
        self._name = name
        self._notes = notes
        self.top: Node | None = None  # the note that is being written, which is no other's place

    def image(self, href: str) -> str:
        """Return an image's name in the archive, or its address."""
        if href.startswith("data:"):
            return ""
        return self._container.find(self._name, href) or href

    def outside(self, href: str) -> str:
        """Return an address outside of the book."""
        href = href.strip()
        return href if href.lower().startswith(OUTSIDE) else ""

    def called(self, link: Node) -> int | None:
        """Return the key of the note that a link calls."""
        return self._notes.calls.get(id(link))

    def is_backlink(self, link: Node) -> bool:
        """Tell whether a link leads back from a note."""
        return id(link) in self._notes.backlinks

    def is_moved(self, node: Node) -> bool:
        """Tell whether an element is written elsewhere."""
        return id(node) in self._notes.moved and node is not self.top


def open_book(
    stream: BinaryIO, where: str, *, limits: Limits = LIMITS, progress: Progress = silent
) -> Book:
    """Read a book.

    Args:
        stream: The archive; it must allow seeking.
        where: Its name, for messages.

    Raises:
        InputError: If it cannot be read, is protected, or holds too much.
    """
    container = Container(stream, where, limits=limits)
    package = read_package(container)
    contents, landmarks = read_contents(container, package)
    trees = _trees(container, package, progress)
    places = _places(container, trees)
    notes = find_notes(trees, places)
    documents: list[Document] = []
    formulas = 0
    for item in package.spine:
        if item.name in trees:
            state = State(links=_Links(container, item.name, notes))
            documents.append(_document(item, trees[item.name], state, landmarks))
            formulas += state.formulas
    book = Book(
        package=package,
        documents=documents,
        contents=contents,
        notes={},
        marks={note.key: note.mark for note in notes.notes},
        trees=trees,
        formulas=formulas,
        recovered=[name for name, tree in trees.items() if tree.recovered],
    )
    _write_notes(book, notes, container)
    return book


def _trees(container: Container, package: Package, progress: Progress) -> dict[str, Node]:
    trees: dict[str, Node] = {}
    for number, item in enumerate(package.spine):
        progress(number, len(package.spine), "documents")
        try:
            trees[item.name] = container.tree(item.name)
        except InputError as error:
            if (
                "protected" in error.found
                or "too many" in error.found
                or error.expected.startswith("at most")
            ):
                raise
            package.left_out.append((item.name, Reason.UNREADABLE))
    if not trees:
        raise InputError("none of its documents can be read", where=container.where)
    return trees


def _places(container: Container, trees: Mapping[str, Node]) -> dict[int, Place]:
    """Return where each link inside of the book leads: id of its node → (document, id)."""
    places: dict[int, Place] = {}
    known: dict[tuple[str, str], str | None] = {}
    for name, tree in trees.items():
        for link in find_all(tree, "a"):
            path, hash_, anchor = link.get("href").partition("#")
            if hash_ and anchor:
                if (name, path) not in known:
                    known[name, path] = container.find(name, path) if path else name
                if document := known[name, path]:
                    places[id(link)] = (document, anchor)
    return places


def _document(item: SpineItem, tree: Node, state: State, landmarks: Mapping[str, str]) -> Document:
    made = document_blocks(tree, state)
    head = find(tree, "title")
    is_menu = not made and ("nav" in item.properties or any(n.tag == "nav" for n in walk(tree)))
    return Document(
        name=item.name,
        linear=item.linear,
        title=" ".join(head.text().split()) if head else "",
        type=landmarks.get(item.name, ""),
        blocks=made,
        trailing=state.anchors,
        is_menu=is_menu,
    )


def _write_notes(book: Book, notes: Notes, container: Container) -> None:
    for note in notes.notes:
        links = _Links(container, note.document, notes)
        links.top = note.node
        state = State(links=links)
        around = Node("div", {}, None)
        inner = note.node
        if inner.tag == "li":
            around.children = inner.children
            around.has_block = inner.has_block
        else:
            around.children = [inner]
            around.has_block = True
        book.notes[note.key] = blocks(around, state)
        book.formulas += state.formulas
