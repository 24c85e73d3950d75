import os
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from resonare_pipeline.errors import StageError
from resonare_pipeline.workers import Lane, map_in_order


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
    print(lane.result(lane.call(os.getpid)), flush=True)
    time.sleep(60)
"""


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_worker_ends_with_the_process_that_started_it(kind: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        program.send_signal(kind)
        program.wait(timeout=20)
    deadline = time.monotonic() + 20
    while not ended(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ended(worker)
