"""Records → JSON lines or JSON, as they come; Parquet stands in `parquet_writing`.

A record without a new text is written as it came, byte for byte.
"""

from typing import BinaryIO, Protocol

from resonare_pipeline.records.items import Format, Record
from resonare_pipeline.records.reading import Records
from resonare_pipeline.records.spans import on_one_line


class Writer(Protocol):
    """Takes the records that are kept, in order."""

    def add(self, record: Record, text: bytes | None) -> None:
        """Take a record, with its new text if it has one.

        Raises:
            UnusableRecordError: If it cannot be written in this format.
        """
        ...

    def finish(self) -> None:
        """Write what is still to be written."""
        ...

    def abandon(self) -> None:
        """Let go of everything; nothing more will come."""
        ...


class LinesWriter:
    """Writes JSON lines."""

    def __init__(self, stream: BinaryIO, *, flushes: bool = False) -> None:
        self._stream = stream
        self._flushes = flushes

    def add(self, record: Record, text: bytes | None) -> None:
        """Write a line."""
        line = record.text if text is None else text
        # A line of JSON lines keeps even the blanks and the carriage return at its end.
        self._stream.write((line if b"\n" not in line else on_one_line(line)) + b"\n")
        if self._flushes:
            self._stream.flush()

    def finish(self) -> None:
        """Do nothing: all is written."""

    def abandon(self) -> None:
        """Do nothing."""


class JsonWriter:
    """Writes an array, each record as it is laid out; or records alone, if they came so."""

    def __init__(self, stream: BinaryIO, records: Records) -> None:
        self._stream = stream
        self._records = records
        self._count = 0

    def add(self, record: Record, text: bytes | None) -> None:
        """Write a record."""
        value = (record.text if text is None else text).strip()
        if self._records.is_sequence:
            self._stream.write(value + b"\n")
        else:
            self._stream.write((b",\n  " if self._count else b"[\n  ") + value)
        self._count += 1

    def finish(self) -> None:
        """Close the array."""
        if not self._records.is_sequence:
            self._stream.write(b"\n]\n" if self._count else b"[]\n")

    def abandon(self) -> None:
        """Do nothing."""


def open_writer(
    stream: BinaryIO, format_: Format, records: Records, *, flushes: bool = False
) -> Writer:
    """Return the writer of a format.

    Args:
        records: What is read, which Parquet copies columns from.
        flushes: Each record is to be seen at once.
    """
    if format_ is Format.JSONL:
        return LinesWriter(stream, flushes=flushes)
    if format_ is Format.JSON:
        return JsonWriter(stream, records)
    from resonare_pipeline.records.parquet_writing import ParquetFromJson, ParquetFromParquet

    if records.rows is None:
        return ParquetFromJson(stream)
    return ParquetFromParquet(stream, records.source.open, records.source.name)
