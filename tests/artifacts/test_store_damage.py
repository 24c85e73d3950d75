import os
import shutil
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from tests.artifacts.making import (
    SOME,
    commit,
    files_below,
    make,
    make_alias,
    manifest_path,
    path_of,
    stage_files,
    touch_later,
)


def test_damage_of_a_missing_file_names_it(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    path_of(root, manifest, "b.txt").unlink()
    assert store.damage(manifest) == "b.txt is missing"


def test_damage_of_a_file_of_another_size_tells_both(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    path_of(root, manifest, "a.txt").write_bytes(b"on")
    assert store.damage(manifest) == "a.txt has 2 bytes, not 3"


def test_damage_of_altered_bytes_of_the_same_size_is_seen(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    path = path_of(root, manifest, "a.txt")
    path.write_bytes(b"eno")
    touch_later(path)
    assert store.damage(manifest) == "a.txt is not what was written"
    assert store.damage(manifest) == "a.txt is not what was written"


def test_damage_of_an_auxiliary_file_is_seen(store: Store, root: Path) -> None:
    attempt = stage_files(store, SOME)
    with attempt.outputs["words"].dropped() as dropped:
        dropped.add("w1", "rude")
    manifest = commit(store, attempt)
    path_of(root, manifest, "dropped.parquet").unlink()
    assert store.damage(manifest) == "dropped.parquet is missing"


def test_damage_behind_an_alias_is_seen_through_it(store: Store, root: Path) -> None:
    source = make(store, SOME)
    alias = make_alias(store, source)
    path_of(root, source, "a.txt").unlink()
    assert store.damage(alias) == "a.txt is missing"


def test_damage_of_a_store_that_was_copied_is_none(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    alias = make_alias(store, manifest)
    copy = root.with_name("copy")
    shutil.copytree(root, copy, copy_function=shutil.copyfile)
    for path in copy.rglob("*.txt"):
        touch_later(path)
    copied = Store(LocalFiles(copy))
    for address in (("words", "alice", "f1"), ("same_words", "alice", "a1")):
        found = copied.find(*address)
        assert found in (manifest, alias)
        assert found is not None
        assert copied.damage(found) == ""


def test_damage_of_a_copied_file_remembers_that_it_was_verified(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    path = path_of(root, manifest, "a.txt")
    touch_later(path)
    assert store.damage(manifest) == ""
    # The same size and time as verified, so no byte is read again: only `verify` would see this.
    stat = path.stat()
    path.write_bytes(b"eno")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.damage(manifest) == ""
    touch_later(path)
    assert store.damage(manifest) == "a.txt is not what was written"


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff", b'{"versions": 3}'])
def test_damage_with_a_garbage_note_of_what_was_verified_is_none(
    store: Store, root: Path, garbage: bytes
) -> None:
    manifest = make(store, SOME)
    store.mark_used(manifest)
    notes = [path for path in files_below(root) if path.endswith("seen.json")]
    assert len(notes) == 1
    (root / notes[0]).write_bytes(garbage)
    assert store.damage(manifest) == ""
    assert store.used_on(manifest) == manifest.made_at[:10]


def test_store_that_was_moved_keeps_every_artifact(store: Store, root: Path) -> None:
    manifest = make(store, SOME)
    alias = make_alias(store, manifest)
    elsewhere = root.with_name("elsewhere") / "deep"
    elsewhere.parent.mkdir()
    root.rename(elsewhere)
    moved = Store(LocalFiles(elsewhere))
    assert moved.find("words", "alice", "f1") == manifest
    assert moved.find("same_words", "alice", "a1") == alias
    assert moved.damage(manifest) == moved.damage(alias) == ""
    assert list(moved.artifact(alias, "same_words").lines("b.txt")) == [b"two"]


def test_manifest_holds_no_absolute_path(store: Store, root: Path) -> None:
    make(store, SOME)
    assert str(root).encode() not in manifest_path(root).read_bytes()
