import os
import shutil
from pathlib import Path

import pytest

from resonare_pipeline.errors import (
    CheckFailedError,
    DamagedArtifactError,
    InputChangedError,
    StageError,
    UnknownPartitionError,
)
from resonare_pipeline.planning.made import Cache
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Status
from resonare_pipeline.planning.raw import RawInput
from tests.planning.toy import GRAPH, Toy, parity, same_words, text, words_and_letters

ALL_HIT = dict.fromkeys((stage.name for stage in GRAPH.stages), "hit")
ALL_MISS = dict.fromkeys((stage.name for stage in GRAPH.stages), "miss")


def test_make_second_time_is_all_hits(toy: Toy) -> None:
    assert toy.caches(toy.open()) == ALL_MISS
    assert toy.caches(toy.open()) == ALL_HIT


def test_make_after_formatting_change_stops_at_the_first_stage(toy: Toy) -> None:
    toy.make(toy.open())
    toy.write("a.txt", "one\n two\n\n three ")
    assert toy.caches(toy.open()) == {**ALL_HIT, "text": "miss"}


def test_make_after_touch_without_change_is_all_hits(toy: Toy) -> None:
    toy.make(toy.open())
    path = toy.folder / "raw/texts/a.txt"
    os.utime(path, ns=(1, 1))
    assert toy.statuses(toy.open())["text"] is Status.STALE
    assert toy.caches(toy.open()) == ALL_HIT


def test_plan_with_raw_folder_spelt_otherwise_needs_no_hashing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.make(toy.open())
    monkeypatch.chdir(toy.folder)
    assert toy.statuses(Toy(Path()).open())["text"] is Status.HIT


def test_make_after_setting_and_back_is_all_hits(toy: Toy) -> None:
    toy.make(toy.open())
    changed = toy.caches(toy.open({"words.upper": "true"}))
    # The letters are as many in capitals: their digest is the same, so the wave stops there.
    assert changed == {**ALL_HIT, "words_and_letters": "miss", "same_words": "miss"}
    assert toy.caches(toy.open()) == ALL_HIT


def test_make_after_raw_goes_back_is_all_hits(toy: Toy) -> None:
    toy.make(toy.open())
    toy.write("a.txt", "something else")
    assert toy.caches(toy.open())["words_and_letters"] == "miss"
    toy.write("a.txt", "one two  three")
    assert toy.caches(toy.open()) == ALL_HIT


def test_make_with_moved_store_is_all_hits(toy: Toy) -> None:
    toy.make(toy.open())
    shutil.copytree(toy.folder / "store", toy.folder / "elsewhere" / "store")
    shutil.rmtree(toy.folder / "store")
    moved = toy.open(store="elsewhere/store")
    assert toy.caches(moved) == ALL_HIT
    assert not (toy.folder / "store").exists()


def test_make_with_force_computes_again(toy: Toy) -> None:
    toy.make(toy.open())
    made = make(toy.open(), words_and_letters, "a", force=True)
    assert made.cache is Cache.MISS
    assert toy.caches(toy.open()) == ALL_HIT


@pytest.mark.parametrize("damage", ["delete", "shorten", "alter"])
def test_make_with_damaged_file_says_so_and_makes_it_again(toy: Toy, damage: str) -> None:
    toy.make(toy.open())
    path = next((toy.folder / "store").rglob("words.txt"))
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[1:] if damage == "shorten" else b"ONE\ntwo\nthree")
    entry = toy.plan(toy.open()).entry(words_and_letters, "a")
    assert entry.status is Status.STALE
    assert entry.reasons[0].startswith("damaged: words.txt")
    # The alias names the damaged file, so it is made again too; what only read it is not.
    assert toy.caches(toy.open()) == {
        "text": "hit",
        "words_and_letters": "miss",
        "same_words": "miss",
        "parity": "hit",
    }
    assert toy.caches(toy.open()) == ALL_HIT


def test_make_below_something_stale_is_refused(toy: Toy) -> None:
    workspace = toy.open()
    assert toy.statuses(workspace)["parity"] is Status.WAITS
    with pytest.raises(InputChangedError, match="waits for words_and_letters"):
        make(workspace, parity, "a")


def test_make_failing_body_commits_nothing(toy: Toy) -> None:
    toy.write("a.txt", "boom")
    workspace = toy.open()
    make(workspace, text, "a")
    with pytest.raises(ValueError, match="boom"):
        make(workspace, words_and_letters, "a")
    assert toy.statuses(workspace)["words_and_letters"] is Status.STALE
    assert list(workspace.store.manifests("stages/words_and_letters")) == []
    assert [path for path, _ in workspace.store.files.walk("stages/words_and_letters")] == []


def test_make_failing_check_keeps_the_files_apart(toy: Toy) -> None:
    workspace = toy.open({"words.longest": "3"})
    make(workspace, text, "a")
    with pytest.raises(CheckFailedError, match="check length failed: 5 letters") as caught:
        make(workspace, words_and_letters, "a")
    assert toy.statuses(workspace)["words_and_letters"] is Status.STALE
    rejected = list((toy.folder / "store" / "rejected").rglob("words.txt"))
    assert [path.read_text() for path in rejected] == ["one\ntwo\nthree"]
    assert str(rejected[0].parent.parent) in caught.value.remedy
    assert not (toy.folder / "output").exists()


def test_make_checks_stand_in_the_manifest_on_a_hit(toy: Toy) -> None:
    toy.make(toy.open())
    made = make(toy.open(), words_and_letters, "a")
    assert [(check.name, check.passed) for check in made.manifest.checks] == [("length", True)]


def test_make_unknown_partition_names_the_known(toy: Toy) -> None:
    with pytest.raises(UnknownPartitionError, match=r"no raw input named 'b'.*one of: a"):
        make(toy.open(), text, "b")


def test_make_input_changed_while_hashing_is_refused(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = toy.open()
    path = toy.folder / "raw/texts/a.txt"
    opened = RawInput.open

    def open_and_edit(self: RawInput, name: str) -> object:
        stream = opened(self, name)
        path.write_text("edited meanwhile")
        return stream

    monkeypatch.setattr(RawInput, "open", open_and_edit)
    with pytest.raises(InputChangedError, match="changed while being read"):
        make(workspace, text, "a")
    monkeypatch.undo()
    assert toy.caches(toy.open()) == ALL_MISS


def test_make_alias_copies_nothing(toy: Toy) -> None:
    workspace = toy.open()
    toy.make(workspace)
    manifest = make(workspace, same_words, "a").manifest
    entry = manifest.outputs["same_words"]
    assert entry.alias_of == "words"
    artifact = workspace.store.artifact(manifest, "same_words")
    with artifact.open("words.txt") as stream:
        assert stream.read() == b"one\ntwo\nthree"
    assert len(list((toy.folder / "store").rglob("words.txt"))) == 1


def test_deliverables_are_laid_again_when_missing_or_different(toy: Toy) -> None:
    toy.make(toy.open())
    laid = toy.folder / "output/texts/a/words.txt"
    assert laid.read_text() == "one\ntwo\nthree"
    before = (laid.parent / "manifest.json").read_bytes()
    for content in ("ONE\ntwo\nthree", "longer than it was before"):
        laid.write_text(content)
        assert toy.caches(toy.open()) == ALL_HIT
        assert laid.read_text() == "one\ntwo\nthree"
    laid.unlink()
    (laid.parent / "manifest.json").unlink()
    toy.make(toy.open())
    assert laid.read_text() == "one\ntwo\nthree"
    assert (laid.parent / "manifest.json").read_bytes() == before


def test_deliverable_whose_source_is_altered_unnoticed_is_not_laid(toy: Toy) -> None:
    toy.make(toy.open())
    laid = toy.folder / "output/texts/a/words.txt"
    laid.unlink()
    source = next((toy.folder / "store").rglob("words.txt"))
    stat = source.stat()
    source.write_bytes(b"ONE\ntwo\nthree")
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as the plan sees it, all is well
    with pytest.raises(DamagedArtifactError, match=r"words\.txt: not what was written"):
        make(toy.open(), words_and_letters, "a")
    assert not laid.exists()


def test_graph_with_input_that_nothing_makes_is_refused() -> None:
    with pytest.raises(StageError, match="words is made by no earlier stage"):
        type(GRAPH)(stages=(same_words,))


def test_single_file_is_the_only_partition(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "lonely.txt"
    path.write_text("by itself")
    workspace = toy.open(single=path)
    assert workspace.list_raw().keys(GRAPH.raw_kinds()[0]) == ["lonely"]
    assert toy.caches(workspace, "lonely") == ALL_MISS
    assert (toy.folder / "output/texts/lonely/words.txt").read_text() == "by\nitself"
