"""Rows of sections → one JSON document a chapter with its topics, and a page of contents."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import msgspec

from resonare_pipeline.artifacts.draft import OutputDraft

LONGEST_NAME = 60  # letters of a title in a file's name
MOST_OF_A_BOOK = 0.6  # of its words: what stands below one title is no chapter then
FEWEST_CHAPTERS = 2  # below a part, its own title included
CONTENTS_FILE = "contents.md"
_PART = re.compile(
    r"^(?:part|book|volume|unit|module|teil|band|buch|partie|tome|parte|часть|том)\b|^第.+[部編]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")


def chapter_groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each chapter: those of one top title, or of one chapter of a part.

    A title over most of the book, as many have for its name, is taken for a part.
    """
    rows = list(rows)
    words = sum(row["words"] for row in rows)
    for _, top in groupby(rows, key=lambda row: (row["path"][0], row["linear"])):
        group = list(top)
        own = sum(row["words"] for row in group if row["level"] > 1)
        is_part = own and (bool(_PART.match(group[0]["path"][0])) or own > words * MOST_OF_A_BOOK)
        if is_part and len({tuple(row["path"][:2]) for row in group}) > FEWEST_CHAPTERS:
            yield from (list(part) for _, part in groupby(group, key=lambda row: row["path"][:2]))
        else:
            yield group


def write_chapters(rows: list[dict[str, Any]], out: OutputDraft, folder: str) -> int:
    """Write one JSON document a chapter and return how many there are.

    A document holds `book`, `title`, `path`, `kind`, `words` and `topics`: title, path, level,
    Markdown text and words of each section.
    """
    count = 0
    for count, group in enumerate(chapter_groups(rows), start=1):
        common = _common([row["path"] for row in group])
        document = {
            "book": group[0]["book_title"],
            "title": common[-1],
            "path": common,
            "kind": group[0]["kind"],
            "words": sum(row["words"] for row in group),
            "topics": [
                {name: row[name] for name in ("title", "path", "level", "kind", "text", "words")}
                for row in group
            ],
        }
        with out.open(f"{folder}/{count:03d}-{file_name(common[-1])}.json") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    return count


def _common(paths: list[list[str]]) -> list[str]:
    """Return the titles that all paths begin with; each has one at least."""
    first, last = min(paths), max(paths)
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return first[: max(length, 1)]


def file_name(title: str) -> str:
    """Return a title as a part of a file's name: letters and digits that any disk takes."""
    plain = unicodedata.normalize("NFC", title).casefold()
    words = re.findall(r"[^\W_]+", plain)
    name = ""
    for word in words:
        if len(name) + len(word) >= LONGEST_NAME:
            break
        name = f"{name}-{word}" if name else word
    return name or "untitled"


def write_contents(
    rows: list[dict[str, Any]], left_out: Iterable[tuple[str, str]], out: OutputDraft
) -> None:
    """Write the tree of titles with their words, and what was left out with its reason."""
    lines = [f"# {_shown(rows[0]['book_title'])}" if rows else "# Nothing", ""]
    before: list[str] = []
    for row in rows:
        path = row["path"]
        for depth, title in enumerate(path[:-1]):
            if path[: depth + 1] != before[: depth + 1]:
                lines.append(f"{'  ' * depth}- {_shown(title)}")
        kind = "" if row["kind"] == "body" else f", {row['kind']}"
        aside = "" if row["linear"] else ", not linear"
        unit = "word" if row["words"] == 1 else "words"
        name = f"{_shown(path[-1])} ({row['words']:,} {unit}{kind}{aside})"
        lines.append(f"{'  ' * (len(path) - 1)}- {name}")
        before = path
    gone = [f"- {_shown(name)}: {reason}" for name, reason in left_out]
    if gone:
        lines += ["", "## Left out", "", *gone]
    with out.open(CONTENTS_FILE) as stream:
        stream.write("\n".join([*lines, ""]).encode())


def _shown(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
