"""The stage of clean chapters: rows of sections → the same rows with their texts mended."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import field_validator

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.books.chapters import SEPARATOR
from resonare_pipeline.books.cleaning.cleaning import NAMES, clean
from resonare_pipeline.books.cleaning.rules import Tally
from resonare_pipeline.books.cleaning.segments import protected
from resonare_pipeline.books.raw import read_book_file
from resonare_pipeline.books.structured import write_chapters
from resonare_pipeline.books.tables import CHAPTERS, CHAPTERS_FILE
from resonare_pipeline.books.words import word_count
from resonare_pipeline.settings import Section

CLEAN_FOLDER = "clean_chapters"
PAGE_FILE = "cleaning.md"


class CleanChaptersSettings(Section):
    """Which rules mend the text of chapters."""

    section: ClassVar[str] = "clean_chapters"

    off: tuple[str, ...] = ()
    """Names of rules that are not used; `docs/books.md` lists all. None by default."""

    language: str = ""
    """Two letters; decides quotes and dashes. By default what the book says of itself."""

    @field_validator("off")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - set(NAMES)):
            raise ValueError(f"no rule is named {unknown[0]}; there are {', '.join(NAMES)}")
        return names


def make_clean_chapters(
    book: Artifact, chapters: Artifact, out: OutputDraft, settings: CleanChaptersSettings
) -> None:
    """Write the chapters of a book with texts and titles mended, and a page about what changed."""
    language = settings.language or read_book_file(book).language
    rows = list(chapters.rows(CHAPTERS_FILE))
    titles = dict.fromkeys(title for row in rows for title in (row["book_title"], *row["path"]))
    cleaned = clean([row["text"] for row in rows], titles, language, off=settings.off)
    offset = 0
    for row, text in zip(rows, cleaned.texts, strict=True):
        path = [cleaned.titles[title] for title in row["path"]]
        end = offset + len(text)
        row |= {"book_title": cleaned.titles[row["book_title"]], "path": path, "title": path[-1]}
        row |= {"text": text, "start": offset, "end": end, "words": word_count(text)}
        offset = end + len(SEPARATOR)
    with out.table(CHAPTERS_FILE, CHAPTERS) as table:
        for row in rows:
            table.add(row)
    with out.open(PAGE_FILE, auxiliary=True) as stream:
        stream.write(_page(cleaned.tallies).encode())
    count = write_chapters(rows, out, CLEAN_FOLDER)
    changes = {name: tally.count for name, tally in cleaned.tallies.items()}
    words = sum(row["words"] for row in rows)
    out.report(
        rows=len(rows),
        metadata={"chapters": count, "words": words, "changes": changes, "language": language},
    )


def _page(tallies: dict[str, Tally]) -> str:
    """Return the page of rules: how often each changed something, and examples."""
    lines = ["# What was cleaned", "", "| rule | changes | meaning |", "| --- | --- | --- |"]
    lines += [f"| {name} | {tally.count:,} | {NAMES[name]} |" for name, tally in tallies.items()]
    for name, tally in tallies.items():
        if tally.examples:
            lines += ["", f"## {name}", "", "| before | after |", "| --- | --- |"]
            lines += [f"| {_cell(before)} | {_cell(after)} |" for before, after in tally.examples]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Return text as code in a table, so that nothing in it is markup and spaces are seen."""
    plain = re.sub(r"\s*\n\s*", " ", text.strip("\n")).replace("\u00a0", "⍽")
    plain = plain.replace("|", "¦").replace("`", "ˋ")
    return f"`{plain}`"


def check_clean_chapters(staged: Artifact, chapters: Artifact) -> list[CheckEntry]:
    """Check that no chapter became empty, and that code and formulas are as they were."""
    pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]] = zip(
        chapters.rows(CHAPTERS_FILE), staged.rows(CHAPTERS_FILE), strict=True
    )
    empty = altered = 0
    for before, after in pairs:
        empty += not after["text"].strip()
        altered += protected(before["text"]) != protected(after["text"])
    return [
        CheckEntry(
            name="no_empty_clean_chapter",
            asset=staged.asset,
            passed=not empty,
            message=f"{empty} of {staged.entry.rows} are empty",
        ),
        CheckEntry(
            name="code_and_formulas_untouched",
            asset=staged.asset,
            passed=not altered,
            message=f"code or formulas differ in {altered} of {staged.entry.rows}",
        ),
    ]
