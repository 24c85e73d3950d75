import os
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import read_bytes, write_bytes
from resonare_pipeline.artifacts.store import Store
from tests.artifacts.making import (
    SOME,
    commit,
    make,
    make_alias,
    manifest_path,
    path_of,
    stage_files,
)
from tests.places import DiskPlace, Place, contents, copy_all


def test_damage_of_a_missing_file_names_it(store: Store) -> None:
    manifest = make(store, SOME)
    store.files.delete(path_of(manifest, "b.txt"))
    assert store.damage(manifest) == "b.txt is missing"


def test_damage_of_a_file_of_another_size_tells_both(store: Store) -> None:
    manifest = make(store, SOME)
    write_bytes(store.files, path_of(manifest, "a.txt"), b"on")
    assert store.damage(manifest) == "a.txt has 2 bytes, not 3"


def test_damage_of_altered_bytes_of_the_same_size_is_seen(store: Store, place: Place) -> None:
    manifest = make(store, SOME)
    write_bytes(store.files, path_of(manifest, "a.txt"), b"eno")
    place.touch(path_of(manifest, "a.txt"))
    assert store.damage(manifest) == "a.txt is not what was written"
    assert store.damage(manifest) == "a.txt is not what was written"


def test_damage_of_an_auxiliary_file_is_seen(store: Store) -> None:
    attempt = stage_files(store, SOME)
    with attempt.outputs["words"].dropped() as dropped:
        dropped.add("w1", "rude")
    manifest = commit(store, attempt)
    store.files.delete(path_of(manifest, "dropped.parquet"))
    assert store.damage(manifest) == "dropped.parquet is missing"


def test_damage_behind_an_alias_is_seen_through_it(store: Store) -> None:
    source = make(store, SOME)
    alias = make_alias(store, source)
    store.files.delete(path_of(source, "a.txt"))
    assert store.damage(alias) == "a.txt is missing"


def test_damage_of_a_store_that_was_copied_is_none(store: Store, place: Place) -> None:
    manifest = make(store, SOME)
    alias = make_alias(store, manifest)
    copy = place.elsewhere()
    copy_all(store.files, copy.files)
    for path, _ in list(copy.files.walk("")):
        if path.endswith(".txt"):
            copy.touch(path)
    copied = Store(copy.files)
    for address in (("words", "alice", "f1"), ("same_words", "alice", "a1")):
        found = copied.find(*address)
        assert found in (manifest, alias)
        assert found is not None
        assert copied.damage(found) == ""


def test_damage_of_a_copied_file_remembers_that_it_was_verified(store: Store, place: Place) -> None:
    manifest = make(store, SOME)
    path = path_of(manifest, "a.txt")
    place.touch(path)
    assert store.damage(manifest) == ""
    seen = [path for path in contents(store.files) if path.endswith("seen.json")]
    assert len(seen) == 1
    assert store.damage(manifest) == ""
    write_bytes(store.files, path, b"eno")
    place.touch(path)
    assert store.damage(manifest) == "a.txt is not what was written"


def test_damage_of_a_verified_file_reads_no_byte_again(disk_store: Store, root: Path) -> None:
    manifest = make(disk_store, SOME)
    path = root / path_of(manifest, "a.txt")
    DiskPlace(root).touch(path_of(manifest, "a.txt"))
    assert disk_store.damage(manifest) == ""
    # The same size and time as verified, so no byte is read again: only `verify` would see this.
    stat = path.stat()
    path.write_bytes(b"eno")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert disk_store.damage(manifest) == ""


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff", b'{"versions": 3}'])
def test_damage_with_a_garbage_note_of_what_was_verified_is_none(
    store: Store, place: Place, garbage: bytes
) -> None:
    manifest = make(store, SOME)
    place.touch(path_of(manifest, "a.txt"))
    assert store.damage(manifest) == ""
    notes = [path for path in contents(store.files) if path.endswith("seen.json")]
    assert len(notes) == 1
    write_bytes(store.files, notes[0], garbage)
    assert store.damage(manifest) == ""
    assert store.used_on(manifest) == manifest.made_at[:10]


def test_store_that_was_moved_keeps_every_artifact(store: Store, place: Place) -> None:
    manifest = make(store, SOME)
    alias = make_alias(store, manifest)
    elsewhere = place.elsewhere().files
    copy_all(store.files, elsewhere)
    store.files.delete("stages")
    moved = Store(elsewhere)
    assert moved.find("words", "alice", "f1") == manifest
    assert moved.find("same_words", "alice", "a1") == alias
    assert moved.damage(manifest) == moved.damage(alias) == ""
    assert list(moved.artifact(alias, "same_words").lines("b.txt")) == [b"two"]


def test_manifest_holds_no_absolute_path(store: Store) -> None:
    make(store, SOME)
    assert store.files.uri.encode() not in read_bytes(store.files, manifest_path())
