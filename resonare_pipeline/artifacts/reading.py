"""An artifact's rows as plain data, whatever the format of its main file. Nothing is changed."""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import BATCH_ROWS, Artifact
from resonare_pipeline.artifacts.manifest import FileEntry


def main_file(artifact: Artifact) -> FileEntry:
    """Return the file that holds an artifact's rows."""
    own = [file for file in artifact.entry.files if not file.auxiliary]
    return next((file for file in own if file.name.endswith((".parquet", ".jsonl"))), own[0])


def first_rows(artifact: Artifact, count: int) -> list[dict[str, Any]]:
    """Return an artifact's first rows as plain data; a document is one row.

    What is neither table, lines nor JSON, such as a page, is one row that tells where it lies.

    Of a table or of lines no more is decoded than is asked for; of a table not more than one row
    group is read for a few rows.
    """
    return list(islice(_rows(artifact, count), count))


def _rows(artifact: Artifact, count: int) -> Iterator[dict[str, Any]]:
    name = main_file(artifact).name
    if name.endswith(".parquet"):
        for batch in artifact.batches(name, batch_rows=max(1, min(count, BATCH_ROWS))):
            yield from _plain_rows(batch)
    elif name.endswith(".jsonl"):
        yield from map(msgspec.json.decode, artifact.lines(name))
    elif not name.endswith(".json"):
        file = artifact.file(name)
        yield {"file": name, "bytes": file.size, "place": artifact.files.locate(file.path)}
    else:
        with artifact.open(name) as stream:
            document = msgspec.json.decode(stream.read())
        yield from document if isinstance(document, list) else [document]


def _plain_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield rows, with times in UTC; times inside of lists and structs are text.

    Arrow imports pandas for the first time that it makes of a timestamp: a second and 47 MB, which
    a look at a few rows need not cost.
    """
    columns = [
        _times(column) if pa.types.is_timestamp(column.type) else _with_text_times(column)
        for column in batch.columns
    ]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _with_text_times(column: pa.Array) -> list[Any]:
    plain = _without_times(column.type)
    values: list[Any] = (column if plain == column.type else column.cast(plain)).to_pylist()
    return values


def _without_times(kind: pa.DataType) -> pa.DataType:
    """Return a type with texts in the place of times."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_without_times(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_times(field.type)) for field in kind])
    return kind


def _times(column: pa.Array) -> list[dt.datetime | None]:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    microseconds = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_pylist()
    return [
        None if value is None else epoch + dt.timedelta(microseconds=value)
        for value in microseconds
    ]
