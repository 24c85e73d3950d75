"""Counts of what an input left out, as an input of their own."""

from pathlib import Path

import pytest

from resonare_pipeline.errors import StageError
from resonare_pipeline.planning.graph import Graph, Output, StageRun, asset
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Status, plan
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places
from tests.planning.toy import TEXTS


@asset(group="texts", raw=TEXTS, reads_raw=True, outputs=(Output(asset="kept"),))
def kept(run: StageRun) -> None:
    """Keep lines that are no comment."""
    out = run.outputs["kept"]
    [name] = run.raw.entries
    with run.raw.open(name) as source, out.open("kept.txt") as sink, out.dropped() as dropped:
        for number, line in enumerate(source):
            if line.startswith(b"#"):
                dropped.add(str(number), "comment")
            else:
                sink.write(line)
    out.report(rows=1)


def _copy(run: StageRun, name: str, text: str) -> None:
    with run.outputs[name].open("copy.txt") as sink:
        sink.write(text.encode())
    run.outputs[name].report(rows=1)


@asset(group="texts", raw=TEXTS, inputs=("kept",), outputs=(Output(asset="plain"),))
def plain(run: StageRun) -> None:
    """Look at what is kept alone."""
    _copy(run, "plain", run.inputs["kept"].digest)


@asset(
    group="texts",
    raw=TEXTS,
    inputs=("kept",),
    reads_dropped=("kept",),
    outputs=(Output(asset="counted"),),
)
def counted(run: StageRun) -> None:
    """Write what was left out."""
    _copy(run, "counted", str(dict(run.dropped["kept"])))


GRAPH = Graph(stages=(kept, plain, counted))


def opened(folder: Path, content: str) -> Workspace:
    path = folder / "raw" / "texts" / "a.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    places = Places(
        raw=str(folder / "raw"), store=str(folder / "store"), output=str(folder / "output")
    )
    return open_workspace(GRAPH, places=places, folder=folder)


def text_of(workspace: Workspace, name: str) -> str:
    stage = GRAPH.makers[name]
    current = plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store)
    with current.artifact(stage, name, "a").open("copy.txt") as stream:
        return stream.read().decode()


def test_counts_of_dropped_items_change_only_the_stage_that_reads_them(tmp_path: Path) -> None:
    workspace = opened(tmp_path, "one\n# two\n")
    for stage in GRAPH.stages:
        make(workspace, stage, "a")
    assert text_of(workspace, "counted") == "{'comment': 1}"

    workspace = opened(tmp_path, "one\n# two\n# three\n")
    make(workspace, kept, "a")
    current = plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store)
    assert current.entry(plain, "a").status is Status.HIT
    assert current.entry(counted, "a").status is Status.STALE
    assert current.entry(counted, "a").reasons == ("input kept, dropped changed",)
    make(workspace, counted, "a")
    assert text_of(workspace, "counted") == "{'comment': 2}"


def test_graph_with_dropped_items_of_no_input_is_refused() -> None:
    @asset(group="texts", raw=TEXTS, reads_dropped=("kept",), outputs=(Output(asset="lost"),))
    def lost(run: StageRun) -> None:
        """Count what it never reads."""

    with pytest.raises(StageError, match="kept"):
        Graph(stages=(kept, lost))
