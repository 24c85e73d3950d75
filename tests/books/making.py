"""Small books made in code."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from resonare_pipeline.books.chapters import Chapters, make_chapters
from resonare_pipeline.books.opening import Book, open_book

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" '
    'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
MATH = "http://www.w3.org/1998/Math/MathML"


def page(body: str, *, title: str = "", attributes: str = "") -> str:
    """Return a document around a body."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml" '
        'xmlns:epub="http://www.idpf.org/2007/ops"><head>'
        f"<title>{title}</title></head><body {attributes}>{body}</body></html>"
    )


def nav(items: str) -> str:
    """Return a nav document around the items of its list."""
    return page(f'<nav epub:type="toc"><ol>{items}</ol></nav>')


def package(
    documents: Sequence[str],
    *,
    linear: Mapping[str, str] | None = None,
    manifest: str = "",
    spine: str | None = None,
    has_nav: bool = True,
    language: str = "en",
) -> str:
    """Return a package document that names documents in order."""
    items = "".join(
        f'<item id="d{number}" href="{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(documents)
    )
    references = "".join(
        f'<itemref idref="d{number}" linear="{(linear or {}).get(name, "yes")}"/>'
        for number, name in enumerate(documents)
    )
    toc = (
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        if has_nav
        else ""
    )
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A Book</dc:title>'
        f"<dc:language>{language}</dc:language><dc:creator>Somebody</dc:creator></metadata>"
        f"<manifest>{items}{toc}{manifest}</manifest>"
        f"{f'<spine>{references}</spine>' if spine is None else spine}</package>"
    )


def archive(files: Mapping[str, str | bytes], *, mimetype: bool = True) -> bytes:
    """Return a ZIP archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        if mimetype:
            target.writestr(_named("mimetype"), "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in files.items():
            target.writestr(_named(name), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _named(name: str) -> zipfile.ZipInfo:
    """Return an entry without the time of day, so that one book has the same bytes whenever."""
    return zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))


def epub(
    documents: Mapping[str, str | bytes],
    *,
    contents: str | None = None,
    extra: Mapping[str, str | bytes] | None = None,
    **options: Any,
) -> bytes:
    """Return a book: documents by name (bodies without `<html` are wrapped), items of its nav."""
    files: dict[str, str | bytes] = {"META-INF/container.xml": CONTAINER}
    options.setdefault("has_nav", contents is not None)
    files["OPS/book.opf"] = package(list(documents), **options)
    if contents is not None:
        files["OPS/nav.xhtml"] = nav(contents)
    for name, content in documents.items():
        is_body = isinstance(content, str) and "<html" not in content
        files[f"OPS/{name}"] = page(content) if is_body and isinstance(content, str) else content
    return archive(files | dict(extra or {}))


def opened(content: bytes) -> Book:
    """Return a book as it is read."""
    return open_book(io.BytesIO(content), "book.epub")


def chapters(content: bytes, *, depth: int = 3) -> Chapters:
    """Return a book's chapters."""
    return make_chapters(opened(content), "book", depth=depth)


def markdown(body: str) -> str:
    """Return what a body becomes."""
    made = chapters(epub({"one.xhtml": body}), depth=0)
    return "\n\n".join(row["text"] for row in made.rows)
