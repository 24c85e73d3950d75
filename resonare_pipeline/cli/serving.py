"""`resonare ui`: Dagster's web UI and daemon on the project's own home, as one command.

The servers are a child process in a process group of its own: a Ctrl-C reaches this process alone,
which asks the child to stop and waits, and ends what is left of the group. If this process dies
without a word, the system asks the child instead. What the servers print goes into a file of the
home. Linux and macOS.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from resonare_pipeline.cli.home import ensure_dagster_home
from resonare_pipeline.errors import StageError

START_SECONDS = 180  # imports of web server, daemon and code location on a slow machine
STOP_SECONDS = 60  # the servers'; a run in progress is cut off, and taken up at the next start
POLL_SECONDS = 0.2
DEFAULT_PORT = 3000
LOG_NAME = "ui.log"
LOCK_NAME = "ui.lock"
SHOWN_LINES = 20  # of the log, when the servers do not come up
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl(2)

_loopback = urllib.request.build_opener(
    urllib.request.ProxyHandler({})
)  # a proxy knows no loopback


def serve(*, host: str, port: int | None, places: dict[str, str]) -> int:
    """Run web UI and daemon until a signal, and return the exit code.

    Args:
        host: Address to listen on.
        port: Port; None: 3000, or another one if that is taken.
        places: Environment variables for places that were named on the command line.

    Raises:
        StageError: If the port is taken, another UI runs on the home, or the servers fail.
    """
    console = Console()
    home = ensure_dagster_home(Path("data"))
    chosen = _free_port(host, port)
    shown = f"[{host}]" if ":" in host else host
    url, log = f"http://{shown}:{chosen}", home / LOG_NAME
    stop = _Stop()
    with _only_one(home, url):
        child = _start(host, chosen, places, log)
        try:
            console.print(f"Starting; home {home}, log {log}", highlight=False, soft_wrap=True)
            if not _comes_up(child, url, stop):
                raise _not_up(url, log)
            if not stop.asked:
                said = f"Web UI and daemon: [bold]{url}[/]  Ctrl-C stops them"
                console.print(said, soft_wrap=True)
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


@contextlib.contextmanager
def _only_one(home: Path, url: str) -> Iterator[None]:
    """Hold the home's lock: two daemons on one home would both look after the same runs."""
    with (home / LOCK_NAME).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StageError(
                f"a web UI runs on this home already: {lock.read()}",
                where=str(home),
                remedy="Use that one, or stop it first",
            ) from None
        lock.truncate(0)
        lock.write(url)
        lock.flush()
        yield


def _start(host: str, port: int, places: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dagster", "dev", "-m", "resonare_pipeline.definitions"]
    command += ["--host", host, "--port", str(port), "--log-level", "warning"]
    quiet = {"DAGSTER_DISABLE_TELEMETRY": "yes", "PYTHONWARNINGS": "ignore"}
    with contextlib.suppress(FileNotFoundError):
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as sink:
        return subprocess.Popen(  # noqa: S603  # this interpreter, with arguments made above
            command,
            env={**os.environ, **places, **quiet},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_stop_with_parent,  # this process has one thread
        )


def _stop_with_parent() -> None:
    """Let the system send SIGINT when the parent is gone; where it cannot, nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGINT)


class _Stop:
    """Notes the signals that ask to stop, a closed terminal's too, in place of dying from them."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self.asked = True


def _free_port(host: str, port: int | None) -> int:
    for candidate in (port,) if port else (DEFAULT_PORT, 0):
        try:
            family, *_, address = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0]
        except socket.gaierror:
            raise StageError(
                "no such address", where=host, expected="one of this machine"
            ) from None
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(address)
                return int(probe.getsockname()[1])
    raise StageError(
        "the port is taken, or the address is not this machine's",
        where=f"{host}:{port or DEFAULT_PORT}",
        remedy="Choose another with --port or --host",
    )


def _comes_up(child: subprocess.Popen[bytes], url: str, stop: _Stop) -> bool:
    until = time.monotonic() + START_SECONDS
    while not stop.asked:
        if child.poll() is not None or time.monotonic() > until:
            return False
        try:
            with _loopback.open(f"{url}/server_info", timeout=5):
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
