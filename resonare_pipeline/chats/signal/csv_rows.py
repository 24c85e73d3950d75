"""The rows of one CSV file of a dump, read once from front to back, with its known faults mended.

The writer quotes fields that hold a comma, a quote or a line feed, yet not those with a bare
carriage return, at which readers of CSV end a row. So these are hidden from the reader. Where a
program has made line feeds of them, rows fall into pieces; pieces that make a whole row together
are put together. What columns mean is not known here.
"""

import csv
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.signal.text_lines import CHUNK_BYTES, TextLines
from resonare_pipeline.errors import InputError
from resonare_pipeline.signal_columns import separator_in

MOST_FIELD = 64 << 20  # characters; a longer field is a quote that nothing closes
HIDDEN_RETURN = "\udc0d"  # stands for a carriage return: no valid UTF-8 decodes to it


def shown(text: str) -> str:
    """Return a field as it stands in the file."""
    return text.replace(HIDDEN_RETURN, "\r") if HIDDEN_RETURN in text else text


def _hidden(line: str) -> str:
    return line.replace("\r", HIDDEN_RETURN)


def _has_text(line: str) -> bool:
    return bool(line.strip(f"{HIDDEN_RETURN} \t\n"))


class CsvRows:
    """The rows of a CSV file that begins with the names of its columns.

    Fields are parted by commas, semicolons or tabs, as the first line shows.

    Attributes:
        columns: Those names.
        broken: Rows that were left out, since they have too few or too many fields.
        is_cut_off: Whether the file ends within a row.

    Args:
        stream: The file from its start.
        file: What the file should be.
        on_read: Told how many bytes were read.
        chunk_bytes: How much is read at a time.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: ExportFile,
        *,
        on_read: Callable[[int], None] = lambda _: None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.broken = 0
        self.is_cut_off = False
        self._file = file
        self._lines = TextLines(stream, file, on_read=on_read, chunk_bytes=chunk_bytes)
        lines = map(_hidden, self._lines)
        first = next(filter(_has_text, lines), "")
        self._rows = csv.reader(itertools.chain([first], lines), delimiter=separator_in(first))
        header = self._header()
        self._has_returns = bool(header) and header[-1].endswith(HIDDEN_RETURN)
        self.columns = [shown(name).strip() for name in header]

    def __iter__(self) -> Iterator[list[str]]:
        """Yield rows of as many fields as there are columns.

        Raises:
            InputError: For a field without end, or bytes that are not UTF-8.
        """
        width = len(self.columns)
        held: list[str] = []  # the beginning of a row that fell into pieces
        try:
            for read in self._rows:
                row = self._unended(read) if self._has_returns else read
                if len(row) == width:
                    self.broken += bool(held)
                    held = []
                    yield row
                    continue
                held = self._joined(held, row)
                if len(held) == width:
                    yield held
                    held = []
        except csv.Error as error:
            raise self._not_csv(error) from error
        self.is_cut_off = bool(held)

    def _unended(self, row: list[str]) -> list[str]:
        """Take off the carriage return that ends each line of some files."""
        if not row:
            return row
        row[-1] = row[-1].removesuffix(HIDDEN_RETURN)
        return row if row != [""] else []

    def _joined(self, held: list[str], row: list[str]) -> list[str]:
        """Return the beginning of a row with one more piece behind it."""
        width = len(self.columns)
        piece = row or [""]
        if not held:
            if len(piece) > width:
                self.broken += 1
                return []
            return row
        if len(held) + len(piece) - 1 <= width:
            return [*held[:-1], f"{held[-1]}\n{piece[0]}", *piece[1:]]
        self.broken += 1
        return row if len(row) < width else []

    def _header(self) -> list[str]:
        try:
            header = next(self._rows, [])
        except csv.Error as error:
            raise self._not_csv(error) from error
        if any(HIDDEN_RETURN in name.removesuffix(HIDDEN_RETURN) for name in header):
            raise InputError(
                "lines end with carriage returns alone, so that all of it is one line",
                where=self._file.name,
                expected="a line feed at the end of each row",
                remedy="Write the CSV files again, or convert: tr '\\r' '\\n'",
            )
        return header

    def _not_csv(self, error: csv.Error) -> InputError:
        return InputError(
            f"not CSV: {error}",
            where=f"{self._file.name}, line {self._rows.line_num}",
            expected="fields that end; a quote that nothing closes swallows all that follows",
            remedy="Write the CSV files again",
        )

    def verify(self) -> None:
        """Read what is left of the file and compare the hash of all of it.

        Raises:
            InputChangedError: If these are not the bytes that were listed.
        """
        self._lines.verify()


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be long meanwhile; the limit is the whole process's."""
    before = csv.field_size_limit(MOST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@contextmanager
def open_rows(
    file: ExportFile,
    *,
    on_read: Callable[[int], None] = lambda _: None,
    chunk_bytes: int = CHUNK_BYTES,
    verified: bool = True,
) -> Iterator[CsvRows]:
    """Open a CSV file; what was not read by the end is read then, and all of it is verified.

    Args:
        file: The file.
        on_read: Told how many bytes were read.
        chunk_bytes: How much is read at a time.
        verified: Whether it matters that these are the bytes that were listed.

    Raises:
        InputError: If it is not UTF-8, or a field has no end.
        InputChangedError: If the bytes are not those that were listed.
    """
    with file.open() as stream, _long_fields():
        rows: CsvRows | None = None
        try:
            rows = CsvRows(stream, file, on_read=on_read, chunk_bytes=chunk_bytes)
            yield rows
        except InputError:
            if rows is not None and verified:
                rows.verify()  # a file that is still being written looks broken, too
            raise
        if verified:
            rows.verify()
