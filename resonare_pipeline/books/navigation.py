"""The table of contents that a book brings along: from its nav document, else from its NCX."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from resonare_pipeline.books.container import Container
from resonare_pipeline.books.limits import LIMITS
from resonare_pipeline.books.package import Package
from resonare_pipeline.books.trees import Node, find_all, walk
from resonare_pipeline.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a table of contents.

    Attributes:
        path: Titles from the top down to its own.
        document: What it leads to; empty if it leads nowhere.
        anchor: The place in that document; empty for its beginning.
        types: What it is, in the words of `epub:type`.
    """

    path: tuple[str, ...]
    document: str
    anchor: str = ""
    types: tuple[str, ...] = ()


def read_contents(container: Container, package: Package) -> tuple[list[Entry], dict[str, str]]:
    """Return the table of contents, and document → type from the landmarks.

    A table that cannot be read is none; the book has its headings still.
    """
    entries: list[Entry] = []
    landmarks: dict[str, str] = dict(package.guide)
    for name, reader in ((package.nav, _from_nav), (package.ncx, _from_ncx)):
        if entries or not name:
            continue
        try:
            root = container.tree(name)
        except InputError as error:
            package.notices.append(f"table of contents {name}: {error.found}")
            continue
        if name == package.nav:
            landmarks |= _landmarks(root, container, name)
        entries = list(islice(reader(root, container, name), LIMITS.contents))
    return entries, landmarks


def _from_nav(root: Node, container: Container, name: str) -> Iterator[Entry]:
    navs = list(find_all(root, "nav"))
    chosen = next((nav for nav in navs if "toc" in nav.types()), None)
    if chosen is None:  # one that does not say what it is may still be a table of contents
        chosen = next((nav for nav in navs if not nav.types()), None)
    for part in chosen.elements() if chosen else ():
        if part.tag in ("ol", "ul"):
            yield from _list(part, (), container, name)


def _list(node: Node, above: tuple[str, ...], container: Container, name: str) -> Iterator[Entry]:
    for item in node.elements():
        if item.tag != "li":
            continue
        path = above
        for part in item.elements():
            if part.tag in ("ol", "ul"):
                yield from _list(part, path, container, name)
            elif title := _title(part):
                path = (*above, title)
                link = part if part.tag == "a" else next(find_all(part, "a"), None)
                href = link.get("href") if link else ""
                yield _entry(path, href, container, name, tuple((link or part).types()))


def _title(node: Node) -> str:
    images = (item.get("alt") for item in walk(node) if item.tag == "img")
    return " ".join((node.text() or " ".join(images) or node.get("title")).split())


def _entry(
    path: tuple[str, ...], href: str, container: Container, name: str, types: tuple[str, ...] = ()
) -> Entry:
    document = container.find(name, href) if href else None
    anchor = href.partition("#")[2] if document else ""
    return Entry(path=path, document=document or "", anchor=anchor, types=types)


def _from_ncx(root: Node, container: Container, name: str) -> Iterator[Entry]:
    for points in find_all(root, "navMap"):
        yield from _points(points, (), container, name)


def _points(node: Node, above: tuple[str, ...], container: Container, name: str) -> Iterator[Entry]:
    for point in node.elements():
        if point.tag != "navPoint":
            continue
        label = next((part for part in point.elements() if part.tag == "navLabel"), None)
        target = next((part for part in point.elements() if part.tag == "content"), None)
        title = " ".join(label.text().split()) if label else ""
        path = (*above, title) if title else above
        if path:
            yield _entry(path, target.get("src") if target else "", container, name)
        yield from _points(point, path, container, name)


def _landmarks(root: Node, container: Container, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for nav in find_all(root, "nav"):
        if "landmarks" in nav.types():
            for link in find_all(nav, "a"):
                document = container.find(name, link.get("href"))
                if document and "#" not in link.get("href") and link.types():
                    found.setdefault(document, link.types()[0])
    return found
