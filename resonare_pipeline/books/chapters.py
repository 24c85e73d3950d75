"""A book → the rows of its chapters: Markdown by section, notes where they are called."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from resonare_pipeline.books.images import is_image_page
from resonare_pipeline.books.kinds import Kind
from resonare_pipeline.books.markdown.escaping import escaped, labelled
from resonare_pipeline.books.markdown.pieces import Block, indented, stacked
from resonare_pipeline.books.opening import Book, Document
from resonare_pipeline.books.outline import Section, outline
from resonare_pipeline.books.package import Reason
from resonare_pipeline.books.words import word_count

NOTE_INDENT = " " * 4
DEEPEST_HEADING = 6
SEPARATOR = "\n\n"  # between rows, in the text of the whole book
MOST_REPEATED = 1_000_000  # letters of notes that are written a second time
_LABEL = re.compile(r"[A-Za-z0-9]{1,8}")
_HEAD = re.compile(r"(?:\^\{?)?\\?\[?\(?")
_TAIL = re.compile(r"\\?[\])}]*[.:]?\s+")
_EMPTY_MARK = re.compile(
    r"^(?:(?:\\?\[\s*\\?\]|\(\s*\)|\^\{\s*\})[.:]?|[.:](?!\s*\.))\s+"
)  # what is left around a number that led back


@dataclass(slots=True, kw_only=True)
class Chapters:
    """What a book became.

    Attributes:
        rows: As `tables.CHAPTERS` describes them.
        left_out: (what, reason).
        notes: Notes that stand where they are called.
        repeated: What was written again since another section calls it, too.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[tuple[str, Reason]] = field(default_factory=list)
    notes: int = 0
    repeated: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Writer:
    """Writes sections. Each has the notes that it calls, for each is read by itself later.

    Attributes:
        top: The title that the labels belong to; below it each means one note.
        labels: Key of a note → its label below that title.
        written: Notes that stand in a section.
        left: Letters of notes that may still be repeated.
    """

    book: Book
    made: Chapters
    top: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    written: set[int] = field(default_factory=set)
    left: int = MOST_REPEATED

    def text(self, section: Section, plain: Collection[int] = ()) -> str:
        """Return a section's Markdown; each note stands below the block that first calls it.

        Args:
            plain: Notes that stand in the section as text, so that calls of them stay marks.
        """
        if section.path[0] != self.top:
            self.top, self.labels, self.counts = section.path[0], {}, Counter()
        shown = {key: self._mark(key) for key in plain}
        parts: list[str] = []
        for block in section.blocks:
            waiting = self._give(block.calls, shown)
            parts.append(labelled(_at_level(block, section), shown))
            for key in waiting:  # grows while it is read: notes call notes
                for inner in self.book.notes[key]:
                    waiting += self._give(inner.calls, shown)
                parts.append(self._note(key, shown))
        return SEPARATOR.join(parts)

    def _give(self, keys: Iterable[int], shown: dict[int, str]) -> list[int]:
        """Say how calls are shown, and return the notes that are to be written below them."""
        new: list[int] = []
        for key in keys:
            if key in shown:
                continue
            if key in self.written and self._length(key) > self.left:
                shown[key] = self._mark(key)
                continue
            if key not in self.labels:
                self.labels[key] = self._free(self.book.marks[key])
            shown[key] = f"[^{self.labels[key]}]"
            new.append(key)
        return new

    def _free(self, mark: str) -> str:
        label = mark if _LABEL.fullmatch(mark) else "note"
        self.counts[label] += 1
        return label if self.counts[label] == 1 else f"{label}-{self.counts[label]}"

    def _mark(self, key: int) -> str:
        return escaped(self.book.marks[key] or "*")

    def _length(self, key: int) -> int:
        return sum(len(block.text) for block in self.book.notes[key])

    def _note(self, key: int, shown: dict[int, str]) -> str:
        blocks = self.book.notes[key]
        while len(blocks) > 1 and blocks[0].text == "---":  # a line above the notes of a page
            blocks = blocks[1:]
        text = _without_mark(labelled(stacked(blocks), shown), self.book.marks[key])
        note = f"{shown[key]}: {indented(text, NOTE_INDENT)}"
        if key in self.written:
            self.left -= len(note)
            self.made.repeated.append(note)
        self.written.add(key)
        return note


def _without_mark(text: str, mark: str) -> str:
    """Return a note without the number or sign that it begins with."""
    text = _EMPTY_MARK.sub("", text)
    head = _HEAD.match(text)
    for start in (0, head.end() if head else 0):
        for written in (mark, escaped(mark)):
            end = start + len(written)
            if mark and text.startswith(written, start) and (tail := _TAIL.match(text, end)):
                return text[tail.end() :]
    return text


def make_chapters(book: Book, key: str, *, depth: int) -> Chapters:
    """Return the chapters of a book, in the order of reading.

    Args:
        key: The book's name, which its ids begin with.
        depth: Level down to which headings begin rows of their own.
    """
    made = Chapters(left_out=list(book.package.left_out))
    documents = [_shown(document, book, made) for document in book.documents]
    title = book.package.title or key
    sections = outline(documents, book.contents, depth=depth, book_title=title)
    writer = _Writer(book, made)
    for section in sections:
        if book.notes and _is_bare_title_of_notes(section):
            made.left_out.append((section.document, Reason.NOTES_MOVED))
        else:
            _add(made, section, writer.text(section), key, title)
    rest = [each for each in book.notes if each not in writer.written]
    if blocks := [block for each in rest for block in book.notes[each]]:
        section = _rest(blocks, sections[-1].document if sections else "")
        _add(made, section, writer.text(section, plain=rest), key, title)
    made.notes = len(writer.written)
    return made


def _shown(document: Document, book: Book, made: Chapters) -> Document:
    """Return a document, without its blocks and with a reason if it is left out."""
    if is_image_page(document, book.trees[document.name]):
        made.left_out.append((document.name, Reason.IMAGE))
        return replace(document, blocks=[], trailing=[])
    if not document.blocks:
        reason = Reason.NAVIGATION if document.is_menu else Reason.NO_TEXT
        made.left_out.append((document.name, reason))
    return document


def _rest(blocks: list[Block], document: str) -> Section:
    """Return a section of the notes that nothing visible calls."""
    return Section(
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


def _at_level(block: Block, section: Section) -> str:
    """Return a block; headings have as many hashes as their section is deep."""
    if not block.rank:
        return block.text
    base = section.rank or block.rank
    hashes = section.level + block.rank - base
    return f"{'#' * min(max(hashes, 1), DEEPEST_HEADING)} {block.text}"


def _add(made: Chapters, section: Section, text: str, key: str, title: str) -> None:
    start = made.rows[-1]["end"] + len(SEPARATOR) if made.rows else 0
    row = {
        "book": key,
        "book_title": title,
        "number": len(made.rows),
        "path": list(section.path),
        "title": section.path[-1],
        "level": section.level,
        "kind": section.kind.value,
        "linear": section.linear,
        "file": section.document,
        "anchor": section.anchor,
        "start": start,
        "end": start + len(text),
        "text": text,
        "words": word_count(text),
    }
    made.rows.append(row)
