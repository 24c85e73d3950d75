"""Record sets where people meet them: the sensor, its runs, the command, and Dagster's own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.graph import GRAPH
from resonare_pipeline.artifacts.files import LocalFiles, read_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.definitions import defs
from resonare_pipeline.jobs import JOB_GROUPS
from resonare_pipeline.sensors import build_sensors
from resources.s3 import S3_KEY, s3_resource
from tests.cli.command import Resonare
from tests.cli.records import put, record, rows
from tests.fake_openai.running import Running, serving
from tests.places import copy_all
from tests.processes import clean_environment

PARTITIONS = "record_sets"
SENSOR_TAG = {"dagster/sensor_name": "record_sets_sensor"}
FILES = ("a.jsonl", "b.json", "c.parquet")


@pytest.fixture
def project(project: Path) -> Path:
    """A working folder with one set, a folder of three formats."""
    folder = project / "data" / "raw" / "records" / "mixed"
    folder.mkdir(parents=True)
    put(folder, [record(1), record(2)], "a.jsonl")
    (folder / "b.json").write_text(json.dumps([record(3), record(1)], indent=2))
    pq.write_table(pa.Table.from_pylist([record(4), record(5)]), folder / "c.parquet")
    return project


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An endpoint of the test's own, and a model whose price is known."""
    with serving() as server:
        monkeypatch.setenv("BASE_URL", server.url)
        monkeypatch.setenv("API_KEY", "dummy")
        monkeypatch.setenv("MODEL", "gpt-4o-mini")
        yield server


def laid(project: Path) -> dict[str, list[Any]]:
    """Return the records of the set's filled files, by name."""
    folder = project / "data" / "output" / "records" / "mixed" / "filled"
    return {
        "a.jsonl": rows(folder / "a.jsonl"),
        "b.json": json.loads((folder / "b.json").read_text()),
        "c.parquet": pq.read_table(folder / "c.parquet").to_pylist(),
    }


def run_job(tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(PARTITIONS, ["mixed"])
        return defs.resolve_job_def("records_job").execute_in_process(
            partition_key="mixed", instance=instance, tags=tags, raise_on_error=False
        )


def test_the_sensor_takes_a_folder_of_three_formats_as_one_set(project: Path) -> None:
    (sensor,) = (
        found
        for found in build_sensors(GRAPH, JOB_GROUPS, {})
        if found.name == "record_sets_sensor"
    )
    put(project / "data/raw/records", [record(9)], "single.jsonl")
    (project / "data/raw/records/notes.txt").write_text("no records")
    cursor: str | None = None
    asked: list[list[str | None]] = []
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            with dg.build_sensor_context(
                instance=instance, cursor=cursor, resources={S3_KEY: s3_resource}
            ) as context:
                result = sensor(context)
            assert isinstance(result, dg.SensorResult)
            for change in result.dynamic_partitions_requests or ():
                assert isinstance(change, dg.AddDynamicPartitionsRequest)
                instance.add_dynamic_partitions(PARTITIONS, list(change.partition_keys))
            asked.append([request.partition_key for request in result.run_requests or ()])
            cursor = result.cursor
        assert sorted(instance.get_dynamic_partitions(PARTITIONS)) == ["mixed", "single"]
    # New at the first look, unchanged at the second, and asked for once.
    assert [sorted(map(str, keys)) for keys in asked] == [[], ["mixed", "single"], []]


@pytest.mark.usefixtures("project")
def test_a_run_of_the_sensor_pays_for_nothing_and_says_what_it_would_cost(
    project: Path, server: Running
) -> None:
    done = run_job(SENSOR_TAG)
    assert not done.success
    assert server.journal() == []
    (failed,) = (event for event in done.all_events if event.is_step_failure)
    assert failed.step_key == "record_completions"
    said = str(failed.step_failure_data.error)
    assert "completions.max_unattended_cost_usd" in said
    assert "Start it by hand, or raise the cap" in said
    (requests,) = done.asset_materializations_for_node("record_requests")
    estimate = requests.metadata["estimate"].value
    assert isinstance(estimate, dict)
    assert estimate["requests"] == 5  # one record stands in two files
    assert 0 < estimate["batch_cost_usd"] < estimate["cost_usd"]
    assert not list((project / "data" / "output").rglob("train.jsonl"))


def test_what_somebody_starts_is_paid_for_and_a_run_of_the_sensor_then_takes_it(
    project: Path, server: Running
) -> None:
    assert run_job({}).success
    assert len(server.journal()) == 5
    found = laid(project)
    assert [row["uuid"] for name in FILES for row in found[name]] == [
        "u1",
        "u2",
        "u3",
        "u1",
        "u4",
        "u5",
    ]
    assert all(row["messages"][1]["content"] for name in FILES for row in found[name])
    assert found["a.jsonl"][0]["messages"] == found["b.json"][1]["messages"]
    shutil.rmtree(project / "data" / "artifacts")
    assert run_job(SENSOR_TAG).success  # all is in the cache, and that is free
    assert len(server.journal()) == 5


def test_a_cap_for_unattended_runs_lets_the_sensor_pay_up_to_it(
    project: Path, server: Running
) -> None:
    settings = project / "resonare.toml"
    settings.write_text("[completions]\nmax_unattended_cost_usd = 0.00001\n")
    assert not run_job(SENSOR_TAG).success
    assert server.journal() == []
    settings.write_text("[completions]\nmax_unattended_cost_usd = 1.0\nmax_tokens = 100\n")
    assert run_job(SENSOR_TAG).success
    assert len(server.journal()) == 5


def test_force_alone_takes_the_cache_and_with_fresh_answers_asks_all_again(
    project: Path, server: Running, resonare: Resonare
) -> None:
    fresh = ("--set", "record_completions.fresh_answers=true")
    for options, asked in (
        ((), 5),
        ((), 5),
        (("--force",), 5),
        (fresh, 5),  # hits need no answers
        (("--force", *fresh), 10),
        ((), 10),
    ):
        done = resonare("run", "records", *options)
        assert done.code == 0, done.err
        assert len(server.journal()) == asked, options
        assert all(row["messages"][1]["content"] for row in laid(project)["a.jsonl"])


def test_a_set_on_s3_is_filled_and_laid_there(
    project: Path,
    bucket: str,
    server: Running,
    resonare: Resonare,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    location = f"s3://{bucket}/team"
    copy_all(LocalFiles(project / "data" / "raw"), open_files(f"{location}/raw"))
    shutil.rmtree(project / "data")
    for name in ("raw", "store", "output"):
        monkeypatch.setenv(f"RESONARE_{name.upper()}", f"{location}/{name}")
    done = resonare("run", "records")
    assert done.code == 0, done.err
    files = open_files(f"{location}/output/records/mixed")
    assert len(read_bytes(files, "train.jsonl").splitlines()) == 6
    first, second = map(json.loads, read_bytes(files, "filled/a.jsonl").splitlines())
    assert (first["uuid"], second["uuid"]) == ("u1", "u2")
    table = pq.read_table(pa.BufferReader(read_bytes(files, "filled/c.parquet")))
    assert all(row["messages"][1]["content"] for row in table.to_pylist())
    again = resonare("run", "records", "--json")
    assert set(again.caches.values()) == {"hit"}
    assert len(server.journal()) == 5


def test_dagsters_own_command_fills_a_set_with_the_mock(project: Path) -> None:
    command = [sys.executable, "-m", "dagster", "job", "execute"]
    command += ["-m", "resonare_pipeline.definitions", "-j", "records_job"]
    command += ["--tags", json.dumps({"dagster/partition": "mixed"})]
    done = subprocess.run(
        command,
        cwd=project,
        env=clean_environment(DEFAULT_LLM_PROVIDER="mock"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    contents = [row["messages"][1]["content"] for row in laid(project)["c.parquet"]]
    assert all(content.startswith("Mock") for content in contents)
    train = rows(project / "data/output/records/mixed/train.jsonl")
    assert len(train) == 6
    assert all(row["metadata"]["mock"] for row in train)
