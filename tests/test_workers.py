import os
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from resonare_pipeline.counting import worker_count
from resonare_pipeline.errors import StageError
from resonare_pipeline.workers import Lane, map_in_order, unasked_workers


@pytest.mark.parametrize("cpus", [1, 2, 8, 256])
def test_workers_that_nobody_asked_for_are_one_however_many_cpus_there_are(
    cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cpus)
    monkeypatch.setattr(os, "process_cpu_count", lambda: cpus, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)), raising=False)

    assert unasked_workers() == 1
    assert worker_count(None, 10_000_000) == 1
    assert worker_count(7, 10_000_000) == 7


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_map_in_order_any_number_of_workers_gives_results_in_order(workers: int) -> None:
    jobs = ((number, chr(97 + number)) for number in range(20))
    found = list(map_in_order(unicodedata.name, jobs, workers=workers))
    assert found == [(k, unicodedata.name(chr(97 + k))) for k in range(20)]


@pytest.mark.parametrize("workers", [0, 1])
def test_call_that_raises_raises_where_its_result_is_taken(workers: int) -> None:
    lane = Lane(workers)
    future = lane.call(unicodedata.lookup, "no such character")
    with pytest.raises(KeyError):
        lane.result(future)


def test_worker_that_dies_ends_in_an_error_and_the_next_call_finds_another() -> None:
    lane = Lane(1)
    future = lane.call(os._exit, 3)
    with pytest.raises(StageError, match="worker process died"):
        lane.result(future)
    assert lane.result(Lane(1).call(ord, "a")) == 97


PROGRAM = """
import os, sys, time
from resonare_pipeline.workers import Lane
if __name__ == "__main__":
    lane = Lane(1)
    future = lane.call(os.getpid)
    if sys.argv[1:]:
        print("begun", flush=True)
    else:
        print(lane.result(future), flush=True)
    time.sleep(60)
"""


def started(tmp_path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_worker_ends_with_the_process_that_started_it(kind: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        program.send_signal(kind)
        program.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while not ended(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ended(worker)


@pytest.mark.skipif(os.name != "posix", reason="interrupts a group of processes")
def test_worker_interrupted_while_it_starts_says_nothing(tmp_path: Path) -> None:
    with started(tmp_path, "early") as program:
        assert program.stdout is not None
        program.stdout.readline()
        os.killpg(program.pid, signal.SIGINT)
        _, printed = program.communicate(timeout=60)
    assert printed.count(b"KeyboardInterrupt") == 1  # the program's own
