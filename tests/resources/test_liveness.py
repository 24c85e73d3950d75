import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from resources.liveness import PROCESS_TAG, WatchfulRunLauncher, is_gone, process_name
from tests.processes import wait_for

PRINT_NAME = "from resources.liveness import process_name; print(process_name(), flush=True); "


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "run_launcher: {module: resources.liveness, class: WatchfulRunLauncher}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def test_process_that_runs_is_not_gone() -> None:
    assert not is_gone(process_name())


def test_process_that_was_killed_is_gone_before_and_after_it_is_reaped() -> None:
    command = [sys.executable, "-c", PRINT_NAME + "input()"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert not is_gone(name)
        process.kill()
        wait_for("the process to be a zombie", lambda: is_gone(name))
    assert is_gone(name)


def test_process_whose_number_another_has_now_is_gone() -> None:
    number, _, machine = process_name().split(":", 2)
    assert is_gone(f"{number}:1:{machine}")


def test_process_from_before_the_machine_was_started_anew_is_gone() -> None:
    number, started, machine = process_name().split(":", 2)
    host, _, space = machine.split("/", 2)
    assert is_gone(f"{number}:{started}:{host}/other-boot/{space}")


def test_process_that_cannot_be_seen_from_here_is_never_judged() -> None:
    host, boot, _ = process_name().split(":", 2)[2].split("/", 2)
    assert not is_gone("1:1:elsewhere.example/boot/space")
    assert not is_gone(f"1:1:{host}/{boot}/space of a container")
    assert not is_gone("something else")


def test_launcher_of_the_home_tells_dead_runs_from_live_ones(instance: dg.DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchfulRunLauncher)
    number, _, machine = process_name().split(":", 2)
    tags = {
        "lives": process_name(),
        "died": f"{number}:1:{machine}",
        "elsewhere": "1:1:elsewhere.example/boot/space",
    }
    health = {}
    for name, tag in tags.items():
        run = dg.DagsterRun(
            job_name="job", status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: tag}
        )
        health[name] = launcher.check_run_worker_health(instance.add_run(run)).status
    assert health == {
        "lives": WorkerStatus.RUNNING,
        "died": WorkerStatus.FAILED,
        "elsewhere": WorkerStatus.RUNNING,
    }


def test_launcher_run_that_never_came_to_a_step_is_given_time(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="job"))
    start = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="job")
    instance.report_dagster_event(start, run.run_id)
    launcher = instance.run_launcher
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    monkeypatch.setattr("resources.liveness.GRACE_SECONDS", -1)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.FAILED
