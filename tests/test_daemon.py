"""The daemon itself: sensors, queue, monitoring and backfills, on a project of its own."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from assets.graph import GRAPH
from resonare_pipeline.cli.home import HOME_VARIABLE, ensure_dagster_home
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from resonare_pipeline.settings import Places
from resources.liveness import PROCESS_TAG
from tests.benchmarks.generate_telegram import Shape, write_export
from tests.processes import clean_environment, family_of, running, script, wait_for

DATA = Path(__file__).parent / "data" / "telegram"
NAMES = ("chatpackcli_export", "ragtgbot_test_case1", "tgif_oop")
SETTINGS = "[blocks]\nmin_tokens_per_block = 8\n[sensors]\ninterval_seconds = 1\n"


@dataclass(frozen=True)
class Project:
    """A project in a folder, on which a daemon runs."""

    folder: Path
    instance: dg.DagsterInstance

    @property
    def environ(self) -> dict[str, str]:
        return clean_environment(DAGSTER_HOME=str(self.folder / "data" / ".dagster"))

    @property
    def log(self) -> Path:
        return self.folder / "dagster-daemon.log"

    def raw(self, key: str) -> Path:
        return self.folder / "data" / "raw" / "chats" / f"{key}.json"

    def laid(self, key: str) -> bytes | None:
        path = self.folder / "data" / "output" / "chats" / key / "train.jsonl"
        return path.read_bytes() if path.exists() else None

    def expected(self, content: bytes, aside: Path) -> bytes:
        """Make what is expected of an export, in a project aside and without Dagster."""
        shutil.rmtree(aside, ignore_errors=True)
        (aside / "raw" / "chats").mkdir(parents=True)
        (aside / "raw" / "chats" / "it.json").write_bytes(content)
        (aside / "resonare.toml").write_text(SETTINGS)
        places = Places(raw=f"{aside}/raw", store=f"{aside}/store", output=f"{aside}/output")
        workspace = open_workspace(GRAPH, places=places, folder=aside)
        for stage in GRAPH.stages:
            if stage.group == "chats":
                make(workspace, stage, "it")
        return (aside / "output" / "chats" / "it" / "train.jsonl").read_bytes()

    def wait_until_laid(self, key: str, content: bytes) -> None:
        wait_for(f"the dataset of {key}", lambda: self.laid(key) == content, log=self.log)

    def runs(self, key: str, **filters: Any) -> list[dg.DagsterRun]:
        tags = {"dagster/partition": key}
        return list(self.instance.get_runs(dg.RunsFilter(tags=tags, **filters)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "data" / "raw" / "chats").mkdir(parents=True)
    (folder / "resonare.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, "")
        home = ensure_dagster_home(folder / "data")
    settings = home / "dagster.yaml"
    settings.write_text(
        settings.read_text().replace("poll_interval_seconds: 30", "poll_interval_seconds: 1")
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield Project(folder, instance)


def daemon_command() -> list[str]:
    return [script("dagster-daemon"), "run", "-m", "resonare_pipeline.definitions"]


@pytest.fixture
def watched(project: Project) -> Iterator[Project]:
    with running(daemon_command(), project.folder, project.environ):
        yield project


def edited(content: bytes) -> bytes:
    """Return the first sample with other words in a message."""
    return content.replace(b"doing great", b"doing marvellously")


def test_daemon_exports_dropped_edited_put_back_and_removed_give_the_right_datasets(
    watched: Project, tmp_path: Path
) -> None:
    first = {name: (DATA / f"{name}.json").read_bytes() for name in NAMES}
    want = {name: watched.expected(content, tmp_path / "aside") for name, content in first.items()}
    slow, *others = NAMES
    for name in others:
        watched.raw(name).write_bytes(first[name])
    # A copy that is under way: each part comes only when a look has seen the one before.
    half = len(first[slow]) // 2
    watched.raw(slow).write_bytes(first[slow][:half])
    wait_for("the half file to be seen", lambda: slow in partitions(watched), log=watched.log)
    watched.raw(slow).write_bytes(first[slow])
    for name in NAMES:
        watched.wait_until_laid(name, want[name])

    second = edited(first[slow])
    assert watched.expected(second, tmp_path / "aside") != want[slow]
    watched.raw(slow).write_bytes(second)
    watched.wait_until_laid(slow, watched.expected(second, tmp_path / "aside"))
    watched.raw(slow).write_bytes(first[slow])
    watched.wait_until_laid(slow, want[slow])

    watched.raw(others[0]).unlink()
    wait_for("retirement", lambda: others[0] not in partitions(watched), log=watched.log)
    assert {slow, others[1]} <= partitions(watched)
    assert watched.laid(others[0]) == want[others[0]]


def partitions(project: Project) -> set[str]:
    return set(project.instance.get_dynamic_partitions("chat_exports"))


def big_export(path: Path) -> None:
    with path.open("wb") as stream:
        write_export(stream, megabytes=12, seed=1, shape=Shape.PERSONAL, minified=False)


def started_run(project: Project, key: str) -> dg.DagsterRun:
    """Wait until a run of a partition is at its steps."""

    def started() -> dg.DagsterRun | None:
        statuses = [dg.DagsterRunStatus.STARTED]
        return next(
            (run for run in project.runs(key, statuses=statuses) if PROCESS_TAG in run.tags), None
        )

    return wait_for(f"the run of {key} to start", started, log=project.log)


def wait_until_failed(project: Project, run: dg.DagsterRun) -> None:
    def failed() -> bool:
        found = project.instance.get_run_by_id(run.run_id)
        return found is not None and found.status is dg.DagsterRunStatus.FAILURE

    wait_for("the killed run to be ended", failed, log=project.log)


def test_daemon_run_of_the_command_line_killed_with_9_ends_as_failed_and_the_next_heals(
    watched: Project, tmp_path: Path
) -> None:
    raw = tmp_path / "big.json"
    big_export(raw)
    command = [script("resonare"), "run", str(raw)]
    victim = subprocess.Popen(
        command,
        cwd=watched.folder,
        env=watched.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    run = started_run(watched, "big")
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    wait_until_failed(watched, run)
    again = subprocess.run(
        command, cwd=watched.folder, env=watched.environ, capture_output=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert watched.laid("big") == watched.expected(raw.read_bytes(), tmp_path / "aside")


def test_daemon_killed_with_all_its_runs_takes_them_up_when_it_is_started_again(
    project: Project, tmp_path: Path
) -> None:
    with running(daemon_command(), project.folder, project.environ) as daemon:
        big_export(project.raw("cut-off"))
        run = started_run(project, "cut-off")
        for process in [*family_of(daemon.pid), psutil.Process(daemon.pid)]:
            process.kill()
    expected = project.expected(project.raw("cut-off").read_bytes(), tmp_path / "aside")
    assert project.laid("cut-off") != expected
    with running(daemon_command(), project.folder, project.environ):
        wait_until_failed(project, run)
        project.wait_until_laid("cut-off", expected)


def test_daemon_backfill_from_the_command_line_makes_every_partition(watched: Project) -> None:
    keys = ["one", "two"]
    for key in keys:
        shutil.copy(DATA / "chatpackcli_export.json", watched.raw(key))
    wait_for("both to be known", lambda: set(keys) <= partitions(watched), log=watched.log)
    command = [script("dagster"), "job", "backfill", "-m", "resonare_pipeline.definitions"]
    command += ["-j", "chats_job", "--partitions", ",".join(keys), "--noprompt"]
    asked = subprocess.run(
        command,
        cwd=watched.folder,
        env=watched.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr

    def filled() -> bool:
        done = [
            run
            for key in keys
            for run in watched.runs(key, statuses=[dg.DagsterRunStatus.SUCCESS])
            if "dagster/backfill" in run.tags
        ]
        return len(done) == len(keys)

    wait_for("the backfill", filled, log=watched.log)
    assert watched.laid("one") == watched.laid("two") != None  # noqa: E711  # a chain


def test_daemon_restarted_goes_on_with_what_it_knew(project: Project, tmp_path: Path) -> None:
    content = (DATA / "chatpackcli_export.json").read_bytes()
    command = daemon_command()
    with running(command, project.folder, project.environ):
        for key in ("edited", "same"):
            project.raw(key).write_bytes(content)
        for key in ("edited", "same"):
            project.wait_until_laid(key, project.expected(content, tmp_path / "aside"))
        wait_for("both runs to end", lambda: all(ended(project, key) for key in ("edited", "same")))
    project.raw("edited").write_bytes(edited(content))
    with running(command, project.folder, project.environ):
        project.wait_until_laid("edited", project.expected(edited(content), tmp_path / "aside"))
    assert len(project.runs("same")) == 1


def ended(project: Project, key: str) -> bool:
    runs = project.runs(key)
    return bool(runs) and all(run.is_finished for run in runs)
