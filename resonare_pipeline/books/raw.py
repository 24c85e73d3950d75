"""The raw book: one EPUB, read as it was when it was listed."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.books.container import Container
from resonare_pipeline.books.navigation import read_contents
from resonare_pipeline.books.package import read_package
from resonare_pipeline.errors import InputChangedError, InputError

BOOK_FILE = "book.json"
PIECE_BYTES = 1 << 20
MEMORY_BYTES = 8 << 20  # of an archive that is held in memory; a larger one goes to a file


class BookFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a book is, from its own description.

    Attributes:
        name: Path below the raw folder.
        documents: In the spine.
        contents: Entries of its table of contents.
        notices: What is odd about it.
    """

    name: str
    size: int
    sha256: str
    title: str
    authors: list[str]
    language: str
    identifier: str
    rights: str
    documents: int
    contents: int
    notices: list[str]


def make_book(
    sizes: dict[str, int],
    hashes: dict[str, str],
    opener: Callable[[str], BinaryIO],
    out: OutputDraft,
) -> None:
    """Describe a raw book; its content is not copied.

    Args:
        sizes: Path → bytes.
        hashes: Path → SHA-256.
        opener: Opens a file by its path.

    Raises:
        InputError: If there are several books, or this one cannot be read or is protected.
    """
    if len(sizes) != 1:
        names = ", ".join(sorted(sizes)[:3])
        raise InputError(
            f"the folder holds {len(sizes)} books: {names}",
            expected="one, so that it can be told from others",
            remedy="Lay each into the raw folder itself",
        )
    name, size = next(iter(sizes.items()))
    with verified(name, hashes[name], opener) as stream:
        container = Container(stream, name)
        package = read_package(container)
        contents, _ = read_contents(container, package)
    book = BookFile(
        name=name,
        size=size,
        sha256=hashes[name],
        title=package.title,
        authors=package.authors,
        language=package.language,
        identifier=package.identifier,
        rights=package.rights,
        documents=len(package.spine),
        contents=len(contents),
        notices=package.notices,
    )
    with out.open(BOOK_FILE) as target:
        target.write(msgspec.json.format(msgspec.json.encode(book), indent=1) + b"\n")
    out.report(rows=len(package.spine), metadata={"title": package.title, "bytes": size})


def read_book_file(book: Artifact) -> BookFile:
    """Return the description of a book."""
    with book.open(BOOK_FILE) as stream:
        return msgspec.json.decode(stream.read(), type=BookFile)


@contextmanager
def verified(name: str, sha256: str, opener: Callable[[str], BinaryIO]) -> Iterator[BinaryIO]:
    """Open a raw file for seeking, sure that it is what it was when it was listed.

    Raises:
        InputChangedError: If it is not.
    """
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as copy:
        hasher = hashlib.sha256()
        with opener(name) as stream:
            while piece := stream.read(PIECE_BYTES):
                hasher.update(piece)
                copy.write(piece)
        if hasher.hexdigest() != sha256:
            raise InputChangedError(
                "it changed while it was being read",
                where=name,
                remedy="Run again when it is complete",
            )
        copy.seek(0)
        yield copy  # type: ignore[misc]  # a binary file in all but its declared type
