"""Rows of a Parquet file as records, a batch at a time.

A row's JSON is for looking at it, and for output in other formats: bytes become Base64 there, times
and decimals text, and NaN null. Parquet that is written from Parquet takes the columns themselves.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.errors import InputError
from resonare_pipeline.records.items import Record

BATCH_ROWS = 256  # conversations of some KB


class ParquetRows:
    """The rows of a Parquet file.

    Attributes:
        count: How many there are.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        prepare_arrow()
        try:
            self._file = pq.ParquetFile(stream, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                "not a Parquet file, or not all of it",
                where=name,
                expected="a complete Parquet file",
                remedy="Fetch or write it again",
            ) from error
        self._name = name
        self.schema: pa.Schema = self._file.schema_arrow
        self.count: int = self._file.metadata.num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows as they are stored.

        Raises:
            InputError: If a part of the file is damaged.
        """
        try:
            yield from self._file.iter_batches(batch_size=BATCH_ROWS)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"a part of the Parquet file cannot be read: {error}", where=self._name
            ) from error

    def records(self) -> Iterator[Record]:
        """Yield the rows as records."""
        number = 0
        for batch in self.batches():
            columns = [_plain(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                row = dict(zip(batch.schema.names, values, strict=True))
                text = msgspec.json.encode(row)
                yield Record(number=number, text=text, place=f"row {number}", done=number + 1)
                number += 1


def _plain(column: pa.Array) -> list[object]:
    # Text at once: Arrow's own way of making times needs pandas for nanoseconds.
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    values: list[object] = column.to_pylist()
    return values
