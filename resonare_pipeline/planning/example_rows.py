"""Finds rows of training data by their ids, in artifacts of any stage that makes such rows.

Rows lie in lines of JSON whose metadata name the example, or in Parquet shards of a dataset. What
a row was made from is not known here.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import FileEntry, Manifest
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.datasets.layout import ORIGINS_FILE
from resonare_pipeline.errors import MissingFileError
from resonare_pipeline.rows import Provenance

SHARDS = "data/"  # folder of a dataset's Parquet files


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of training data.

    Attributes:
        file: Name of its file in the artifact.
        number: Its place in that file, from 0.
        values: All that stands in it, as plain data.
        provenance: What it was made from, for a row of a dataset; None for a source's own row.
    """

    example_id: str
    manifest: Manifest
    asset: str
    partition: str | None
    file: str
    number: int
    values: dict[str, Any]
    provenance: Provenance | None = field(default=None)


def find_rows(store: Store, manifests: Iterable[Manifest], wanted: str) -> Iterator[Row]:
    """Yield the rows whose example's id begins so; artifacts without their files are passed over.

    Args:
        wanted: An id, or its beginning.
    """
    for manifest in manifests:
        for asset, entry in manifest.outputs.items():
            artifact = store.artifact(manifest, asset)
            for file in entry.files:
                try:
                    yield from _rows(manifest, artifact, file, wanted)
                except MissingFileError:
                    continue


def _rows(manifest: Manifest, artifact: Artifact, file: FileEntry, wanted: str) -> Iterator[Row]:
    if file.name.startswith(SHARDS) and file.name.endswith(".parquet"):
        found = _in_shard(artifact, file.name, wanted)
    elif file.name.endswith(".jsonl") and "/" not in file.name:  # a dataset's are its shards again
        found = _in_lines(artifact, file.name, wanted)
    else:
        return
    for number, values in found:
        said = values.get("provenance")
        metadata = values.get("metadata") or {}
        yield Row(
            example_id=str(values.get("example_id") or metadata.get("example_id")),
            manifest=manifest,
            asset=artifact.asset,
            partition=manifest.partition,
            file=file.name,
            number=number,
            values=values,
            provenance=msgspec.json.decode(said, type=Provenance) if said else None,
        )


def _in_lines(artifact: Artifact, name: str, wanted: str) -> Iterator[tuple[int, dict[str, Any]]]:
    sign = f'"example_id":"{wanted}'.encode()  # as msgspec writes it
    for number, line in enumerate(artifact.lines(name)):
        if sign in line:
            values = msgspec.json.decode(line)
            if str(values.get("metadata", {}).get("example_id", "")).startswith(wanted):
                yield number, values


def _in_shard(artifact: Artifact, name: str, wanted: str) -> Iterator[tuple[int, dict[str, Any]]]:
    start = 0
    for batch in artifact.batches(name):
        found = pc.starts_with(batch.column("example_id"), wanted)
        for at in pc.indices_nonzero(found).to_pylist():
            row = plain_rows(batch.slice(at, 1))[0]
            if not row.get("repeat"):  # copies by weight are the same row
                yield start + at, row
        start += batch.num_rows


@dataclass(frozen=True, slots=True)
class Origin:
    """What an example of a dataset was made from."""

    source_example_id: str
    asset: str
    digest: str


def origin_of(store: Store, example: Row) -> Origin | None:
    """Return what a row of a dataset was made from; None if its artifact does not tell.

    Raises:
        MissingFileError: If the artifact's file is gone.
    """
    artifact = store.artifact(example.manifest, example.asset)
    if not any(file.name == ORIGINS_FILE for file in artifact.entry.files):
        return None
    for batch in artifact.batches(ORIGINS_FILE):
        for row in batch.filter(
            pc.equal(batch.column("example_id"), example.example_id)
        ).to_pylist():
            return Origin(row["source_example_id"], row["asset"], row["digest"])
    return None


def example_made_of(store: Store, manifests: Iterable[Manifest], source: Row) -> Row | None:
    """Return the row of a dataset that was made of a source's row, if there is one."""
    for manifest in manifests:
        for asset, entry in manifest.outputs.items():
            if not any(file.name == ORIGINS_FILE for file in entry.files):
                continue
            digest = source.manifest.outputs[source.asset].digest
            for batch in store.artifact(manifest, asset).batches(ORIGINS_FILE):
                same = pc.and_(
                    pc.equal(batch.column("source_example_id"), source.example_id),
                    pc.equal(batch.column("digest"), digest),
                )
                for row in batch.filter(same).to_pylist():
                    return next(find_rows(store, [manifest], row["example_id"]), None)
    return None


def plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as plain data, times as ISO 8601 in UTC."""
    return [
        {
            name: _iso(value) if isinstance(value, dt.datetime) else value
            for name, value in r.items()
        }
        for r in batch.to_pylist()
    ]


def _iso(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
