import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.artifacts.files import FileStat, read_bytes, write_bytes
from resonare_pipeline.artifacts.manifest import (
    FORMAT_VERSION,
    MANIFEST_NAME,
    CheckEntry,
    Ingredients,
    decode_manifest,
    encode_manifest,
    is_of_other_version,
)
from resonare_pipeline.artifacts.store import Store, folder_of
from resonare_pipeline.errors import StoreError
from tests.artifacts.making import (
    SOME,
    commit,
    edit_manifest,
    make,
    manifest_path,
    stage_files,
)
from tests.places import contents


def test_find_after_commit_returns_what_was_committed(store: Store) -> None:
    ingredients = Ingredients(
        settings={"words": {"limit": 3, "names": ["ä"]}},
        code={"assets.words:words": "c"},
        inputs={"export": "d"},
        files={"template": "t"},
        versions={"pyarrow": "21"},
    )
    check = CheckEntry(name="bounds", asset="words", passed=True, message="all in")
    attempt = stage_files(store, SOME)
    made = store.commit(attempt, ingredients=ingredients, checks=(check,), seconds=1.25)
    found = store.find("words", "alice", "f1")
    assert found == made
    assert found is not None
    assert (found.ingredients, found.checks, found.seconds) == (ingredients, (check,), 1.25)
    assert list(store.artifact(found, "words").lines("a.txt")) == [b"one"]


@pytest.mark.parametrize(
    "address", [("words", "alice", "f2"), ("words", "bob", "f1"), ("letters", "alice", "f1")]
)
def test_find_at_another_address_is_none(store: Store, address: tuple[str, str, str]) -> None:
    make(store, SOME)
    assert store.find(*address) is None


def test_find_before_the_commit_is_none_and_the_next_attempt_commits(store: Store) -> None:
    stage_files(store, {"a.txt": b"left behind by a crash"})
    assert store.find("words", "alice", "f1") is None
    manifest = make(store, SOME)
    assert store.find("words", "alice", "f1") == manifest
    assert store.damage(manifest) == ""


def test_find_of_an_earlier_fingerprint_after_a_later_one_still_hits(store: Store) -> None:
    first = make(store, SOME, fingerprint="f1")
    make(store, {"a.txt": b"other"}, fingerprint="f2")
    assert store.find("words", "alice", "f1") == first


def test_commit_of_a_second_attempt_leaves_the_readers_of_the_first_alone(store: Store) -> None:
    first = make(store, SOME)
    with store.artifact(first, "words").open("a.txt") as stream:
        second = make(store, {"a.txt": b"one again"})
        assert stream.read() == b"one"
    assert store.damage(first) == ""
    assert store.find("words", "alice", "f1") == second


def test_commit_of_several_outputs_makes_all_of_them_visible_at_once(store: Store) -> None:
    attempt = store.attempt("chat_tables", "alice", "f1")
    for asset in ("chats", "messages"):
        draft = store.output(attempt, asset)
        with draft.open("table") as stream:
            stream.write(asset.encode())
        draft.report(rows=1)
        assert store.find("chat_tables", "alice", "f1") is None
    manifest = commit(store, attempt)
    assert list(manifest.outputs) == ["chats", "messages"]
    assert list(store.artifact(manifest, "chats").lines("table")) == [b"chats"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b'{"stage": "\xff"}',
        b"[" * 100_000,
        b'{"stage":"words","partition":"alice","fingerprint":"f1"}',
    ],
    ids=["empty", "cut", "null", "list", "binary", "no utf-8", "nested", "fields missing"],
)
def test_find_with_a_garbage_manifest_is_none_and_the_next_commit_heals(
    store: Store, garbage: bytes
) -> None:
    make(store, SOME)
    write_bytes(store.files, manifest_path(), garbage)
    assert store.find("words", "alice", "f1") is None
    assert list(store.manifests()) == []
    again = make(store, SOME)
    assert store.find("words", "alice", "f1") == again


def test_find_with_a_manifest_cut_anywhere_is_none(store: Store) -> None:
    make(store, SOME)
    whole = read_bytes(store.files, manifest_path())
    for length in range(0, len(whole.rstrip()), 7):
        write_bytes(store.files, manifest_path(), whole[:length])
        assert store.find("words", "alice", "f1") is None


@given(st.binary(max_size=200))
def test_decode_manifest_of_any_bytes_is_none_and_raises_nothing(content: bytes) -> None:
    assert decode_manifest(content) is None
    assert not is_of_other_version(content)


def test_decode_manifest_of_another_version_is_none(store: Store) -> None:
    content = encode_manifest(make(store, SOME))
    newer = content.replace(
        f'"format_version": {FORMAT_VERSION}'.encode(),
        f'"format_version": {FORMAT_VERSION + 1}'.encode(),
    )
    assert decode_manifest(content) is not None
    assert decode_manifest(newer) is None
    assert is_of_other_version(newer)
    assert not is_of_other_version(content)


def test_find_of_a_manifest_copied_by_hand_to_another_address_is_none(store: Store) -> None:
    make(store, SOME)
    copied = read_bytes(store.files, manifest_path())
    write_bytes(store.files, manifest_path(partition="bob"), copied)
    assert store.find("words", "bob", "f1") is None
    assert len(list(store.manifests())) == 1


def test_manifests_passes_over_an_output_that_is_called_like_a_manifest(store: Store) -> None:
    inner = make(store, SOME, fingerprint="f0")
    outer = make(store, {MANIFEST_NAME: encode_manifest(inner)})
    assert {manifest.fingerprint for manifest in store.manifests()} == {"f0", outer.fingerprint}
    assert len(list(store.manifests())) == 2


def test_newest_is_the_manifest_that_was_made_last(store: Store) -> None:
    make(store, SOME, fingerprint="f1")
    make(store, SOME, partition="bob", fingerprint="f3")
    edit_manifest(store, '"made_at": "2', '"made_at": "3')
    make(store, SOME, fingerprint="f2")
    found = store.newest("words", "alice")
    assert found is not None
    assert found.fingerprint == "f1"
    assert store.newest("words", "carol") is None


def test_reject_keeps_the_files_and_commits_nothing(store: Store) -> None:
    attempt = stage_files(store, SOME)
    where = store.reject(attempt)
    kept = contents(store.files)
    assert sorted(kept.values()) == [b"one", b"two"]
    assert {path.split("/")[0] for path in kept} == {"rejected"}
    assert where.startswith(store.files.locate("rejected/words/alice/f1"))
    assert store.find("words", "alice", "f1") is None


def test_reject_of_an_attempt_without_files_is_no_error(store: Store) -> None:
    source = make(store, SOME)
    attempt = store.attempt("same_words", "alice", "a1")
    store.output(attempt, "same_words").alias(store.artifact(source, "words"))
    store.reject(attempt)
    assert store.damage(source) == ""


def test_discard_deletes_the_attempt_and_no_other(store: Store) -> None:
    manifest = make(store, SOME)
    attempt = stage_files(store, {"a.txt": b"new"})
    store.discard(attempt)
    store.discard(attempt)
    assert store.find("words", "alice", "f1") == manifest
    assert store.damage(manifest) == ""
    names = [path.rpartition("/")[2] for path, _ in store.files.walk("stages")]
    assert sorted(names) == ["a.txt", "b.txt", MANIFEST_NAME]


def test_used_on_is_the_day_of_the_making_and_then_of_the_use(store: Store) -> None:
    manifest = make(store, SOME)
    assert store.used_on(manifest) == manifest.made_at[:10]
    old = manifest.made_at.replace(manifest.made_at[:10], "2020-01-01")
    edit_manifest(store, manifest.made_at, old)
    aged = store.find("words", "alice", "f1")
    assert aged is not None
    assert store.used_on(aged) == "2020-01-01"
    store.mark_used(aged)
    assert store.used_on(aged) >= manifest.made_at[:10]


@pytest.mark.parametrize(
    "partition",
    [
        "a b  c",
        "Zoë 😀 家族",
        unicodedata.normalize("NFC", "Zoe\u0308"),
        "-n",
        "a:b?*\"<>|'$(x)`",
        "%2e%2e",
        "~",
        "_",
        "x" * 199,
        "x" * 201,
        "ж" * 5_000,
        "👩‍👩‍👧" * 300,
        None,
    ],
)
def test_partition_of_any_name_keeps_its_own_artifacts(store: Store, partition: str | None) -> None:
    other = make(store, {"a.txt": b"other"}, partition="other")
    manifest = make(store, SOME, partition=partition)
    store.mark_used(manifest)
    assert store.find("words", partition, "f1") == manifest
    assert store.find("words", "other", "f1") == other
    assert sorted(found.partition or "" for found in store.manifests()) == sorted(
        ["other", partition or ""]
    )
    assert len(folder_of(partition).encode()) <= 200


def test_partitions_with_one_long_beginning_have_folders_of_their_own() -> None:
    assert folder_of("ж" * 500 + "a") != folder_of("ж" * 500 + "b")


@pytest.mark.parametrize("partition", ["", ".", "..", "../x", "a/b", "/", ".hidden", "a\0b"])
def test_partition_that_is_no_single_name_is_refused(store: Store, partition: str) -> None:
    with pytest.raises(StoreError, match="cannot name a folder"):
        store.attempt("words", partition, "f1")
    with pytest.raises(StoreError, match="cannot name a folder"):
        store.find("words", partition, "f1")


def test_output_file_with_a_path_that_leaves_its_folder_is_refused(store: Store) -> None:
    draft = store.output(store.attempt("words", "alice", "f1"), "words")
    with pytest.raises(StoreError, match="leaves its root"), draft.open("../../escape"):
        pass


def test_known_hashes_are_those_kept_under_the_name(store: Store) -> None:
    record = {"/raw/a.json": (FileStat(size=3, version="17"), "d" * 64)}
    assert store.known_hashes("raw/chats/alice") == {}
    store.keep_hashes("raw/chats/alice", record)
    assert store.known_hashes("raw/chats/alice") == record
    assert store.known_hashes("raw/chats/bob") == {}


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff", b'{"a": [1]}'])
def test_known_hashes_of_a_garbage_record_are_none(store: Store, garbage: bytes) -> None:
    store.keep_hashes("raw/chats/alice", {"a": (FileStat(size=3, version="17"), "d")})
    for path in contents(store.files):
        write_bytes(store.files, path, garbage)
    assert store.known_hashes("raw/chats/alice") == {}


def test_empty_store_has_no_manifests(store: Store) -> None:
    assert list(store.manifests()) == []
    assert store.find("words", None, "f1") is None
