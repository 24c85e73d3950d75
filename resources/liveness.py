"""Whether a run's process still lives: what Dagster's own local launcher cannot tell.

Each run carries a tag that names its process by host, number and start. The daemon's run monitoring
asks the launcher named in `dagster.yaml`; a run whose process is gone, by kill -9 or a power cut
too, is ended as failed. Runs of other machines on a shared instance are never judged. This holds
for runs whose steps share one process, as all of this project's do.
"""

import os
import socket
import time

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

PROCESS_TAG = ".dagster/resonare_process"  # with this prefix the web UI does not show it
GRACE_SECONDS = 180  # between a run's start and its first step, resources and imports included
CLOCK_SECONDS = 5  # by which the start of one process may seem to move when clocks are set


def process_name() -> str:
    """Return a name of this process that no other has had: host, number, start."""
    started = psutil.Process().create_time()
    return f"{os.getpid()}:{started:.0f}:{socket.gethostname()}"


def is_gone(name: str) -> bool:
    """Tell whether a process has certainly ended; never of one on another host."""
    number, started, host = name.split(":", 2)
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(number))
        same = abs(process.create_time() - float(started)) <= CLOCK_SECONDS
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class WatchfulRunLauncher(dg.DefaultRunLauncher):
    """Dagster's local launcher, which also knows when a run's process has died."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether a started run's process lives."""
        name = run.tags.get(PROCESS_TAG)
        if name is None:
            record = self._instance.get_run_record_by_id(run.run_id)
            started = record.start_time if record else None
            if started is not None and time.time() - started > GRACE_SECONDS:
                return CheckRunHealthResult(
                    WorkerStatus.FAILED, f"it did not come to its first step in {GRACE_SECONDS} s"
                )
        elif is_gone(name):
            return CheckRunHealthResult(
                WorkerStatus.FAILED, "its process has ended without a word, as after kill -9"
            )
        return CheckRunHealthResult(WorkerStatus.RUNNING)
