import datetime as dt
import os
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import write_bytes
from resonare_pipeline.artifacts.manifest import MANIFEST_NAME, Manifest
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.artifacts.upkeep import ListingRow, listing, prune, verify
from tests.artifacts.making import (
    commit,
    edit_manifest,
    make,
    make_alias,
    manifest_path,
    stage_files,
)
from tests.places import Place

TODAY = dt.datetime.now(dt.UTC).date()
LATER = TODAY + dt.timedelta(days=100)  # all that is made now is old then
SOME = {"a.txt": b"one", "b.txt": b"three"}


def address(manifest: Manifest) -> tuple[str, str | None, str]:
    return manifest.stage, manifest.partition, manifest.fingerprint


def left(store: Store) -> set[tuple[str, str | None, str]]:
    """Return the artifacts that are there and whole."""
    manifests = list(store.manifests())
    assert [store.damage(manifest) for manifest in manifests] == [""] * len(manifests)
    return {address(manifest) for manifest in manifests}


def files_of(store: Store) -> dict[str, int]:
    return {path: stat.size for path, stat in store.files.walk("", drafts=True)}


def test_listing_of_a_store_has_a_row_for_each_artifact_in_order(store: Store) -> None:
    words = make(store, SOME)
    none = make(store, {"a.txt": b""}, partition=None)
    alias = make_alias(store, words)
    assert list(listing(store)) == [
        ListingRow(
            stage=manifest.stage,
            partition=manifest.partition,
            fingerprint=manifest.fingerprint,
            made_at=manifest.made_at,
            used_on=manifest.made_at[:10],
            size=size,
            rows=rows,
        )
        for manifest, size, rows in [(alias, 0, 2), (none, 0, 1), (words, 8, 2)]
    ]


def test_listing_of_an_artifact_with_two_outputs_adds_them_up(store: Store) -> None:
    attempt = store.attempt("chat_tables", "alice", "f1")
    for asset, size in (("chats", 10), ("messages", 20)):
        draft = store.output(attempt, asset)
        with draft.open("table") as stream:
            stream.write(b"x" * size)
        draft.report(rows=size * 2)
    commit(store, attempt)
    assert [(row.size, row.rows) for row in listing(store)] == [(30, 60)]


def test_verify_of_a_sound_store_yields_nothing_and_reads_all_bytes_once(store: Store) -> None:
    make_alias(store, make(store, SOME))
    make(store, {"a.txt": b"1"}, partition="bob")
    seen: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, unit: str) -> None:
        seen.append((done, total, unit))

    assert list(verify(store, progress=progress)) == []
    assert seen == [(3, 9, "bytes"), (8, 9, "bytes"), (9, 9, "bytes")]


def test_verify_sees_altered_bytes_that_size_and_time_hide(disk_store: Store, root: Path) -> None:
    store = disk_store
    manifest = make(store, SOME)
    alias = make_alias(store, manifest)
    make(store, SOME, partition="bob")
    path = root / manifest.outputs["words"].files[0].path
    stat = path.stat()
    path.write_bytes(b"eno")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.damage(manifest) == ""
    problem = "a.txt is not what was written"
    assert list(verify(store)) == [(alias, problem), (manifest, problem)]


def test_verify_names_every_file_that_is_wrong(store: Store) -> None:
    manifest = make(store, SOME)
    first, second = (file.path for file in manifest.outputs["words"].files)
    store.files.delete(first)
    write_bytes(store.files, second, b"x")
    problem = "a.txt is missing; b.txt has 1 bytes, not 5"
    assert list(verify(store)) == [(manifest, problem)]


def test_prune_keeps_what_is_current_and_deletes_the_rest(store: Store) -> None:
    current = make(store, SOME, fingerprint="f2")
    make(store, SOME, fingerprint="f1")
    make(store, SOME, fingerprint="f2", partition="bob")
    before = sum(files_of(store).values())
    report = prune(store, current=[address(current)], keep_days=30, today=LATER)
    assert left(store) == {address(current)}
    assert (report.artifacts, report.kept) == (2, 1)
    assert report.size == before - sum(files_of(store).values()) > 16
    assert not [path for path in files_of(store) if "/f1/" in path or "/bob/" in path]


@pytest.mark.parametrize(("days", "kept"), [(0, 1), (29, 1), (30, 1), (31, 0), (400, 0)])
def test_prune_keeps_what_was_used_within_the_days(store: Store, days: int, kept: int) -> None:
    made_on = dt.date.fromisoformat(make(store, SOME).made_at[:10])
    report = prune(store, current=[], keep_days=30, today=made_on + dt.timedelta(days=days))
    assert (report.kept, report.artifacts) == (kept, 1 - kept)
    assert len(left(store)) == kept


def test_prune_counts_the_day_of_use_and_not_that_of_the_making(store: Store) -> None:
    manifest = make(store, SOME)
    edit_manifest(store, manifest.made_at[:4], "2001")
    aged = store.find("words", "alice", "f1")
    assert aged is not None
    store.mark_used(aged)
    assert prune(store, current=[], keep_days=30, today=TODAY).kept == 1


def test_prune_keeps_the_files_that_a_kept_alias_names(store: Store) -> None:
    source = make(store, SOME)
    alias = make_alias(store, source)
    make_alias(store, make(store, SOME, partition="bob"))
    make_alias(store, source, stage="third", fingerprint="t1")
    report = prune(store, current=[address(alias)], keep_days=30, today=LATER)
    assert left(store) == {address(source), address(alias)}
    assert (report.artifacts, report.kept) == (3, 2)


def test_prune_keeps_a_replaced_attempt_whose_files_an_alias_names(store: Store) -> None:
    alias = make_alias(store, make(store, SOME))
    again = make(store, SOME)
    report = prune(store, current=[address(alias)], keep_days=30, today=LATER)
    assert left(store) == {address(alias), address(again)}
    assert report.attempts == 0


def test_prune_of_an_alias_leaves_the_files_of_its_source(store: Store) -> None:
    source = make(store, SOME)
    make_alias(store, source)
    report = prune(store, current=[address(source)], keep_days=30, today=LATER)
    assert left(store) == {address(source)}
    assert report.artifacts == 1


def test_prune_deletes_attempts_that_nobody_names_once_all_in_them_is_old(
    store: Store, place: Place
) -> None:
    manifest = make(store, SOME)
    stage_files(store, SOME)  # beside an artifact
    stage_files(store, SOME, fingerprint="f2")  # alone
    half_old = stage_files(store, SOME, fingerprint="f3")
    for path in files_of(store):
        if not (path.startswith(half_old.folder) and path.endswith("a.txt")):
            place.set_age(path, days=3)
    report = prune(store, current=[address(manifest)], keep_days=30, today=TODAY)
    assert (report.attempts, report.artifacts, report.size) == (2, 0, 16)
    names = sorted(path.rpartition("/")[2] for path in files_of(store))
    assert names == ["a.txt", "a.txt", "b.txt", "b.txt", MANIFEST_NAME]
    assert left(store) == {address(manifest)}


def test_prune_keeps_an_attempt_that_is_being_written(store: Store) -> None:
    attempt = stage_files(store, SOME)
    assert prune(store, current=[], keep_days=0, today=TODAY).attempts == 0
    assert commit(store, attempt)
    assert len(left(store)) == 1


def test_prune_keeps_an_attempt_with_one_long_file_under_the_pen(
    store: Store, place: Place
) -> None:
    attempt = store.attempt("words", "alice", "f1")
    draft = store.output(attempt, "words")
    with draft.open("early.txt") as stream:
        stream.write(b"1")
    with draft.open("long.txt") as stream:
        stream.write(b"2" * place.draft_bytes)
        for path in files_of(store):
            if path.endswith("early.txt"):
                place.set_age(path, days=9)
        assert prune(store, current=[], keep_days=0, today=TODAY).attempts == 0
    draft.report(rows=1)
    commit(store, attempt)
    assert len(left(store)) == 1


def test_prune_deletes_drafts_of_writers_that_died(store: Store, place: Place) -> None:
    manifest = make(store, SOME)
    home = "stages/words/alice/f1"
    for folder in (home, f"{home}/gone/words", "stages/words/alice/f2/gone/words"):
        place.leave_draft(f"{folder}/dead", b"12345", days=3)
    place.leave_draft(f"{home}/young/words/alive", b"12345", days=0)
    report = prune(store, current=[address(manifest)], keep_days=30, today=TODAY)
    drafts = [path for path in files_of(store) if path.endswith(".tmp")]
    assert [path.split("/")[4] for path in drafts] == ["young"]
    assert (report.attempts, report.size) == (2, 15)
    assert len(left(store)) == 1


def test_prune_deletes_rejected_files_after_the_days(store: Store, place: Place) -> None:
    for fingerprint in ("f1", "f2"):
        store.reject(stage_files(store, SOME, fingerprint=fingerprint))
    for path in files_of(store):
        place.set_age(path, days=40 if "/f1/" in path else 20)
    report = prune(store, current=[], keep_days=30, today=TODAY)
    assert (report.rejected, report.size) == (1, 8)
    assert {path.split("/")[3] for path in files_of(store)} == {"f2"}


def test_prune_of_a_garbage_manifest_deletes_what_nobody_can_read(store: Store) -> None:
    make(store, SOME)
    write_bytes(store.files, manifest_path(), b"{")
    assert prune(store, current=[], keep_days=30, today=TODAY).size == 0
    report = prune(store, current=[], keep_days=30, today=LATER)
    assert (report.artifacts, report.attempts) == (0, 1)
    assert files_of(store) == {}


def test_prune_leaves_what_another_release_has_made(store: Store) -> None:
    make(store, SOME)
    edit_manifest(store, '"format_version": 1', '"format_version": 2')
    before = files_of(store)
    assert prune(store, current=[], keep_days=30, today=LATER).size == 0
    assert files_of(store) == before


def test_prune_as_a_dry_run_reports_the_same_and_deletes_nothing(store: Store) -> None:
    keep = make(store, SOME, fingerprint="f2")
    store.mark_used(make(store, SOME))
    stage_files(store, SOME)
    store.reject(stage_files(store, SOME, fingerprint="f3"))
    before = files_of(store)
    dry = prune(store, current=[address(keep)], keep_days=30, today=LATER, dry_run=True)
    assert files_of(store) == before
    assert prune(store, current=[address(keep)], keep_days=30, today=LATER) == dry
    assert (dry.artifacts, dry.attempts, dry.rejected, dry.kept) == (1, 1, 1, 1)
    assert dry.size == sum(before.values()) - sum(files_of(store).values())


def test_prune_leaves_hashes_of_raw_files(store: Store) -> None:
    store.keep_hashes("raw/chats/alice", {})
    prune(store, current=[], keep_days=0, today=LATER)
    assert list(files_of(store)) == ["hashes/raw/chats/alice.json"]


def test_prune_of_an_empty_store_reports_nothing(store: Store) -> None:
    report = prune(store, current=[], keep_days=0, today=TODAY)
    assert (report.artifacts, report.attempts, report.rejected, report.kept) == (0, 0, 0, 0)
    assert report.size == 0
