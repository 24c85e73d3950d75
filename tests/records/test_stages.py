"""The stages of records, made by the planner over a real endpoint's twin."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assets.graph import GRAPH
from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import (
    BudgetError,
    InputChangedError,
    SettingsError,
    StageError,
    UnansweredError,
)
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.records.sets import set_files
from resonare_pipeline.settings import Places
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Fault, Rule, Script
from tests.records.making import prompt

STAGES = [stage for stage in GRAPH.stages if stage.group == "records"]
MOCK = {"completions.provider": "mock"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with serving() as server:
        monkeypatch.setenv("BASE_URL", server.url)
        monkeypatch.setenv("API_KEY", "dummy")
        monkeypatch.setenv("MODEL", "gpt-4o-mini")
        yield server


class Project:
    """A project whose raw input is record sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw = folder / "raw" / "records"
        self.raw.mkdir(parents=True)

    def put(self, records: list[Any], name: str = "set.jsonl") -> None:
        path = self.raw / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(item) + "\n" for item in records))

    def open(self, **overrides: str) -> Workspace:
        places = Places(
            raw=str(self.folder / "raw"),
            store=str(self.folder / "store"),
            output=str(self.folder / "output"),
        )
        named = {name.replace("__", "."): value for name, value in overrides.items()}
        return open_workspace(GRAPH, overrides=named, places=places, folder=self.folder)

    def make(self, workspace: Workspace | None = None, key: str = "set") -> dict[str, Made]:
        workspace = workspace or self.open()
        return {stage.name: make(workspace, stage, key) for stage in STAGES}

    def laid(self, name: str, key: str = "set") -> list[Any]:
        path = self.folder / "output" / "records" / key / name
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def rows(project: Project, made: Made, file: str) -> list[dict[str, Any]]:
    artifact: Artifact = project.open().store.artifact(made.manifest, made.stage.assets[0])
    return list(artifact.rows(file))


def test_a_set_becomes_conversations_and_its_own_file_with_answers(
    project: Project, server: Running
) -> None:
    project.put([prompt("a", uuid="1"), {"text": "none"}, prompt("b", tools=[{"name": "f"}])])
    made = project.make()
    assert made["prompt_records"].manifest.outputs["prompt_records"].dropped == {"no_messages": 1}
    filled, train = project.laid("filled.jsonl"), project.laid("train.jsonl")
    assert [row.get("uuid") for row in filled] == ["1", None]
    assert filled[0]["messages"][1]["content"].startswith("answer ")
    assert filled[1]["messages"][1]["tool_calls"][0]["function"]["name"] == "f"
    assert [row["messages"][1].get("tool_calls") is None for row in train] == [True, False]
    assert train[1]["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert not any(row["metadata"]["mock"] for row in train)
    assert len(server.journal()) == 2


def test_a_second_making_is_all_hits_and_a_changed_record_is_asked_for_alone(
    project: Project, server: Running
) -> None:
    project.put([prompt(str(number)) for number in range(20)])
    project.make()
    assert {made.cache.value for made in project.make().values()} == {"hit"}
    project.put([prompt(str(number)) for number in range(19)] + [prompt("new")])
    project.make()
    assert len(server.journal()) == 21


def test_requests_name_the_keys_under_which_answers_are_kept(
    project: Project, server: Running
) -> None:
    project.put([prompt("a"), prompt("b")])
    made = project.make()
    requests = rows(project, made["record_requests"], "requests.parquet")
    answers = rows(project, made["record_completions"], "completions.parquet")
    assert [row["key"] for row in requests] == [row["key"] for row in answers]
    assert all(row["input_tokens"] > 0 for row in requests)
    estimate = made["record_requests"].manifest.outputs["record_requests"].metadata["estimate"]
    assert estimate["requests"] == 2
    assert estimate["batch_cost_usd"] == pytest.approx(estimate["cost_usd"] / 2)
    assert server.journal()


def test_a_failure_that_may_pass_commits_nothing_and_keeps_the_answers(
    project: Project, server: Running
) -> None:
    project.put([prompt("fine"), prompt("bad")])
    server.use(Script(rules=(Rule(fault=Fault.SERVER, contains="bad"),)))
    with pytest.raises(UnansweredError, match="1 of 2 records have no answer yet: server 1"):
        project.make(project.open(completions__retries="0"))
    assert not list((project.folder / "output").rglob("train.jsonl"))
    server.use(Script())
    before = len(server.journal())
    project.make()
    assert len(server.journal()) == before + 1
    assert len(project.laid("filled.jsonl")) == 2


def test_partial_answers_are_committed_when_that_is_allowed(
    project: Project, server: Running
) -> None:
    project.put([prompt("fine"), prompt("bad")])
    server.use(Script(rules=(Rule(fault=Fault.SERVER, contains="bad"),)))
    partial = {"record_completions__allow_partial": "true", "completions__retries": "0"}
    made = project.make(project.open(**partial))
    assert made["filled_conversations"].manifest.outputs["filled_conversations"].dropped == {
        "server": 1
    }
    server.use(Script())
    project.make()
    assert len(project.laid("filled.jsonl")) == 2


def test_a_refusal_for_good_is_committed_with_its_reason(project: Project, server: Running) -> None:
    project.put([prompt("fine"), prompt("bad")])
    server.use(Script(rules=(Rule(fault=Fault.FILTER, contains="bad"),)))
    made = project.make()
    assert made["record_completions"].manifest.outputs["record_completions"].dropped == {
        "filtered": 1
    }
    assert len(project.laid("train.jsonl")) == 1


def test_a_run_that_nobody_started_pays_for_nothing_but_takes_what_is_there(
    project: Project, server: Running
) -> None:
    project.put([prompt("a")])
    unattended = replace(project.open(), unattended=True)
    with pytest.raises(BudgetError, match="max_unattended_cost_usd"):
        project.make(unattended)
    assert not server.journal()
    project.make()
    shutil.rmtree(project.folder / "store")
    project.make(unattended)
    assert len(server.journal()) == 1


def capped(cap: str) -> dict[str, str]:
    # An answer costs some 0.00001 dollars, and is expected to be ten times as long as it is.
    return {"completions__max_tokens": "100", "completions__max_cost_usd": cap}


def test_all_sets_of_a_run_share_its_cap(project: Project, server: Running) -> None:
    for name in ("one", "two"):
        project.put([prompt(f"{name} {number}") for number in range(4)], f"{name}.jsonl")
    run = project.open(**capped("0.00027"))
    project.make(run, "one")
    with pytest.raises(BudgetError, match="of which"):
        project.make(run, "two")
    assert len(server.journal()) == 4
    project.make(project.open(**capped("0.00027")), "two")
    assert len(server.journal()) == 8


def test_runs_that_nobody_started_share_a_cap_a_day(project: Project, server: Running) -> None:
    for name in ("one", "two"):
        project.put([prompt(f"{name} {number}") for number in range(4)], f"{name}.jsonl")
    settings = {
        "completions__max_tokens": "100",
        "completions__max_unattended_cost_usd": "0.00027",
    }
    project.make(replace(project.open(**settings), unattended=True), "one")
    with pytest.raises(BudgetError, match=r"of which .* a day"):
        project.make(replace(project.open(**settings), unattended=True), "two")
    assert len(server.journal()) == 4
    project.make(project.open(**settings), "two")


def test_mock_answers_are_marked_and_never_taken_for_a_models(
    project: Project, server: Running
) -> None:
    project.put([prompt("a")])
    project.make(project.open(completions__provider="mock"))
    assert project.laid("train.jsonl")[0]["metadata"]["mock"]
    assert not server.journal()
    project.make()
    assert not project.laid("train.jsonl")[0]["metadata"]["mock"]
    assert len(server.journal()) == 1


def test_a_set_without_empty_turns_needs_no_endpoint(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    record = prompt("a")
    record["messages"][1].update(content="said", weight=0)
    project.put([record])
    project.make()
    assert project.laid("filled.jsonl") == [record]
    assert project.laid("train.jsonl")[0]["messages"][1]["weight"] == 0


def test_a_folder_is_one_set_and_each_file_keeps_its_name_and_format(
    project: Project, server: Running
) -> None:
    project.put([prompt("a")], "many/one.jsonl")
    (project.raw / "many" / "two.json").write_text(json.dumps([prompt("b"), prompt("a")]))
    project.make(key="many")
    assert len(project.laid("filled/one.jsonl", "many")) == 1
    two = (project.folder / "output/records/many/filled/two.json").read_text()
    assert len(json.loads(two)) == 2
    train = project.laid("train.jsonl", "many")
    assert len({row["metadata"]["root_id"] for row in train}) == 2
    assert len(server.journal()) == 2


def test_ids_do_not_tell_of_places_or_of_what_stands_beside_a_conversation(
    project: Project,
) -> None:
    workspace = project.open(completions__provider="mock")
    project.put([prompt("a", uuid="1"), prompt("b")])
    first = project.make(workspace)["prompt_records"]
    project.put([prompt("b"), prompt("a", license="l"), prompt("a")])
    second = project.make(workspace)["prompt_records"]
    one, two = (
        [row["record_id"] for row in rows(project, made, "prompts.parquet")]
        for made in (first, second)
    )
    assert two == [one[1], one[0], f"{one[0]}-2"]


def test_a_set_that_changes_while_it_is_read_is_refused(project: Project) -> None:
    project.put([prompt("a")])
    workspace = project.open()
    (raw,) = workspace.list_raw().inputs.values()
    (file,) = set_files({"set.jsonl": 1}, {"set.jsonl": "0" * 64}, raw.open)
    with pytest.raises(InputChangedError, match="changed while it was being read"):
        file.source()


def test_records_enter_the_dataset_and_calls_of_tools_stay_out_with_a_reason(
    project: Project, server: Running
) -> None:
    answered = [prompt(f"question {number}") for number in range(12)]
    project.put([*answered, prompt("call", tools=[{"name": "f"}])])
    project.make()
    workspace = project.open()
    (dataset,) = (stage for stage in GRAPH.stages if stage.name == "dataset")
    made = make(workspace, dataset, None).manifest.outputs["dataset"]
    assert (made.rows, made.dropped) == (12, {"not_plain": 1})
    assert server.journal()


def test_a_set_whose_every_request_is_refused_for_good_is_not_committed(
    project: Project, server: Running
) -> None:
    project.put([prompt("a"), prompt("b")])
    server.use(Script(rules=(Rule(fault=Fault.INVALID),)))
    with pytest.raises(StageError, match="refused every one of 2 requests"):
        project.make()
    assert not list((project.folder / "output").rglob("train.jsonl"))


def test_no_model_at_openais_own_address_is_refused_before_anything_is_sent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE", "MODEL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("API_KEY", "dummy")
    project.put([prompt("a")])
    with pytest.raises(SettingsError, match="no model is named"):
        project.make()


def test_fresh_answers_are_not_free_for_a_run_that_nobody_started(
    project: Project, server: Running
) -> None:
    project.put([prompt("a")])
    project.make()
    shutil.rmtree(project.folder / "store")
    fresh = project.open(record_completions__fresh_answers="true")
    with pytest.raises(BudgetError, match="max_unattended_cost_usd"):
        project.make(replace(fresh, unattended=True))
    assert len(server.journal()) == 1
