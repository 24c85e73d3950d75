"""Held against the documents: which words and formulas of a book its chapters hold."""

from collections import Counter

import msgspec

from resonare_pipeline.books.chapters import Chapters
from resonare_pipeline.books.cleaning.segments import note_labels
from resonare_pipeline.books.inventory import visible_formulas
from resonare_pipeline.books.opening import Book
from resonare_pipeline.books.package import Reason
from resonare_pipeline.books.words import words_of_markdown, words_of_tree

COVERAGE_FILE = "coverage.json"
WORDS_A_LABEL = 3  # of the book, where a label stands: 127, or a number and a sign that leads back
WORDS_A_TITLE = 12  # of the title of notes that all are moved


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one book.

    Attributes:
        words: Of its documents, as a reader sees them.
        lost: Words of theirs that no chapter holds.
        doubled: Words that chapters hold beyond them.
        allowed: Words that may be lost, for labels of notes, which do not count, stand for them.
        formulas: Of its documents.
        written: Formulas of chapters.
    """

    words: int
    lost: int
    doubled: int
    allowed: int
    formulas: int
    written: int


def measure(book: Book, chapters: Chapters) -> Coverage:
    """Count a book's words on both sides."""
    source: Counter[str] = Counter()
    formulas = 0
    gone = {name for name, reason in chapters.left_out if reason is Reason.IMAGE}
    for name in {document.name for document in book.documents} - gone:
        source += words_of_tree(book.trees[name])
        formulas += visible_formulas(book.trees[name])
    made: Counter[str] = Counter()
    labels = 0
    for row in chapters.rows:
        own = note_labels(row["text"])
        labels += len(own)
        made += words_of_markdown(row["text"])
        made -= words_of_markdown(" ".join(own))
    for text in chapters.repeated:
        made -= words_of_markdown(text)
        made += words_of_markdown(" ".join(note_labels(text)))
    titles = sum(reason is Reason.NOTES_MOVED for _, reason in chapters.left_out)
    return Coverage(
        words=source.total(),
        lost=(source - made).total(),
        doubled=(made - source).total(),
        allowed=labels * WORDS_A_LABEL + titles * WORDS_A_TITLE,
        formulas=formulas,
        written=book.formulas,
    )
