"""Records → Parquet: rows of the input's own columns, or columns made for records of JSON.

What columns are needed is known when the last record is there, so records lie on a spool till then.
"""

import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import reduce
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.records.arrow_types import extend, finished, fit, widen
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.parquet_rows import ParquetRows
from resonare_pipeline.records.patching import Change, changes, patched, require_place
from resonare_pipeline.records.understanding import decode, without_nulls

TURN_COLUMNS = frozenset({"messages", "conversations", "responses_create_params"})
_HEAD = struct.Struct("<QQ")  # number of the record, bytes of its text
_decode = msgspec.json.Decoder(dict[str, list[Change]]).decode
_HUB_METADATA = b"huggingface"  # tells of columns, and would be wrong of new ones


class _Spool:
    """Numbers of records, and their texts, on disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close

    def add(self, number: int, text: bytes) -> None:
        self._file.write(_HEAD.pack(number, len(text)))
        self._file.write(text)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(0)
        while head := self._file.read(_HEAD.size):
            number, size = _HEAD.unpack(head)
            yield number, self._file.read(size)

    def close(self) -> None:
        self._file.close()


class ParquetFromParquet:
    """Writes the rows that are kept, with the columns that answers have changed.

    All other columns are copied. A column gets new fields where an answer needs them.
    """

    def __init__(self, stream: BinaryIO, reopen: Callable[[], BinaryIO], name: str) -> None:
        self._stream = stream
        self._reopen = reopen
        self._name = name
        self._spool = _Spool()
        self._schema: pa.Schema | None = None
        self._types: dict[str, pa.DataType] = {}

    def add(self, record: Record, text: bytes | None) -> None:
        """Keep a row, with a text that differs from the record's where an answer is in it.

        Raises:
            UnusableRecordError: If an answer has no place in its column.
        """
        changed: dict[str, list[Change]] = {}
        if text is not None:
            before, after = decode(record.text), decode(text)
            changed = {
                key: list(changes(before.get(key), value))
                for key, value in after.items()
                if key not in before or before[key] != value
            }
            types = self._extended({key: after[key] for key in changed})
            for name, own in changed.items():
                for change in own:
                    require_place(name, change, types[name])
            self._types |= types
        self._spool.add(record.number, msgspec.json.encode(changed) if changed else b"")

    def _extended(self, changed: dict[str, Any]) -> dict[str, pa.DataType]:
        if self._schema is None:
            with self._reopen() as stream:
                self._schema = ParquetRows(stream, self._name).schema
        types: dict[str, pa.DataType] = {}
        for name, value in changed.items():
            index = self._schema.get_field_index(name)
            known = self._schema.field(index).type if index >= 0 else pa.null()
            # An answer never makes a key null where Arrow has put one.
            types[name] = extend(self._types.get(name, known), without_nulls(value))
        return types

    def finish(self) -> None:
        """Write the file."""
        with self._reopen() as stream, ExitStack() as stack:
            stack.callback(self._spool.close)
            rows = ParquetRows(stream, self._name)
            schema = _with_types(rows.schema, self._types)
            writer = stack.enter_context(TableWriter(self._stream, schema))
            kept = iter(self._spool)
            upcoming = next(kept, None)
            first = 0
            for batch in rows.batches():
                chosen: dict[int, bytes] = {}
                while upcoming is not None and upcoming[0] < first + batch.num_rows:
                    chosen[upcoming[0] - first] = upcoming[1]
                    upcoming = next(kept, None)
                if chosen:
                    writer.add_batch(_rebuilt(batch, chosen, schema))
                first += batch.num_rows

    def abandon(self) -> None:
        """Let the spool go."""
        self._spool.close()


def _with_types(schema: pa.Schema, types: dict[str, pa.DataType]) -> pa.Schema:
    fields = [
        field.with_type(types[field.name]) if field.name in types else field for field in schema
    ]
    fields += [pa.field(name, kind) for name, kind in types.items() if name not in schema.names]
    metadata = schema.metadata
    if metadata and fields != list(schema):
        metadata = {key: value for key, value in metadata.items() if key != _HUB_METADATA}
    return pa.schema(fields, metadata=metadata)


def _rebuilt(batch: pa.RecordBatch, chosen: dict[int, bytes], schema: pa.Schema) -> pa.RecordBatch:
    """Return some rows of a batch, with the values that answers have changed."""
    rows = batch.take(pa.array(chosen))
    changed = [_decode(text) if text else {} for text in chosen.values()]
    touched = {name for own in changed for name in own}
    columns: list[pa.Array] = []
    for field in schema:
        there = field.name in rows.schema.names
        if there and field.name not in touched and rows.schema.field(field.name).type == field.type:
            columns.append(rows.column(field.name))
            continue
        old = rows.column(field.name).to_pylist() if there else [None] * rows.num_rows
        new = [
            fit(reduce(patched, own[field.name], value), field.type) if field.name in own else value
            for own, value in zip(changed, old, strict=True)
        ]
        columns.append(pa.array(new, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class ParquetFromJson:
    """Writes records of JSON as rows, in columns that hold all of them.

    Turns are lists of structs. Other members that are objects, or lists of such, are text that
    holds JSON, as trainers want it: Arrow would give each the keys of all others. So is what has
    more than one type, and integers beyond 64 bits.
    """

    def __init__(self, stream: BinaryIO) -> None:
        prepare_arrow()
        self._stream = stream
        self._spool = _Spool()
        self._types: dict[str, pa.DataType] = {}

    def add(self, record: Record, text: bytes | None) -> None:
        """Keep a record."""
        text = record.text if text is None else text
        for name, value in decode(text).items():
            self._types[name] = (
                pa.string()
                if name not in TURN_COLUMNS and _is_nested(value)
                else widen(self._types.get(name), value)
            )
        self._spool.add(record.number, text)

    def finish(self) -> None:
        """Write the file."""
        schema = pa.schema([(name, finished(kind)) for name, kind in self._types.items()])
        with ExitStack() as stack:
            stack.callback(self._spool.close)
            writer = stack.enter_context(TableWriter(self._stream, schema))
            for _, text in self._spool:
                row = decode(text)
                writer.add({field.name: fit(row.get(field.name), field.type) for field in schema})

    def abandon(self) -> None:
        """Let the spool go."""
        self._spool.close()


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
    )
