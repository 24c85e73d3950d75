import json
import shutil
from pathlib import Path

import pytest

import resonare_pipeline
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.opening import open_files
from tests.cli.command import Resonare, imported_by
from tests.places import contents, copy_all


@pytest.fixture
def remote(project: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let all places of the project lie in a bucket."""
    location = f"s3://{bucket}/team"
    copy_all(LocalFiles(project / "data" / "raw"), open_files(f"{location}/raw"))
    shutil.rmtree(project / "data" / "raw")
    for name in ("raw", "store", "output"):
        monkeypatch.setenv(f"RESONARE_{name.upper()}", f"{location}/{name}")
    return location


def test_run_on_s3_makes_everything_once_and_leaves_nothing_on_disk(
    project: Path, remote: str, resonare: Resonare
) -> None:
    first = resonare("run", "--json")
    assert first.code == 0, first.err
    assert set(first.caches.values()) == {"miss"}
    assert f"{remote}/output/chats/friends" in first.json["outputs"]
    again = resonare("run", "--json")
    assert set(again.caches.values()) == {"hit"}
    assert again.json["runs"] == []
    laid = contents(open_files(f"{remote}/output"))
    assert "chats/friends/train.jsonl" in laid
    assert {path.name for path in (project / "data").iterdir()} == {".dagster"}


def test_run_on_s3_lays_the_same_files_as_on_disk(
    project: Path, remote: str, resonare: Resonare
) -> None:
    assert resonare("run").code == 0
    assert resonare("run", "--store", "store", "--output", "output").code == 0
    assert contents(LocalFiles(project / "output")) == contents(open_files(f"{remote}/output"))


@pytest.mark.usefixtures("remote")
def test_every_command_works_on_s3(resonare: Resonare) -> None:
    assert resonare("run").code == 0
    planned = resonare("plan", "--json").json["stages"]
    assert {stage["status"] for stage in planned} == {"hit"}
    shown = resonare("show", "messages", "friends", "-n", "1", "--json").out
    assert json.loads(shown)["text"] == "Hello! How are you?"
    assert len(resonare_pipeline.load("messages", "friends")) > 1
    assert resonare("run", "--set", "blocks.min_tokens_per_block=9").code == 0
    listed = json.loads(resonare("cache", "ls", "--json").out)
    assert resonare("cache", "verify").code == 0
    pruned = resonare("cache", "prune", "--keep-days", "0")
    assert pruned.code == 0
    assert f"kept {len(listed)}" in pruned.out  # all was used today
    assert resonare("demo").code == 0


@pytest.mark.usefixtures("remote")
def test_run_again_on_s3_imports_no_dagster(project: Path, resonare: Resonare) -> None:
    resonare("run")
    imported = imported_by(project, "run", "--json")
    assert not imported & {"dagster", "dagster_aws", "pandas"}
    assert "boto3" in imported


def test_run_on_disk_imports_nothing_of_s3(project: Path) -> None:
    imported = imported_by(project, "run", "--json")
    assert not imported & {"boto3", "botocore", "dagster_aws"}
    assert "dagster" in imported


def test_run_with_an_absent_bucket_is_a_clear_failure(
    remote: str, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = f"{remote[:20]}-absent"
    monkeypatch.setenv("RESONARE_RAW", f"{absent}/raw")
    outcome = resonare("run")
    assert outcome.code == 1
    assert f"{absent}/raw/chats/: no such bucket" in outcome.err
    assert "Traceback" not in outcome.err


def test_run_whose_second_place_fails_says_so_and_names_the_first(
    project: Path, remote: str, resonare: Resonare
) -> None:
    assert resonare("run").code == 0
    second = f"delivery.also_to={remote[:20]}-absent/second"
    outcome = resonare("run", "--set", second, "--json")
    assert outcome.code == 1
    assert set(outcome.json["failures"]) == {"chats/friends", "chats/group", "dataset"}
    message = outcome.json["failures"]["chats/group"]
    assert "the second place for deliverables: no such bucket" in message
    assert f"What lies at {remote}/output is complete" in message
    assert not (project / "data" / "output").exists()
