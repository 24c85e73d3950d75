"""Run a command and print its wall time, CPU time and peak memory, all its processes together.

`python tests/benchmarks/measure.py -- COMMAND…`. Resident set sizes are added up every 50 ms, so
pages that processes share count more than once: the figure is an upper bound. Linux only.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

INTERVAL_SECONDS = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(root: int) -> int:
    """Return the resident set sizes of a process and all below it, added up."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            parents[int(folder.name)] = int(fields[1])
            sizes[int(folder.name)] = int(fields[21]) * PAGE_BYTES
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(sizes.get(member, 0) for member in family)


def measure(
    command: list[str], *, cwd: Path | None = None, stdout: IO[bytes] | None = None
) -> dict[str, float]:
    """Run a command to its end, and return its exit code, seconds and memory."""
    before, started = os.times(), time.perf_counter()
    peak = 0
    with subprocess.Popen(command, cwd=cwd, stdout=stdout) as process:  # the caller's own command
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            time.sleep(INTERVAL_SECONDS)
    wall = time.perf_counter() - started
    after = os.times()
    cpu = after.children_user + after.children_system
    return {
        "exit_code": process.returncode,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu - before.children_user - before.children_system, 2),
        "peak_rss_mb": round(peak / 1e6),
    }


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.stderr.write(json.dumps(measure(arguments[arguments[:1] == ["--"] :])) + "\n")
