"""Whether a run's process still lives: what Dagster's own local launcher cannot tell.

Each run carries a tag that names its process by number, start and machine. The daemon's run
monitoring asks the launcher named in `dagster.yaml`; a run whose process is gone, by kill -9 or a
power cut too, is ended as failed. A process on another machine or in another container is never
judged; a run that has no tag yet after some minutes is, wherever it is. This holds for runs whose
steps share one process, as all of this project's do.
"""

import contextlib
import os
import socket
import time
from pathlib import Path

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

PROCESS_TAG = ".dagster/resonare_process"  # with this prefix the web UI does not show it
GRACE_SECONDS = 180  # between a run's start and its first step, resources and imports included
_START_FIELD = 19  # of /proc/<number>/stat behind the name: ticks since the system's start, proc(5)


def process_name() -> str:
    """Return a name of this process that no other has had: number, start, machine."""
    return f"{os.getpid()}:{_started(os.getpid())}:{_machine()}"


def is_gone(name: str) -> bool:
    """Tell whether a process has certainly ended.

    Never of one on another host, or in another container of this machine, whose processes cannot be
    seen from here.
    """
    number, _, rest = name.partition(":")
    started, _, machine = rest.partition(":")
    host, boot, space = (machine + "//").split("/")[:3]
    here, boot_here, space_here = _machine().split("/")
    if host != here or not number.isdigit():
        return False
    if boot != boot_here:
        return True  # this machine has been started anew since
    if space != space_here:
        return False
    try:
        status = psutil.Process(int(number)).status()
        return _started(int(number)) != started or status == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _started(number: int) -> str:
    """Return when a process started, if possible by a clock that nobody can set."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return fields[_START_FIELD]
    except OSError:
        return f"{psutil.Process(number).create_time():.0f}"


def _machine() -> str:
    """Return host, start of the system, and space of process numbers, as far as it tells them."""
    boot = space = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}/{boot}/{space}"


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
