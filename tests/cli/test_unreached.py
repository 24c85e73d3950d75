import json
from dataclasses import replace
from pathlib import Path

import pytest

from assets import chats
from resonare_pipeline.artifacts.manifest import Ingredients
from resonare_pipeline.cli.remembered import clear_links
from resonare_pipeline.cli.request import Request
from resonare_pipeline.cli.unreached import unreached
from resonare_pipeline.planning.forgetting import intend
from resonare_pipeline.planning.graph import Graph, Output, StageRun, asset
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace
from tests.projects import PARTITION, project_at

NOTHING = Ingredients(settings={}, code={}, inputs={}, files={}, versions={})


@asset(group="dataset", on_request=True, outputs=(Output(asset="published_dataset"),))
def published_dataset(_: StageRun) -> None:
    """Stands for the stage that publishes."""


def request_of(workspace: Workspace) -> Request:
    graph = Graph(stages=(*chats.STAGES, published_dataset))
    return Request(
        workspace=replace(workspace, graph=graph), stages=(), partitions=None, overrides={}
    )


def publish(workspace: Workspace, revision: str) -> None:
    attempt = workspace.store.attempt("published_dataset", None, f"f{revision}")
    draft = workspace.store.output(attempt, "published_dataset")
    said = {"repo_id": "me/talk", "url": "https://hub.example/me/talk", "revision": revision}
    with draft.open("published.json") as stream:
        stream.write(json.dumps(said).encode())
    draft.report(rows=1)
    workspace.store.commit(attempt, ingredients=NOTHING, checks=(), seconds=0)


@pytest.mark.parametrize("kind", ["disk", "s3"])
def test_each_place_out_of_reach_comes_with_its_command(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = str(tmp_path)
    if kind == "s3":
        root = f"s3://{request.getfixturevalue('bucket')}/deep"
    project = project_at(tmp_path, f"{root}/raw", f"{root}/store", f"{root}/output")
    workspace = project.open()
    for stage in chats.STAGES[:2]:
        make(workspace, stage, PARTITION)
    publish(workspace, "abc123")
    publish(workspace, "def456")
    intent = intend(workspace, "Bob", more=["friends"])  # which is the export's own name

    lines = dict(unreached(request_of(workspace), intent))

    commands = list(lines.values())
    export = f"{root}/raw/chats/friends.json"
    renamed = f"{root}/raw/chats/export-1.json"
    assert ("aws s3 rm " if kind == "s3" else "rm ") + export in commands
    assert ("aws s3 mv " if kind == "s3" else "mv ") + f"{export} {renamed}" in commands
    assert "resonare forget telegram:user456 --yes" in commands
    assert "hf repos delete me/talk --repo-type dataset" in commands
    assert any("super_squash_history" in command for command in commands)
    hub = next(what for what in lines if what.startswith("the Hub: https://hub.example/me/talk"))
    assert "abc123" in hub
    assert "def456" in hub
    assert any("list-object-versions" in command for command in commands) == (kind == "s3")


def test_the_database_of_answers_is_named_if_it_is_there_and_its_password_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESONARE_DB", raising=False)
    root = str(tmp_path)
    workspace = project_at(tmp_path, f"{root}/raw", f"{root}/store", f"{root}/output").open()
    for stage in chats.STAGES[:2]:
        make(workspace, stage, PARTITION)
    request = request_of(workspace)
    intent = intend(workspace, "Bob")

    def told() -> dict[str, str]:
        lines = unreached(request, intent)
        return {what: command for what, command in lines if "what models answered" in what}

    assert told() == {}
    assert clear_links(request, intent) == (0, ())
    assert not list(tmp_path.rglob("*.sqlite"))

    file = workspace.folder / "data" / "completions.sqlite"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    assert list(told().values()) == [f"rm {file}"]

    # Nobody listens there.
    monkeypatch.setenv("RESONARE_DB", "postgresql://me:hunter2@127.0.0.1:1/cache")
    [(what, command)] = told().items()
    assert "RESONARE_DB" in what
    assert command == ""
    links, lines = clear_links(request, intent)
    assert links == 0
    assert "cannot be opened" in str(lines)
    assert "hunter2" not in what + str(lines)
