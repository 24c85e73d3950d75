"""The stage of chapters: a raw book → rows of sections, a document a chapter, and what it lost."""

from collections.abc import Callable
from typing import Annotated, BinaryIO, ClassVar

import msgspec
from pydantic import Field

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.books.chapters import Chapters, make_chapters
from resonare_pipeline.books.cleaning.segments import notes_that_do_not_match
from resonare_pipeline.books.coverage import COVERAGE_FILE, Coverage, measure
from resonare_pipeline.books.images import refuse_scan
from resonare_pipeline.books.opening import open_book
from resonare_pipeline.books.raw import read_book_file, verified
from resonare_pipeline.books.structured import write_chapters, write_contents
from resonare_pipeline.books.tables import CHAPTERS, CHAPTERS_FILE
from resonare_pipeline.errors import InputError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.settings import Section

CHAPTERS_FOLDER = "chapters"


class ChaptersSettings(Section):
    """How a book is cut into chapters and topics."""

    section: ClassVar[str] = "chapters"

    topic_levels: Annotated[int, Field(ge=0, le=20)] = 3
    """Level down to which a heading that the table of contents does not name begins a topic of its
    own; chapters are level 1. Entries of the table of contents begin one at any level."""

    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Share of a book's words that may be missing or doubled. Beyond it the book is refused, for
    it would mean that something in it is not understood."""


def make_chapter_rows(
    book: Artifact,
    key: str,
    opener: Callable[[str], BinaryIO],
    out: OutputDraft,
    settings: ChaptersSettings,
    *,
    progress: Progress = silent,
) -> None:
    """Write the chapters of a book.

    Args:
        key: The partition, which stands in each row.
        opener: Opens a raw file by its path.

    Raises:
        InputError: If the book cannot be read, or there is no text in it.
    """
    described = read_book_file(book)
    with verified(described.name, described.sha256, opener) as stream:
        opened = open_book(stream, described.name, progress=progress)
    made = make_chapters(opened, key, depth=settings.topic_levels)
    words = sum(row["words"] for row in made.rows)
    documents = len(opened.documents) + len(opened.package.left_out)
    refuse_scan(made.left_out, documents, words, described.name)
    if not made.rows:
        raise InputError(
            f"there is no text in its {documents} documents",
            where=described.name,
            expected="a book with text",
        )
    coverage = measure(opened, made)
    count = _write(made, out)
    with out.open(COVERAGE_FILE, auxiliary=True) as target:
        target.write(msgspec.json.encode(coverage) + b"\n")
    out.report(
        rows=len(made.rows),
        metadata={
            "title": opened.package.title,
            "chapters": count,
            "words": words,
            "formulas": coverage.written,
            "notes": made.notes,
            "notes_repeated": len(made.repeated),
            "documents_not_well_formed": len(opened.recovered),
            "notices": opened.package.notices,
        },
    )


def _write(made: Chapters, out: OutputDraft) -> int:
    with out.table(CHAPTERS_FILE, CHAPTERS) as table:
        for row in made.rows:
            table.add(row)
    write_contents(made.rows, made.left_out, out)
    with out.dropped() as dropped:
        for name, reason in made.left_out:
            dropped.add(name, reason)
    return write_chapters(made.rows, out, CHAPTERS_FOLDER)


def check_chapters(staged: Artifact, settings: ChaptersSettings) -> list[CheckEntry]:
    """Check that no chapter is empty, and that words, formulas and notes are there, once."""
    with staged.open(COVERAGE_FILE) as stream:
        found = msgspec.json.decode(stream.read(), type=Coverage)
    empty = alone = 0
    for row in staged.rows(CHAPTERS_FILE, columns=["text"]):
        empty += not row["text"].strip()
        alone += len(notes_that_do_not_match(row["text"]))
    most = int(found.words * settings.tolerance) + 2
    most_lost = most + found.allowed
    is_kept = found.lost <= most_lost and found.doubled <= most
    remedy = "" if is_kept else "; chapters.tolerance sets the bound"
    return [
        CheckEntry(
            name="no_empty_chapter",
            asset=staged.asset,
            passed=not empty,
            message=f"{empty} of {staged.entry.rows} are empty",
        ),
        CheckEntry(
            name="words_kept",
            asset=staged.asset,
            passed=found.lost <= most_lost,
            message=f"{found.lost} of {found.words} words are in no chapter{remedy}",
            metadata={"lost": found.lost, "words": found.words, "allowed": most_lost},
        ),
        CheckEntry(
            name="nothing_doubled",
            asset=staged.asset,
            passed=found.doubled <= most,
            message=f"{found.doubled} words stand more often than in the book{remedy}",
            metadata={"doubled": found.doubled, "words": found.words, "allowed": most},
        ),
        CheckEntry(
            name="formulas_kept",
            asset=staged.asset,
            passed=found.written >= found.formulas,
            message=f"{found.written} of {found.formulas} formulas are written",
            metadata={"written": found.written, "formulas": found.formulas},
        ),
        CheckEntry(
            name="notes_with_their_calls",
            asset=staged.asset,
            passed=not alone,
            message=f"{alone} labels of notes are called or defined alone in their section",
        ),
    ]
