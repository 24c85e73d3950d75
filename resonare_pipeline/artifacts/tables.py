"""Parquet written so that equal rows give equal bytes (for one version of pyarrow)."""

from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq

CHUNK_ROWS = 8_192  # rows held as Python objects before they become a batch
GROUP_ROWS = 65_536  # rows of a row group: what a reader of one group holds in memory


class TableWriter:
    """Writes rows or record batches to one Parquet stream in bounded memory."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(
            stream, schema, compression="zstd", compression_level=1, write_statistics=True
        )
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._held = 0
        self.count = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add one row."""
        self._rows.append(row)
        if len(self._rows) >= CHUNK_ROWS:
            self._flush_rows()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Add a batch of the table's own schema, after all rows added before it."""
        self._flush_rows()
        self._hold(batch)

    def _flush_rows(self) -> None:
        if self._rows:
            self._hold(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def _hold(self, batch: pa.RecordBatch) -> None:
        # Row groups are cut at fixed row counts, so that the bytes do not tell how rows arrived.
        self.count += batch.num_rows
        while self._held + batch.num_rows >= GROUP_ROWS:
            room = GROUP_ROWS - self._held
            self._batches.append(batch.slice(0, room))
            batch = batch.slice(room)
            self._write_group()
        if batch.num_rows:
            self._batches.append(batch)
            self._held += batch.num_rows

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._batches, schema=self._schema).combine_chunks()
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._batches.clear()
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush_rows()
            if self._batches:
                self._write_group()
        self._writer.close()
