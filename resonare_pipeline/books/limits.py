"""How much of a book is read at most. A book beyond a limit is refused, with the limit named.

Only documents are ever unpacked, never images or fonts, and nothing is unpacked to disk. So what an
archive can cost is bounded by the bytes of its documents and the elements that these hold.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one book.

    Attributes:
        entries: Files in the archive. The largest textbooks have some ten thousand.
        document_bytes: Of one document, unpacked. A whole novel is 1 MB.
        book_bytes: Of all documents that are read, unpacked.
        elements: Elements of all documents; each takes about 250 bytes of memory.
        depth: Nesting; elements below it are read as if they stood at it, so no text is lost.
        contents: Entries of a table of contents.
    """

    entries: int = 100_000
    document_bytes: int = 48 << 20
    book_bytes: int = 256 << 20
    elements: int = 2_500_000
    depth: int = 120
    contents: int = 100_000


LIMITS = Limits()
