import csv
import gzip
import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.artifacts.draft import DROPPED_NAME, OutputDraft
from resonare_pipeline.artifacts.files import Files, LocalFiles, read_bytes
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import DamagedArtifactError, FingerprintError, StageError
from tests.artifacts.making import make, make_alias
from tests.places import contents

SCHEMA = pa.schema([("id", pa.string())])


@pytest.fixture
def draft(store: Store) -> OutputDraft:
    return store.output(store.attempt("words", "alice", "f1"), "words")


def write_bytes(stream: BinaryIO) -> None:
    stream.write(b"one\n")
    stream.writelines([b"two\n", bytearray(b"three\n"), memoryview(b"four\n")])


def write_large(stream: BinaryIO) -> None:
    for _ in range(5):
        stream.write(b"x" * 700_001)


def write_parquet(stream: BinaryIO) -> None:
    pq.write_table(pa.table({"id": ["a", "b"]}), stream)


def write_arrow(stream: BinaryIO) -> None:
    with pa.ipc.new_stream(stream, SCHEMA) as writer:
        writer.write_table(pa.table({"id": ["a"]}))


def write_json_lines(stream: BinaryIO) -> None:
    encoder = msgspec.json.Encoder()
    for number in range(3):
        stream.write(encoder.encode({"n": number}) + b"\n")


def write_csv(stream: BinaryIO) -> None:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    csv.writer(text).writerow(["a", "ä"])
    text.close()  # closes the stream below it too, as it would a file


def write_gzip(stream: BinaryIO) -> None:
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        packed.write(b"one")


@pytest.mark.parametrize(
    "write",
    [
        write_bytes,
        write_large,
        write_parquet,
        write_arrow,
        write_json_lines,
        write_csv,
        write_gzip,
        lambda stream: None,  # noqa: ARG005  # an empty file
    ],
)
def test_open_describes_the_bytes_that_any_writer_wrote(
    draft: OutputDraft, files: Files, write: Callable[[BinaryIO], None]
) -> None:
    with draft.open("file") as stream:
        write(stream)
    draft.report(rows=1)
    entry = draft.entry().files[0]
    content = read_bytes(files, entry.path)
    assert entry.size == len(content)
    assert entry.sha256 == hashlib.sha256(content).hexdigest()


@given(st.lists(st.binary(max_size=50)))
def test_open_however_bytes_are_cut_has_one_digest(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    store = Store(LocalFiles(tmp_path_factory.mktemp("store")))
    digests = set()
    for parts in (pieces, [b"".join(pieces)]):
        draft = store.output(store.attempt("words", None, "f1"), "words")
        with draft.open("file") as stream:
            for part in parts:
                stream.write(part)
            assert stream.tell() == sum(map(len, parts))
        draft.report(rows=0)
        digests.add(draft.entry().digest)
    assert len(digests) == 1


def test_open_whose_block_fails_adds_no_file(draft: OutputDraft) -> None:
    def fail() -> None:
        with draft.open("broken") as stream:
            stream.write(b"x")
            raise KeyError("own")

    with pytest.raises(KeyError):
        fail()
    with draft.open("whole") as stream:
        stream.write(b"x")
    draft.report(rows=1)
    assert [file.name for file in draft.entry().files] == ["whole"]


def test_open_of_one_name_twice_is_refused(draft: OutputDraft) -> None:
    with draft.open("file"):
        pass
    with pytest.raises(StageError, match="words: a stage wrote file twice"), draft.open("file"):
        pass


def test_entry_without_a_report_or_a_file_is_refused(draft: OutputDraft) -> None:
    draft.report(rows=1)
    with pytest.raises(StageError, match="without its output"):
        draft.entry()


def test_entry_with_files_but_no_report_is_refused(draft: OutputDraft) -> None:
    with draft.open("file"):
        pass
    with pytest.raises(StageError, match="without its output"):
        draft.entry()


def test_digest_depends_on_names_and_bytes_and_not_on_auxiliary_files(store: Store) -> None:
    def digest(*files: tuple[str, bytes, bool]) -> str:
        draft = store.output(store.attempt("words", None, "f1"), "words")
        for name, content, auxiliary in files:
            with draft.open(name, auxiliary=auxiliary) as stream:
                stream.write(content)
        draft.report(rows=1)
        return draft.entry().digest

    base = digest(("a", b"1", False), ("b", b"2", False))
    assert digest(("b", b"2", False), ("a", b"1", False)) == base
    assert digest(("a", b"1", False), ("b", b"2", False), ("c", b"3", True)) == base
    assert digest(("a", b"1", False), ("b", b"3", False)) != base
    assert digest(("a", b"2", False), ("b", b"1", False)) != base
    assert digest(("x", b"1", False), ("b", b"2", False)) != base


def test_dropped_counts_items_by_reason_and_writes_rows(draft: OutputDraft) -> None:
    with draft.table("words.parquet", SCHEMA) as table, draft.dropped() as dropped:
        table.add({"id": "kept"})
        dropped.add("m1", "empty")
        dropped.add("m2", "service")
        dropped.add("chat", "empty", items=40)
        assert dropped.counts == {"empty": 41, "service": 1}
    draft.report(rows=1)
    assert draft.entry().dropped == {"empty": 41, "service": 1}
    assert list(draft.staged().rows(DROPPED_NAME)) == [
        {"id": "m1", "reason": "empty", "items": 1},
        {"id": "m2", "reason": "service", "items": 1},
        {"id": "chat", "reason": "empty", "items": 40},
    ]


def test_dropped_without_rows_is_written_all_the_same(draft: OutputDraft) -> None:
    with draft.open("words"), draft.dropped():
        pass
    draft.report(rows=0)
    assert draft.entry().dropped == {}
    assert list(draft.staged().rows(DROPPED_NAME)) == []


def test_staged_reads_what_was_written_in_batches_rows_and_columns(draft: OutputDraft) -> None:
    schema = pa.schema([("id", pa.string()), ("n", pa.int64())])
    with draft.table("words.parquet", schema) as table:
        for number in range(10):
            table.add({"id": f"w{number}", "n": number})
    draft.report(rows=table.count)
    staged = draft.staged()
    batches = staged.batches("words.parquet", columns=["n"], batch_rows=4)
    assert [batch.num_rows for batch in batches] == [4, 4, 2]
    assert next(staged.rows("words.parquet")) == {"id": "w0", "n": 0}
    assert list(staged.rows("words.parquet", columns=["n"]))[9] == {"n": 9}


def test_staged_reads_lines_without_their_ends(draft: OutputDraft) -> None:
    with draft.open("words.jsonl") as stream:
        stream.write(b'{"a":1}\n\n{"b":"\\u2028"}\nlast')
    draft.report(rows=4)
    lines = list(draft.staged().lines("words.jsonl"))
    assert lines == [b'{"a":1}', b"", b'{"b":"\\u2028"}', b"last"]


def test_artifact_asked_for_a_file_that_it_has_not_says_so(store: Store) -> None:
    manifest = make(store, {"a.txt": b"1"})
    assert store.artifact(manifest, "words").digest == manifest.outputs["words"].digest
    with pytest.raises(DamagedArtifactError, match=r"words: no file b\.txt"):
        store.artifact(manifest, "words").open("b.txt")


def test_alias_has_its_inputs_files_and_digest_and_copies_nothing(store: Store) -> None:
    source = make(store, {"a.txt": b"1"})
    before = [path for path in contents(store.files) if path.endswith(".txt")]
    alias = make_alias(store, source)
    assert alias.outputs["same_words"].digest == source.outputs["words"].digest
    assert alias.outputs["same_words"].alias_of == "words"
    assert list(store.artifact(alias, "same_words").lines("a.txt")) == [b"1"]
    assert [path for path in contents(store.files) if path.endswith(".txt")] == before


def test_alias_with_files_of_its_own_beside_keeps_the_inputs_digest(store: Store) -> None:
    source = make(store, {"a.txt": b"1"})
    draft = store.output(store.attempt("same_words", "alice", "a1"), "same_words")
    draft.alias(store.artifact(source, "words"))
    with draft.dropped() as dropped:
        dropped.add("w1", "rude")
    draft.report(rows=1, metadata={"rules": 0})
    entry = draft.entry()
    assert entry.digest == source.outputs["words"].digest
    assert entry.dropped == {"rude": 1}
    assert entry.metadata == {"rules": 0}


def test_alias_with_a_file_of_the_same_name_is_refused(store: Store) -> None:
    source = make(store, {"a.txt": b"1"})
    draft = store.output(store.attempt("same_words", "alice", "a1"), "same_words")
    draft.alias(store.artifact(source, "words"))
    with draft.open("a.txt") as stream:
        stream.write(b"2")
    draft.report(rows=1)
    with pytest.raises(FingerprintError, match=r"a\.txt"):
        draft.entry()
