import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.errors import InputChangedError, StageError
from resonare_pipeline.planning.ahead import stages_ahead
from resonare_pipeline.planning.graph import Graph, Output, StageRun, asset
from resonare_pipeline.planning.made import Cache
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places

WAIT_SECONDS = 30


def toy(tmp_path: Path, body: Callable[[StageRun], None]) -> Workspace:
    """Two stages, the second from the first, whose body is given."""

    @asset(group="toy", outputs=(Output(asset="first"),))
    def first(run: StageRun) -> None:
        """Make something."""
        body(run)
        write(run, "first")

    @asset(group="toy", inputs=("first",), outputs=(Output(asset="second"),))
    def second(run: StageRun) -> None:
        """Make something of it."""
        write(run, "second")

    places = Places(
        raw=str(tmp_path / "raw"), store=str(tmp_path / "s"), output=str(tmp_path / "o")
    )
    return open_workspace(Graph(stages=(first, second)), places=places, folder=tmp_path)


def write(run: StageRun, name: str) -> None:
    with run.outputs[name].open(f"{name}.txt") as stream:
        stream.write(b"made")
    run.outputs[name].report(rows=1)


def test_stage_begun_ahead_is_handed_over_as_made(tmp_path: Path) -> None:
    begun, times = threading.Event(), []

    def body(run: StageRun) -> None:
        times.append(run.partition)
        begun.set()

    workspace = toy(tmp_path, body)
    first, second = workspace.graph.stages
    with stages_ahead(workspace, [first], None, force=False):
        assert begun.wait(WAIT_SECONDS)
        assert make(workspace, first, None).cache is Cache.MISS
        assert make(workspace, second, None).cache is Cache.MISS
    assert len(times) == 1
    assert make(workspace, first, None).cache is Cache.HIT


def test_stage_that_fails_ahead_fails_where_it_is_asked_for(tmp_path: Path) -> None:
    begun = threading.Event()

    def body(run: StageRun) -> None:
        del run
        begun.set()
        message = "no"
        raise StageError(message, where="first")

    workspace = toy(tmp_path, body)
    first, _ = workspace.graph.stages
    with stages_ahead(workspace, [first], None, force=False):
        assert begun.wait(WAIT_SECONDS)
        with pytest.raises(StageError, match="no"):
            make(workspace, first, None)


def test_stage_that_nobody_asks_for_is_called_off_and_leaves_nothing(tmp_path: Path) -> None:
    begun, left = threading.Event(), threading.Event()

    def body(run: StageRun) -> None:
        begun.set()
        assert left.wait(WAIT_SECONDS)
        while True:
            run.progress(0, 0, "rounds")

    workspace = toy(tmp_path, body)
    first, _ = workspace.graph.stages

    def leave() -> Any:
        with stages_ahead(workspace, [first], None, force=False):
            assert begun.wait(WAIT_SECONDS)
            left.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert not [path for path in (tmp_path / "s").rglob("*") if path.is_file()]


def test_stage_whose_input_changed_while_it_was_made_ahead_is_made_again(tmp_path: Path) -> None:
    begun, times = threading.Event(), []

    def body(run: StageRun) -> None:
        times.append(run.partition)
        begun.set()
        if len(times) == 1:
            raise InputChangedError("changed while being read")

    workspace = toy(tmp_path, body)
    first, _ = workspace.graph.stages
    with stages_ahead(workspace, [first], None, force=False):
        assert begun.wait(WAIT_SECONDS)
        assert make(workspace, first, None).cache is Cache.MISS
    assert len(times) == 2
