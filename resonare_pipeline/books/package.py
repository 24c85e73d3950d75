"""The package document of a book: what it is called, its documents in order, its table of contents.

Read from the container by itself, and not with EbookLib: that raises on books that any reader
opens (a manifest that names a missing or remote file, an item without an address, no `mimetype`),
holds every image in memory, and gives neither `linear` nor the order of a broken spine. With two
mechanisms each book would have to be understood twice; this one reads all of them, within limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from resonare_pipeline.books.container import Container
from resonare_pipeline.books.trees import Node, find, find_all
from resonare_pipeline.errors import InputError

DOCUMENT_TYPES = frozenset(
    {
        "application/xhtml+xml",
        "text/html",
        "text/x-oeb1-document",
        "application/x-dtbook+xml",
        "application/xml",
        "text/xml",
        "image/svg+xml",
    }
)
DOCUMENT_SUFFIXES = (".xhtml", ".html", ".htm", ".xml", ".svg")


class Reason(StrEnum):
    """Why something of a book is in no chapter."""

    MISSING = "missing"
    """The spine names a document that the archive does not hold."""

    REMOTE = "remote"
    """It is somewhere on the network."""

    NOT_TEXT = "not_text"
    """An image or another file that is no document."""

    REPEATED = "repeated"
    """The spine names it a second time."""

    UNREADABLE = "unreadable"
    """It is damaged."""

    NAVIGATION = "navigation"
    """Only a table of contents for reading systems; chapters hold it as their structure."""

    NO_TEXT = "no_text"
    """A page without any word."""

    IMAGE = "image_of_a_page"
    """A cover, a plate or a scanned page: an image without text beside it."""

    NOTES_MOVED = "notes_moved"
    """Only the title of notes, all of which stand where they are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of the manifest.

    Attributes:
        name: In the archive; empty if it is not there.
    """

    id: str
    href: str
    name: str
    media_type: str
    properties: frozenset[str]
    fallback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpineItem:
    """A document in the order of reading.

    Attributes:
        linear: Whether it stands in the main text.
    """

    name: str
    linear: bool
    properties: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Package:
    """What a package document says.

    Attributes:
        name: The package document itself.
        left_out: (address, reason) of what the spine names and nobody can read.
        guide: Name of a document → what EPUB 2 says that it is.
    """

    name: str
    title: str = ""
    language: str = ""
    authors: list[str] = field(default_factory=list)
    identifier: str = ""
    rights: str = ""
    items: dict[str, Item] = field(default_factory=dict)
    spine: list[SpineItem] = field(default_factory=list)
    left_out: list[tuple[str, Reason]] = field(default_factory=list)
    guide: dict[str, str] = field(default_factory=dict)
    nav: str = ""
    ncx: str = ""
    notices: list[str] = field(default_factory=list)


def read_package(container: Container) -> Package:
    """Read a book's package document.

    Raises:
        InputError: If there is none, or it names no document that can be read.
    """
    name = container.package()
    root = container.tree(name)
    package = Package(name=name)
    _read_metadata(root, package)
    container.language = package.language
    _read_manifest(root, package, container)
    _read_spine(root, package)
    _read_guide(root, package, container)
    if not package.spine:
        raise InputError(
            f"its package document {name} names no text that the archive holds",
            where=container.where,
            expected="a spine, or documents in the manifest",
        )
    return package


def _read_metadata(root: Node, package: Package) -> None:
    texts: dict[str, list[str]] = {}
    for tag in ("title", "language", "creator", "identifier", "rights"):
        found = (" ".join(node.text().split()) for node in find_all(root, tag))
        texts[tag] = [text for text in found if text]
    package.title = next(iter(texts["title"]), "")
    package.language = next(iter(texts["language"]), "")
    package.authors = list(dict.fromkeys(texts["creator"]))
    package.identifier = next(iter(texts["identifier"]), "")
    package.rights = next(iter(texts["rights"]), "")


def _read_manifest(root: Node, package: Package, container: Container) -> None:
    manifest = find(root, "manifest")
    for number, node in enumerate(manifest.elements() if manifest else ()):
        href = node.get("href")
        if node.tag != "item" or not href:
            continue
        item = Item(
            id=node.get("id") or f"item-{number}",
            href=href,
            name=container.find(package.name, href) or "",
            media_type=node.get("media-type").strip().lower(),
            properties=frozenset(node.get("properties").split()),
            fallback=node.get("fallback"),
        )
        package.items.setdefault(item.id, item)
        if "nav" in item.properties and item.name:
            package.nav = package.nav or item.name
        if item.media_type == "application/x-dtbncx+xml" and item.name:
            package.ncx = package.ncx or item.name


def _read_spine(root: Node, package: Package) -> None:
    spine = find(root, "spine")
    if spine is not None and (ncx := package.items.get(spine.get("toc"))) and ncx.name:
        package.ncx = ncx.name
    seen: set[str] = set()
    references = [node for node in spine.elements() if node.tag == "itemref"] if spine else []
    for node in references:
        _add_reference(node, package, seen)
    if not package.spine:
        package.notices.append("no spine; documents stand in the order of the manifest")
        for item in package.items.values():
            if _is_document(item) and item.name and item.name not in (*seen, package.nav):
                seen.add(item.name)
                package.spine.append(SpineItem(name=item.name, linear=True))


def _add_reference(node: Node, package: Package, seen: set[str]) -> None:
    reference = node.get("idref")
    item = package.items.get(reference)
    if item is None:
        package.left_out.append((reference or "itemref", Reason.MISSING))
        return
    document = next((each for each in _fallbacks(item, package) if _is_document(each)), None)
    is_image = item.media_type.startswith("image/") and not _is_document(item)
    if document is None or (is_image and document.name in seen):
        package.left_out.append((item.href, Reason.IMAGE if is_image else Reason.NOT_TEXT))
    elif not document.name:
        remote = "://" in document.href
        package.left_out.append((document.href, Reason.REMOTE if remote else Reason.MISSING))
    elif document.name in seen:
        package.left_out.append((document.href, Reason.REPEATED))
    else:
        seen.add(document.name)
        linear = node.get("linear").strip().lower() != "no"
        properties = document.properties
        package.spine.append(SpineItem(name=document.name, linear=linear, properties=properties))


def _fallbacks(item: Item, package: Package) -> Iterator[Item]:
    """Yield an item and those that stand in for it, best first."""
    seen: set[str] = set()
    here: Item | None = item
    while here is not None and here.id not in seen:
        seen.add(here.id)
        yield here
        here = package.items.get(here.fallback)


def _is_document(item: Item) -> bool:
    named = item.href.lower().partition("#")[0].endswith(DOCUMENT_SUFFIXES)
    return item.media_type in DOCUMENT_TYPES or (named and not item.media_type.startswith("image/"))


def _read_guide(root: Node, package: Package, container: Container) -> None:
    guide = find(root, "guide")
    for node in guide.elements() if guide else ():
        if name := container.find(package.name, node.get("href")):
            package.guide.setdefault(name, node.get("type").strip().lower())
