"""An artifact while it is being made: files written, hashed and counted, nothing visible yet.

A stage writes through an `OutputDraft`; only `Store.commit` makes the result an artifact.
"""

import contextlib
import datetime as dt
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import BUFFER_BYTES, Files
from resonare_pipeline.artifacts.manifest import FileEntry, OutputEntry
from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.errors import StageError
from resonare_pipeline.fingerprint import digest_of_parts
from resonare_pipeline.rows import DROPPED

DROPPED_NAME = "dropped.parquet"


class _Hashing(io.RawIOBase):
    """Hashes and counts what passes through to another stream, which it never closes."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._hasher = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        with memoryview(content) as view:
            self._hasher.update(view)
            self._inner.write(view)
            self.size += view.nbytes
            return view.nbytes

    def tell(self) -> int:
        return self.size

    def digest(self) -> str:
        return self._hasher.hexdigest()


class DroppedRows:
    """What a stage left out, as (id, reason) rows; written in chunks, counted by reason."""

    def __init__(self, writer: TableWriter) -> None:
        self._writer = writer
        self.counts: Counter[str] = Counter()

    def add(self, row_id: str, reason: str, *, items: int = 1) -> None:
        """Record one dropped row, or one row that stands for several items."""
        self.counts[str(reason)] += items
        self._writer.add({"id": row_id, "reason": reason, "items": items})

    def add_batch(self, row_ids: pa.Array, reasons: Sequence[str]) -> None:
        """Record several dropped rows, with a reason for each."""
        self.counts.update(map(str, reasons))
        columns = [row_ids, pa.array(reasons, pa.string()), pa.repeat(1, len(reasons))]
        self._writer.add_batch(pa.RecordBatch.from_arrays(columns, schema=DROPPED))


class OutputDraft:
    """One asset's files while they are being written."""

    def __init__(self, asset: str, files: Files, folder: str) -> None:
        self.asset = asset
        self._files = files
        self._folder = folder
        self._entries: list[FileEntry] = []
        self._dropped: Counter[str] = Counter()
        self._alias: Artifact | None = None
        self._rows: int | None = None
        self._metadata: dict[str, Any] = {}
        self._retry_at: dt.datetime | None = None

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The files written so far."""
        return tuple(self._entries)

    @contextlib.contextmanager
    def open(self, name: str, *, auxiliary: bool = False) -> Iterator[BinaryIO]:
        """Write a file; it counts when the block ends without an error.

        Args:
            name: File name; folders in it are kept.
            auxiliary: The file describes the output and is no part of its digest.

        Raises:
            StageError: If the output has a file of that name already.
            StoreError: If it cannot be written.
        """
        if any(entry.name == name for entry in self._entries):
            raise StageError(f"a stage wrote {name} twice", where=self.asset)
        path = f"{self._folder}/{name}"
        with self._files.open_write(path) as inner:
            hashing = _Hashing(inner)
            with io.BufferedWriter(hashing, BUFFER_BYTES) as stream:
                yield stream
        stat = self._files.stat(path)
        self._entries.append(
            FileEntry(
                name=name,
                path=path,
                size=hashing.size,
                sha256=hashing.digest(),
                version=stat.version if stat else "",
                auxiliary=auxiliary,
            )
        )

    @contextlib.contextmanager
    def table(
        self, name: str, schema: pa.Schema, *, auxiliary: bool = False
    ) -> Iterator[TableWriter]:
        """Write a Parquet table, row by row or batch by batch."""
        with (
            self.open(name, auxiliary=auxiliary) as stream,
            TableWriter(stream, schema) as writer,
        ):
            yield writer

    @contextlib.contextmanager
    def dropped(self) -> Iterator[DroppedRows]:
        """Write what this output leaves out, beside it."""
        with self.table(DROPPED_NAME, DROPPED, auxiliary=True) as writer:
            rows = DroppedRows(writer)
            yield rows
        self._dropped += rows.counts

    def alias(self, artifact: Artifact) -> None:
        """Let this output be its input's files; nothing is copied."""
        self._alias = artifact

    def report(
        self,
        *,
        rows: int,
        metadata: Mapping[str, Any] | None = None,
        retry_at: dt.datetime | None = None,
    ) -> None:
        """State how many rows the output has, and what else people should see of it.

        Args:
            retry_at: From when on (aware, UTC) the next run makes it again, since something that it
                is made from could not be had now; None: never.
        """
        self._rows = rows
        self._metadata = dict(metadata or {})
        self._retry_at = retry_at

    def entry(self) -> OutputEntry:
        """Return the finished description.

        Raises:
            StageError: If the stage never reported its rows, or wrote no file.
        """
        entries = list(self._entries)
        if self._alias is not None:
            entries += [file for file in self._alias.entry.files if not file.auxiliary]
        if self._rows is None or not entries:
            raise StageError("a stage ended without its output", where=self.asset)
        return OutputEntry(
            digest=digest_of_files(entries),
            rows=self._rows,
            dropped=dict(sorted(self._dropped.items())),
            files=tuple(entries),
            metadata=self._metadata,
            alias_of=None if self._alias is None else self._alias.asset,
            retry_at=self._retry_at,
        )

    def staged(self) -> Artifact:
        """Return what was written so far as a handle, for checks before the commit."""
        return Artifact(asset=self.asset, entry=self.entry(), files=self._files)


def digest_of_files(entries: list[FileEntry]) -> str:
    """Return the digest of an output: of its files' names and bytes, auxiliary ones apart."""
    return digest_of_parts((file.name, file.sha256) for file in entries if not file.auxiliary)
