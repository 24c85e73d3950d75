"""A book → the rows of its chapters: Markdown by section, notes where they are called."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from resonare_pipeline.books.kinds import Kind
from resonare_pipeline.books.markdown.escaping import labelled
from resonare_pipeline.books.markdown.pieces import Block, indented, stacked
from resonare_pipeline.books.opening import Book
from resonare_pipeline.books.outline import Section, outline
from resonare_pipeline.books.package import Reason
from resonare_pipeline.books.words import word_count

NOTE_INDENT = " " * 4
DEEPEST_HEADING = 6
SEPARATOR = "\n\n"  # between rows, in the text of the whole book
_LABEL = re.compile(r"[A-Za-z0-9]{1,8}")


@dataclass(slots=True, kw_only=True)
class Chapters:
    """What a book became.

    Attributes:
        rows: As `tables.CHAPTERS` describes them.
        left_out: (what, reason).
        notes: Notes that stand where they are called.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[tuple[str, Reason]] = field(default_factory=list)
    notes: int = 0


@dataclass(slots=True)
class _Labels:
    """The labels of notes in one section; keys of notes that were written are kept for the book."""

    marks: dict[int, str]
    written: set[int]
    labels: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def give(self, keys: list[int]) -> list[int]:
        """Give labels to calls and return the notes that are to be written here."""
        new: list[int] = []
        for key in keys:
            if key not in self.labels:
                self.labels[key] = self._free(self.marks[key])
            if key not in self.written:
                self.written.add(key)
                new.append(key)
        return new

    def _free(self, mark: str) -> str:
        label = mark if _LABEL.fullmatch(mark) else "note"
        self.counts[label] += 1
        return label if self.counts[label] == 1 else f"{label}-{self.counts[label]}"


def make_chapters(book: Book, key: str, *, depth: int) -> Chapters:
    """Return the chapters of a book, in the order of reading.

    Args:
        key: The book's name, which its ids begin with.
        depth: Level down to which headings begin rows of their own.
    """
    made = Chapters(left_out=list(book.package.left_out))
    for document in book.documents:
        if not document.blocks:
            made.left_out.append(
                (document.name, Reason.NAVIGATION if document.is_menu else Reason.NO_TEXT)
            )
    title = book.package.title or key
    sections = outline(book.documents, book.contents, depth=depth, book_title=title)
    written: set[int] = set()
    offset = 0
    for section in _with_rest(sections, book, written):
        if book.notes and _is_bare_title_of_notes(section):
            made.left_out.append((section.document, Reason.NOTES_MOVED))
            continue
        text = section_text(section, book, written)
        made.rows.append(_row(section, text, key, title, offset, len(made.rows)))
        offset += len(text) + len(SEPARATOR)
    made.notes = len(written)
    return made


def _with_rest(sections: list[Section], book: Book, written: set[int]) -> Iterator[Section]:
    """Yield sections, and at the end one with the notes that nothing visible calls."""
    yield from sections
    rest = [key for key in book.notes if key not in written]
    blocks = [block for key in rest for block in book.notes[key]]
    written.update(rest)
    if blocks:
        document = sections[-1].document if sections else ""
        yield Section(
            path=("Notes",),
            document=document,
            anchor="",
            kind=Kind.NOTES,
            linear=False,
            blocks=blocks,
        )


def _is_bare_title_of_notes(section: Section) -> bool:
    return section.kind is Kind.NOTES and all(
        block.rank or block.text == "---" for block in section.blocks
    )


def section_text(section: Section, book: Book, written: set[int]) -> str:
    """Return a section's Markdown; each note stands below the block that first calls it."""
    labels = _Labels(book.marks, written)
    parts: list[str] = []
    for block in section.blocks:
        waiting = labels.give(block.calls)
        parts.append(labelled(_at_level(block, section), labels.labels))
        for key in waiting:  # grows while it is read: notes call notes
            for inner in book.notes[key]:
                waiting += labels.give(inner.calls)
            parts.append(_note(book.notes[key], labels, key))
    return SEPARATOR.join(parts)


def _at_level(block: Block, section: Section) -> str:
    """Return a block; headings have as many hashes as their section is deep."""
    if not block.rank:
        return block.text
    base = section.rank or block.rank
    hashes = section.level + block.rank - base
    return f"{'#' * min(max(hashes, 1), DEEPEST_HEADING)} {block.text}"


def _note(blocks: list[Block], labels: _Labels, key: int) -> str:
    text = labelled(stacked(blocks), labels.labels)
    mark = re.escape(labels.marks[key] or "\0")
    text = re.sub(rf"^(?:\^\{{?)?\\?\[?\(?\\?{mark}\\?[\])}}]*[.:]?\s+", "", text, count=1)
    return f"[^{labels.labels[key]}]: {indented(text, NOTE_INDENT)}"


def _row(
    section: Section, text: str, key: str, title: str, offset: int, number: int
) -> dict[str, Any]:
    return {
        "book": key,
        "book_title": title,
        "number": number,
        "path": list(section.path),
        "title": section.path[-1],
        "level": section.level,
        "kind": section.kind.value,
        "linear": section.linear,
        "file": section.document,
        "anchor": section.anchor,
        "start": offset,
        "end": offset + len(text),
        "text": text,
        "words": word_count(text),
    }
