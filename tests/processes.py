"""Servers and commands that tests start, and waiting for what they do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

Found = TypeVar("Found")

PATIENCE_SECONDS = 240  # until a test gives up; nothing is asserted about time

FOREIGN = {"DAGSTER_HOME", "BASE_URL", "API_KEY", "MODEL", "DEFAULT_LLM_PROVIDER", "LLM_PROVIDER"}
FOREIGN_PREFIXES = ("RESONARE_", "AWS_", "COV_", "OPENAI_", "ANTHROPIC_")


def clean_environment(**changes: str) -> dict[str, str]:
    """Return this environment without what would lead a command to another project."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in FOREIGN and not name.startswith(FOREIGN_PREFIXES)
    }
    return {**kept, "DAGSTER_DISABLE_TELEMETRY": "yes", "DO_NOT_TRACK": "1", **changes}


def script(name: str) -> str:
    """Return the path of a command of this Python environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def running(
    command: list[str], folder: Path, environ: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background; it and all it started end with the block."""
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        family = family_of(process.pid)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for member in family:
            if member.is_running():
                member.kill()


def family_of(pid: int) -> list[psutil.Process]:
    """Return all processes below one."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for(what: str, look: Callable[[], Found | None], *, log: Path | None = None) -> Found:
    """Look until something is found; fail with the end of a log if that takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-4_000:] if log and log.exists() else ""
    raise AssertionError(f"waited in vain for {what}\n{said}")
