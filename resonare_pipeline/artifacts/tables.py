"""Parquet written so that equal rows give equal bytes (for one version of pyarrow).

Rows are cut into row groups by what they hold alone, never by how they arrive, and each column of a
group is one piece when it is encoded: pages and dictionaries would tell of the pieces otherwise.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CHUNK_ROWS = 1_024  # rows held as Python objects; a row group ends only at a multiple of it
GROUP_ROWS = 16_384  # rows of a row group: what writer and reader hold in memory
GROUP_BYTES = 16 << 20  # bytes of text after which a row group ends early, for rows that are long


class TableWriter:
    """Writes rows or record batches to one Parquet stream in bounded memory.

    Attributes:
        count: Rows added so far.
    """

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(
            stream, schema, compression="zstd", compression_level=1, write_statistics=True
        )
        self._rows: list[dict[str, Any]] = []
        self._pieces: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._held_bytes = 0
        self._thread = ThreadPoolExecutor(max_workers=1)  # started by the first group
        self._written: Future[None] | None = None
        self.count = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add one row."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= CHUNK_ROWS:
            self._flush_rows()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Add a batch of the table's own schema, after all rows added before it."""
        self._flush_rows()
        self.count += batch.num_rows
        self._hold(batch)

    def _flush_rows(self) -> None:
        if self._rows:
            self._hold(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def _hold(self, batch: pa.RecordBatch) -> None:
        size = sum(map(_text_bytes, batch.columns))
        if self._held_rows + batch.num_rows < GROUP_ROWS and self._held_bytes + size < GROUP_BYTES:
            self._pieces.append(batch)  # no group can end in it: the quick way, for most batches
            self._held_rows += batch.num_rows
            self._held_bytes += size
            return
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, CHUNK_ROWS - self._held_rows % CHUNK_ROWS)
            start += piece.num_rows
            self._pieces.append(piece)
            self._held_rows += piece.num_rows
            self._held_bytes += sum(map(_text_bytes, piece.columns))
            is_chunk = self._held_rows % CHUNK_ROWS == 0
            if is_chunk and (self._held_rows >= GROUP_ROWS or self._held_bytes >= GROUP_BYTES):
                self._write_group()

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._pieces, schema=self._schema).combine_chunks()
        self._pieces.clear()
        self._held_rows = 0
        self._held_bytes = 0
        # One group is written while the next is being filled: Arrow works without the lock here.
        self._finish_group()
        self._written = self._thread.submit(
            self._writer.write_table, table, row_group_size=GROUP_ROWS
        )

    def _finish_group(self) -> None:
        if self._written is not None:
            self._written.result()
            self._written = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush_rows()
                if self._pieces:
                    self._write_group()
                self._finish_group()
        finally:
            self._thread.shutdown()
            self._writer.close()


def _text_bytes(column: pa.Array) -> int:
    """Return the bytes of all strings in a column, whatever lies in memory beside them."""
    kind = column.type
    if column.null_count == len(column):
        return 0
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _text_bytes(column.flatten())
    if pa.types.is_struct(kind):
        return sum(map(_text_bytes, column.flatten()))
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        return pc.sum(pc.binary_length(column)).as_py() or 0
    return 0
