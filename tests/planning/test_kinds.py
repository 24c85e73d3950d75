"""Raw inputs of several kinds, which may share a key."""

from pathlib import Path

import pytest

from resonare_pipeline.errors import UnknownPartitionError
from resonare_pipeline.planning.graph import Graph, Output, StageRun, asset
from resonare_pipeline.planning.plan import Plan, Status, plan
from resonare_pipeline.planning.raw import RawKind, list_one
from tests.planning.toy import GRAPH as TOY_GRAPH
from tests.planning.toy import TEXTS, Toy

NOTES = RawKind(
    folder="notes",
    partitions="note_files",
    suffixes=(".txt", ".md"),
    members=("*.md",),
    expected="a note",
)


@asset(group="notes", raw=NOTES, reads_raw=True, outputs=(Output(asset="note"),))
def note(run: StageRun) -> None:
    """Count the files of a note."""
    with run.outputs["note"].open("count.txt") as sink:
        sink.write(str(len(run.raw.entries)).encode())
    run.outputs["note"].report(rows=1)


GRAPH = Graph(stages=(*TOY_GRAPH.stages, note))


def planned(toy: Toy, *partitions: str) -> Plan:
    workspace = toy.open(graph=GRAPH)
    listing = workspace.list_raw()
    return plan(GRAPH, workspace.settings, listing, workspace.store, partitions=partitions or None)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path)
    for name in ("texts/a.txt", "texts/both.txt", "notes/b.txt", "notes/both.txt"):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hello")
    return toy


def test_a_key_of_one_kind_is_not_planned_for_another(toy: Toy) -> None:
    assert {key for _, key in planned(toy, "a").entries} == {"a"}
    assert {name for name, _ in planned(toy, "b").entries} == {"note"}
    assert not any(entry.error for entry in planned(toy, "a", "b").entries.values())


def test_a_key_of_two_kinds_is_planned_for_both(toy: Toy) -> None:
    names = {name for name, _ in planned(toy, "both").entries}
    assert names == {stage.name for stage in GRAPH.stages}


def test_a_key_that_no_kind_has_fails_everywhere(toy: Toy) -> None:
    entries = planned(toy, "none").entries.values()
    assert {entry.status for entry in entries} == {Status.FAILED}
    assert all(isinstance(entry.error, UnknownPartitionError) for entry in entries)


@pytest.mark.parametrize(
    ("place", "folder"),
    [("texts/a.txt", "texts"), ("notes/b.txt", "notes"), ("elsewhere/c.txt", "texts")],
)
def test_a_single_file_is_of_the_kind_whose_folder_it_lies_in(
    toy: Toy, place: str, folder: str
) -> None:
    path = toy.folder / "raw" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("hello")
    ((found, _),) = list_one(path, (TEXTS, NOTES)).inputs
    assert found == folder


def test_a_single_folder_is_of_the_kind_that_finds_its_files_there(toy: Toy) -> None:
    folder = toy.folder / "mine"
    folder.mkdir()
    (folder / "x.md").write_text("hello")
    ((found, _),) = list_one(folder, (TEXTS, NOTES)).inputs
    assert found == "notes"
