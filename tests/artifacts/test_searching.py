import re

import pyarrow as pa
import pytest

from resonare_pipeline.artifacts.files import Files, write_bytes
from resonare_pipeline.artifacts.searching import CHUNK_BYTES, Found, Sought, search
from resonare_pipeline.artifacts.tables import TableWriter

ANN = Sought(pattern=re.compile(r"\bann\b", re.IGNORECASE), likely="ann")


def write_table(files: Files, path: str, table: pa.Table) -> None:
    with files.open_write(path) as stream, TableWriter(stream, table.schema) as writer:
        for batch in table.to_batches():
            writer.add_batch(batch)


def places(files: Files, sought: Sought = ANN) -> dict[str, dict[str, int]]:
    return {found.path: found.places for found in search(files, "", sought)}


def test_tables_are_searched_column_by_column_however_deep(files: Files) -> None:
    rows = [
        {"text": "Ann!", "deep": [{"who": "x"}, {"who": "by ann"}], "number": 1},
        {"text": "Annabel", "deep": None, "number": 2},
    ]
    write_table(files, "a.parquet", pa.Table.from_pylist(rows))

    assert places(files) == {"a.parquet": {"text": 1, "deep": 1}}


def test_all_else_is_searched_as_text_but_pictures(files: Files) -> None:
    write_bytes(files, "a/train.jsonl", b'{"content": "ann, Ann"}')
    write_bytes(files, "a/plot.png", b"ann")
    write_bytes(files, "b.txt", b"anna")

    assert places(files) == {"a/train.jsonl": {"": 2}}


def test_a_table_that_is_none_is_searched_as_text(files: Files) -> None:
    write_bytes(files, "a.parquet", b"PAR1 ann")

    assert places(files) == {"a.parquet": {"": 1}}


def test_nothing_hides_between_two_chunks(files: Files) -> None:
    write_bytes(files, "long.txt", b" " * (CHUNK_BYTES - 2) + b"ann" + b" " * 10)

    assert places(files)["long.txt"][""] >= 1


def test_ids_of_messages_are_found_whole(files: Files) -> None:
    sought = Sought(
        pattern=re.compile("(?!)"),
        likely="$^",
        message_ids={"telegram:chat1:12", "telegram:c:h1~a"},
    )
    rows = [{"id": "telegram:chat1:12", "members": ["telegram:chat1:123", "telegram:chat1:12"]}]
    write_table(files, "a.parquet", pa.Table.from_pylist(rows))
    write_bytes(files, "b.json", b'["telegram:c:h1~a", "telegram:chat1:1"]')

    assert places(files, sought) == {"a.parquet": {"id": 1, "members": 1}, "b.json": {"": 1}}


@pytest.mark.parametrize("path", ["x/manifest.json", "x/inventory.json", "hashes/raw/x.json"])
def test_names_of_inputs_do_not_count_where_files_tell_of_inputs(files: Files, path: str) -> None:
    sought = Sought(pattern=ANN.pattern, likely=ANN.likely, ignored=("ann",))
    write_bytes(files, path, b'{"partition": "ann", "path": "stages/ann/f"}')
    write_bytes(files, "other.json", b'"ann"')

    assert list(search(files, "", sought)) == [Found(path="other.json", places={"": 1})]


def test_full_names_of_partitions_count_nowhere(files: Files) -> None:
    sought = Sought(pattern=ANN.pattern, likely=ANN.likely, partitions=("chats/ann",))
    write_bytes(files, "summary.json", b'{"source": "chats/ann"}')
    write_table(files, "a.parquet", pa.Table.from_pylist([{"source": "chats/ann", "who": "ann"}]))

    assert places(files, sought) == {"a.parquet": {"who": 1}}
