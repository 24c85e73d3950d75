"""A file of records, whatever its format: found out from its first bytes, read as a stream."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from resonare_pipeline.errors import InputChangedError, InputError
from resonare_pipeline.records.items import LONGEST_RECORD_BYTES, Format, Record
from resonare_pipeline.records.splitting import BLANKS, BOM, JsonSplitter, split_lines

if TYPE_CHECKING:
    from resonare_pipeline.records import parquet_rows

MAGIC = b"PAR1"
EXPECTED = "records as JSON, JSON lines or Parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of records.

    Attributes:
        name: For messages.
        size: In bytes.
        open: Opens it for reading from its start; the stream can seek.
        format: How it holds records.
    """

    name: str
    size: int
    open: Callable[[], BinaryIO]
    format: Format


class Records:
    """The records of a file while it is open, to be gone through once.

    Attributes:
        total: What `Record.done` comes to at the end: bytes, or rows.
    """

    def __init__(self, source: Source, stream: BinaryIO, *, longest: int) -> None:
        self.source = source
        self.total = source.size
        self.rows: parquet_rows.ParquetRows | None = None
        self._splitter: JsonSplitter | None = None
        match source.format:
            case Format.PARQUET:
                from resonare_pipeline.records.parquet_rows import ParquetRows

                self.rows = ParquetRows(stream, source.name)
                self.total = self.rows.count
                self._records = self.rows.records()
            case Format.JSONL:
                self._records = split_lines(stream, longest=longest)
            case Format.JSON:
                self._splitter = JsonSplitter(stream, longest=longest)
                self._records = iter(self._splitter)

    @property
    def is_padded(self) -> bool:
        """Whether nulls may stand for keys that are absent."""
        return self.rows is not None

    @property
    def is_sequence(self) -> bool:
        """Whether it is JSON whose values stand in no array; known once one is read."""
        return self._splitter is not None and not self._splitter.is_array

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in order."""
        return self._records


def find_source(
    name: str, size: int, opener: Callable[[], BinaryIO], *, format_: Format | None = None
) -> Source:
    """Return a file of records.

    Args:
        format_: Its format; None: found out.

    Raises:
        InputError: If it is empty, or of no known format.
    """
    with opener() as stream:
        found = format_ or _detect(stream, name)
    return Source(name=name, size=size, open=opener, format=found)


def _detect(stream: BinaryIO, name: str) -> Format:
    """Tell a file's format from its first bytes; its name says nothing that they do not."""
    head = stream.read(len(MAGIC))
    if head == MAGIC:
        return Format.PARQUET
    stream.seek(0)
    first = b""
    for line in iter(lambda: stream.readline(LONGEST_RECORD_BYTES), b""):
        first = line.removeprefix(BOM).strip(BLANKS)
        if first:
            break
    if not first:
        raise InputError("the file is empty", where=name, expected=EXPECTED)
    if first.startswith(b"["):
        return Format.JSON
    if first.startswith(b"{"):
        return Format.JSONL if _is_whole(first) or not _is_open(first) else Format.JSON
    raise InputError(
        f"the file begins with {first[:8]!r}",
        where=name,
        expected=EXPECTED,
        remedy="If it is one of these all the same, say so with --input-format",
    )


def _is_whole(line: bytes) -> bool:
    if len(line) >= LONGEST_RECORD_BYTES:
        return True  # only lines are that long
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _is_open(line: bytes) -> bool:
    """Tell whether a line is the beginning of an object that is laid out over several."""
    return line.endswith((b"{", b"[", b",", b":"))


def unchanged(path: Path) -> Callable[[], BinaryIO]:
    """Return what opens a file, as long as it is the one that it is now.

    Its opening raises `InputChangedError` if another stands in its place, or it was written to:
    answers would come to the records of others.
    """
    known = _identity(path.stat())

    def opened() -> BinaryIO:
        stream = path.open("rb")
        if _identity(os.fstat(stream.fileno())) != known:
            stream.close()
            raise InputChangedError(
                "it changed while it was being read",
                where=str(path),
                remedy="Give the same command again: no answer is lost",
            )
        return stream

    return opened


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def open_records(source: Source, *, longest: int = LONGEST_RECORD_BYTES) -> Iterator[Records]:
    """Open a file of records.

    Raises:
        InputError: If it is no Parquet file and should be one.
    """
    with source.open() as stream:
        yield Records(source, stream, longest=longest)
