"""Batches under the daemon: no run waits for them, and a sensor goes on when they have ended."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resonare_pipeline.cli.home import HOME_VARIABLE, ensure_dagster_home
from tests.fake_openai.running import Running, serving_apart
from tests.fake_openai.script import BatchScript, Script
from tests.processes import clean_environment, running, script, wait_for

SETTINGS = """
[completions]
mode = "batch"
model = "gpt-4o-mini"
batch_lines = 20
max_unattended_cost_usd = 1.0
[sensors]
interval_seconds = 1
[dataset]
min_tokens = 1
"""
COMMAND = [script("dagster-daemon"), "run", "-m", "resonare_pipeline.definitions"]
RECORDS = 30


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    seconds = BatchScript(validating_seconds=1.0, running_seconds=2.0)
    with serving_apart(Script(batches=seconds)) as endpoint:
        yield endpoint


@pytest.fixture
def folder(tmp_path: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "raw" / "records").mkdir(parents=True)
    (tmp_path / "resonare.toml").write_text(SETTINGS)
    (tmp_path / ".env").write_text(
        f"BASE_URL={server.url}\nAPI_KEY=dummy\nRESONARE_BATCH_POLL_SECONDS=0.2\n"
    )
    monkeypatch.setenv(HOME_VARIABLE, "")
    home = ensure_dagster_home(tmp_path / "data")
    settings = home / "dagster.yaml"
    settings.write_text(
        settings.read_text().replace("poll_interval_seconds: 30", "poll_interval_seconds: 1")
    )
    return tmp_path


def records() -> list[dict[str, Any]]:
    empty = {"role": "assistant", "content": ""}
    turns = [
        [{"role": "user", "content": f"question {number}"}, empty]
        + ([{"role": "user", "content": "and then?"}, empty] if number % 3 == 0 else [])
        for number in range(RECORDS)
    ]
    return [{"messages": some} for some in turns]


def runs(instance: dg.DagsterInstance, job: str) -> list[dg.DagsterRun]:
    return list(instance.get_runs(dg.RunsFilter(job_name=job)))


def test_daemon_submits_leaves_collects_asks_the_second_round_and_makes_the_dataset(
    folder: Path, server: Running
) -> None:
    environ = clean_environment(DAGSTER_HOME=str(folder / "data" / ".dagster"))
    log = folder / "dagster-daemon.log"
    lines = "".join(json.dumps(record) + "\n" for record in records())
    (folder / "data" / "raw" / "records" / "set.jsonl").write_text(lines)
    output = folder / "data" / "output"

    with dg.DagsterInstance.from_config(str(folder / "data" / ".dagster")) as instance:

        def first_run_has_ended() -> bool:
            found = runs(instance, "records_job")
            return bool(found) and found[-1].is_finished

        with running(COMMAND, folder, environ):
            wait_for("the first round to be submitted", first_run_has_ended, log=log)
        assert runs(instance, "records_job")[-1].status is dg.DagsterRunStatus.SUCCESS
        assert not (output / "records" / "set" / "train.jsonl").exists()

        with running(COMMAND, folder, environ):  # restarted, with batches under way
            laid = output / "dataset" / "manifest.json"
            wait_for("the dataset", laid.exists, log=log)

        done = [run.status for run in runs(instance, "records_job")]
        assert set(done) == {dg.DagsterRunStatus.SUCCESS}
        assert len(done) >= 3  # a round each, and one that had nothing left to ask

    filled = [
        json.loads(line)
        for line in (output / "records" / "set" / "filled.jsonl").read_text().splitlines()
    ]
    assert [record["messages"][0]["content"] for record in filled] == [
        f"question {number}" for number in range(RECORDS)
    ]
    said = [turn for record in filled for turn in record["messages"] if turn["role"] != "user"]
    assert all(turn["content"].startswith("answer ") for turn in said)
    run_once = Counter(entry.body for entry in server.journal() if entry.kind == "line")
    assert len(run_once) == len(said)
    assert set(run_once.values()) == {1}
