"""`resonare ui`: Dagster's web UI and daemon on the project's own home, as one command.

The server is a child process in a process group of its own: a Ctrl-C reaches this process alone,
which asks the child to stop and waits, and ends what is left of the group. What the servers print
goes into a file of the home.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from rich.console import Console

from resonare_pipeline.cli.home import ensure_dagster_home
from resonare_pipeline.errors import StageError

START_SECONDS = 180  # imports of web server, daemon and code location on a slow machine
STOP_SECONDS = 60  # runs in progress are told to stop, and finish writing
POLL_SECONDS = 0.2
DEFAULT_PORT = 3000
LOG_NAME = "ui.log"
SHOWN_LINES = 20  # of the log, when the servers do not come up


def serve(*, host: str, port: int | None, places: dict[str, str]) -> int:
    """Run web UI and daemon until a signal, and return the exit code.

    Args:
        host: Address to listen on.
        port: Port; None: 3000, or another one if that is taken.
        places: Environment variables for places that were named on the command line.

    Raises:
        StageError: If the port is taken, or the server does not come up.
    """
    console = Console()
    home = ensure_dagster_home(Path("data"))
    chosen = _free_port(host, port)
    command = [sys.executable, "-m", "dagster", "dev", "-m", "resonare_pipeline.definitions"]
    command += ["--host", host, "--port", str(chosen), "--log-level", "warning"]
    quiet = {"DAGSTER_TELEMETRY_DISABLED": "1", "PYTHONWARNINGS": "ignore"}
    url, log = f"http://{host}:{chosen}", home / LOG_NAME
    stop = _Stop()
    with log.open("wb") as sink:
        child = subprocess.Popen(  # noqa: S603  # this interpreter, with arguments made above
            command,
            env={**os.environ, **places, **quiet},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        console.print(f"Starting; home {home}, log {log}", highlight=False, soft_wrap=True)
        if not _comes_up(child, url, stop):
            raise _not_up(url, log)
        if not stop.asked:
            console.print(f"Web UI and daemon: [bold]{url}[/]  Ctrl-C stops them", soft_wrap=True)
        while child.poll() is None and not stop.asked:
            time.sleep(POLL_SECONDS)
    finally:
        _end(child)
    if stop.asked:
        console.print("Stopped")
        return 0
    raise StageError(
        f"the server ended by itself, exit code {child.returncode}", where=url, remedy=f"See {log}"
    )


class _Stop:
    """Notes SIGINT and SIGTERM in place of dying from them."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self.asked = True


def _free_port(host: str, port: int | None) -> int:
    for candidate in (port,) if port else (DEFAULT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StageError(
        "the port is taken or the address is not this machine's",
        where=f"{host}:{port or DEFAULT_PORT}",
        remedy="Choose another with --port",
    )


def _comes_up(child: subprocess.Popen[bytes], url: str, stop: _Stop) -> bool:
    until = time.monotonic() + START_SECONDS
    while not stop.asked:
        if child.poll() is not None or time.monotonic() > until:
            return False
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=5):  # noqa: S310  # http, ours
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
    return True


def _not_up(url: str, log: Path) -> StageError:
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]
    said = "\n".join(tail)
    return StageError(f"the web UI did not come up:\n{said}\n", where=url, remedy=f"See {log}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to stop, wait, and end what is left of its group."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
