import hashlib
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.artifacts.tables import CHUNK_ROWS, GROUP_BYTES, GROUP_ROWS, TableWriter
from resonare_pipeline.rows import DROPPED, MESSAGES

Rows = list[dict[str, Any]]
Feed = Callable[[TableWriter], None]

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("marks", pa.list_(pa.struct([("kind", pa.string()), ("at", pa.int32())]))),
    ]
)


def row(number: int) -> dict[str, Any]:
    """Return a row; texts repeat at first, then stop repeating, so that dictionaries overflow."""
    text = (
        f"word {number % 7}"
        if number < GROUP_ROWS // 2
        else hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest() * 2
    )
    return {
        "id": number,
        "text": None if number % 11 == 0 else text,
        "marks": None if number % 3 else [{"kind": "bold", "at": number % 5}] * (number % 4),
    }


ROWS = [row(number) for number in range(GROUP_ROWS + 3 * CHUNK_ROWS + 17)]
BATCH = pa.RecordBatch.from_pylist(ROWS, schema=SCHEMA)


def written(feed: Feed, schema: pa.Schema = SCHEMA) -> bytes:
    stream = io.BytesIO()
    with TableWriter(stream, schema) as writer:
        feed(writer)
    return stream.getvalue()


def add_rows(rows: Rows) -> Feed:
    def feed(writer: TableWriter) -> None:
        for item in rows:
            writer.add(item)

    return feed


@pytest.fixture(scope="module")
def by_row() -> bytes:
    return written(add_rows(ROWS))


def pieces(sizes: list[int]) -> Iterator[pa.RecordBatch]:
    start = 0
    while start < len(ROWS):
        for size in sizes:
            yield BATCH.slice(start, size)
            start += size


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(
        st.one_of(
            st.integers(700, 5_000),
            st.sampled_from([CHUNK_ROWS, CHUNK_ROWS - 1, CHUNK_ROWS + 1, GROUP_ROWS, 10**6]),
        ),
        min_size=1,
        max_size=6,
    ),
    copied=st.booleans(),
)
def test_table_writer_however_batches_are_cut_writes_equal_bytes(
    by_row: bytes, sizes: list[int], copied: bool
) -> None:
    def feed(writer: TableWriter) -> None:
        for piece in pieces(sizes):
            # A copy has offsets and validity of its own, as a batch read from a file has.
            fresh = pa.RecordBatch.from_pylist(piece.to_pylist(), schema=SCHEMA)
            writer.add_batch(fresh if copied else piece)

    assert written(feed) == by_row


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, len(ROWS)), max_size=4).map(sorted))
def test_table_writer_when_rows_and_batches_alternate_writes_equal_bytes(cuts: list[int]) -> None:
    def feed(writer: TableWriter) -> None:
        edges = [0, *cuts, len(ROWS)]
        for index, (start, end) in enumerate(pairwise(edges)):
            if index % 2:
                add_rows(ROWS[start:end])(writer)
            else:
                writer.add_batch(BATCH.slice(start, end - start))

    assert written(feed) == written(lambda writer: writer.add_batch(BATCH))


def test_table_writer_of_many_rows_cuts_row_groups_at_fixed_counts(by_row: bytes) -> None:
    table = pq.ParquetFile(io.BytesIO(by_row))
    assert [table.metadata.row_group(i).num_rows for i in range(table.num_row_groups)] == [
        GROUP_ROWS,
        len(ROWS) - GROUP_ROWS,
    ]
    assert table.read().to_pylist() == ROWS


@pytest.mark.parametrize("column", ["text", "texts", "nested"])
def test_table_writer_of_long_rows_cuts_row_groups_by_their_bytes(column: str) -> None:
    schema = pa.schema(
        [
            ("text", pa.string()),
            ("texts", pa.list_(pa.string())),
            ("nested", pa.struct([("text", pa.large_string())])),
        ]
    )
    long = "x" * (GROUP_BYTES // CHUNK_ROWS)
    value: dict[str, Any] = {"text": long, "texts": [long], "nested": {"text": long}}
    rows = [{column: value[column]}] * (CHUNK_ROWS + 5)
    content = written(add_rows(rows), schema)
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 2
    assert written(lambda writer: writer.add_batch(batch), schema) == content


def test_table_writer_without_rows_writes_an_empty_table() -> None:
    table = pq.read_table(io.BytesIO(written(lambda writer: None)))  # noqa: ARG005  # a feed
    assert table.num_rows == 0
    assert table.schema.equals(SCHEMA)


@pytest.mark.parametrize("schema", [MESSAGES, DROPPED], ids=["messages", "dropped"])
def test_table_writer_keeps_the_schema_of_the_project(schema: pa.Schema) -> None:
    content = written(lambda writer: None, schema)  # noqa: ARG005  # a feed
    assert pq.read_schema(io.BytesIO(content)).equals(schema)


def test_table_writer_counts_rows_as_they_are_added() -> None:
    with TableWriter(io.BytesIO(), SCHEMA) as writer:
        writer.add(row(0))
        assert writer.count == 1
        writer.add_batch(BATCH.slice(0, 10))
        writer.add(row(1))
        assert writer.count == 12


def test_table_writer_when_the_block_fails_raises_that_error() -> None:
    def fail(writer: TableWriter) -> None:
        writer.add(row(0))
        raise KeyError("own")

    with pytest.raises(KeyError, match="own"):
        written(fail)


def test_table_writer_given_null_where_none_may_be_refuses() -> None:
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        written(add_rows([{"text": "no id"}]))
