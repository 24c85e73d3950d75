"""A handle to one asset's files. Stages pass these to one another, never the data itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from resonare_pipeline.artifacts.files import Files
from resonare_pipeline.artifacts.manifest import FileEntry, OutputEntry
from resonare_pipeline.errors import DamagedArtifactError

BATCH_ROWS = 16_384  # a few MB of messages: small beside the interpreter, large beside a call


@dataclass(frozen=True, slots=True)
class Artifact:
    """One asset's output in the store."""

    asset: str
    entry: OutputEntry
    files: Files

    @property
    def digest(self) -> str:
        """Hash of the output's bytes."""
        return self.entry.digest

    def file(self, name: str) -> FileEntry:
        """Return a file's description.

        Raises:
            DamagedArtifactError: If the artifact has no file of that name.
        """
        for file in self.entry.files:
            if file.name == name:
                return file
        raise DamagedArtifactError(f"no file {name}", where=self.asset)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; the caller closes it."""
        return self.files.open_read(self.file(name).path)

    def batches(
        self, name: str, *, columns: list[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield a Parquet file's rows in order, a batch at a time."""
        with self.open(name) as stream, pq.ParquetFile(stream, pre_buffer=False) as table:
            yield from table.iter_batches(batch_size=batch_rows, columns=columns)

    def rows(self, name: str, *, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield a Parquet file's rows in order, as dictionaries."""
        for batch in self.batches(name, columns=columns):
            yield from batch.to_pylist()

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield a text file's lines, without their ends."""
        with self.open(name) as stream:
            for line in stream:
                yield line.rstrip(b"\n")
