"""Hashes of a raw input's files: which are taken, kept, and forgotten."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import InputChangedError
from resonare_pipeline.planning import hashes
from resonare_pipeline.planning.hashes import OTHER_FOLDERS, known_hashes, take_hashes
from resonare_pipeline.planning.raw import RawInput, list_raw
from resonare_pipeline.progress import silent
from tests.planning.test_attachments import ALBUMS

IMAGES = ("1.jpg", "2.jpg", "3.jpg")
RECORD = "attached/albums/a"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFiles(tmp_path / "store"))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return _lay(tmp_path / "raw")


def _lay(root: Path, images: Iterable[str] = IMAGES) -> Path:
    folder = root / "albums/a"
    folder.mkdir(parents=True)
    for name in ("a.txt", *images):
        (folder / name).write_text(f"content of {name}")
    return root


def _listed(root: Path) -> RawInput:
    return list_raw(LocalFiles(root), [ALBUMS]).inputs["albums", "a"]


def _taken(store: Store, root: Path, *, attached: bool = True) -> dict[str, str]:
    take_hashes(store, _listed(root), silent, attached=attached)
    return known_hashes(store, _listed(root), attached=attached) or {}


def _kept(store: Store) -> set[str]:
    """Return the places that are remembered."""
    return set(store.known_hashes(RECORD))


def test_only_files_that_changed_are_hashed_again(store: Store, raw: Path) -> None:
    before = _taken(store, raw)
    # Other bytes behind the same size and time: whoever reads the file again finds out.
    first = raw / "albums/a/1.jpg"
    stat = first.stat()
    first.write_text("CONTENT OF 1.JPG")
    os.utime(first, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (raw / "albums/a/2.jpg").write_text("something else")
    after = _taken(store, raw)
    changed = [name for name, digest in after.items() if digest != before[name]]
    assert changed == ["a/2.jpg"]


def test_progress_counts_what_was_hashed_before_as_done(store: Store, raw: Path) -> None:
    _taken(store, raw)
    (raw / "albums/a/2.jpg").write_text("other")
    told: list[tuple[int, int, str]] = []
    take_hashes(store, _listed(raw), lambda *step: told.append(step), attached=True)
    total = sum(stat.size for stat in _listed(raw).attachments.values())
    assert told == [(total, total, "bytes")]


def test_hashes_are_kept_while_they_are_taken(
    store: Store, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "KEEP_EVERY_SECONDS", 0.0)
    counts: list[int] = []
    take_hashes(store, _listed(raw), lambda *_: counts.append(len(_kept(store))), attached=True)
    assert counts == [0, 1, 2]
    assert len(_kept(store)) == len(IMAGES)


def test_what_was_hashed_before_an_interruption_is_kept(store: Store, raw: Path) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_hashes(store, _listed(raw), interrupt, attached=True)
    assert _kept(store) == {str(raw / "albums/a/1.jpg")}


def test_what_was_hashed_before_a_file_changed_is_kept(store: Store, raw: Path) -> None:
    def change(*_: object, **__: object) -> None:
        (raw / "albums/a/2.jpg").write_text("longer than it was when it was listed")

    with pytest.raises(InputChangedError, match=r"2\.jpg"):
        take_hashes(store, _listed(raw), change, attached=True)
    assert _kept(store) == {str(raw / "albums/a/1.jpg")}


@pytest.mark.parametrize("attached", [True, False])
def test_raw_folders_that_share_a_store_keep_one_another_s_hashes(
    store: Store, tmp_path: Path, *, attached: bool
) -> None:
    here, there = (_lay(tmp_path / name) for name in ("here", "there"))
    (there / "albums/a/1.jpg").write_text("another image")
    taken = [_taken(store, root, attached=attached) for root in (here, there)]
    known = [known_hashes(store, _listed(root), attached=attached) for root in (here, there)]
    assert known == taken
    assert all(taken)


def test_files_that_are_gone_are_forgotten(store: Store, raw: Path) -> None:
    _taken(store, raw)
    (raw / "albums/a/1.jpg").rename(raw / "albums/a/4.jpg")
    _taken(store, raw)
    assert _kept(store) == {str(raw / f"albums/a/{name}") for name in ("2.jpg", "3.jpg", "4.jpg")}


def test_of_very_many_raw_folders_the_last_are_remembered(store: Store, tmp_path: Path) -> None:
    roots = [_lay(tmp_path / str(number)) for number in range(OTHER_FOLDERS + 3)]
    for root in roots:
        _taken(store, root)
    known = [known_hashes(store, _listed(root), attached=True) is not None for root in roots]
    assert known == [False] * 2 + [True] * (OTHER_FOLDERS + 1)
