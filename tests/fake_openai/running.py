"""Starting the fake server beside a test, as a process of its own."""

import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.fake_openai.journal import Entry
from tests.fake_openai.script import Script
from tests.processes import clean_environment

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    Attributes:
        url: What a client takes as `BASE_URL`.
    """

    url: str

    def journal(self) -> list[Entry]:
        """Return what it has answered so far."""
        decoder = msgspec.json.Decoder(Entry)
        return [decoder.decode(line) for line in self._asked("/_journal").splitlines()]

    def state(self) -> dict[str, int]:
        """Return what its windows and connections have held at most."""
        return msgspec.json.decode(self._asked("/_state"), type=dict[str, int])

    def use(self, script: Script) -> None:
        """Make it behave by another script."""
        self._asked("/_script", msgspec.json.encode(script))

    def _asked(self, path: str, body: bytes | None = None) -> bytes:
        url = self.url.removesuffix("/v1") + path
        method = "PUT" if body is not None else "GET"
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310  # loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            found: bytes = response.read()
            return found


@contextmanager
def serving(script: Script | None = None, *more: str) -> Iterator[Running]:
    """Run the server in a process of its own.

    Args:
        script: How it behaves; None: it answers everything well.
        more: Further arguments of the command.
    """
    text = msgspec.json.encode(script or Script()).decode()
    command = [sys.executable, "-m", "tests.fake_openai", "--script", text, *more]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=log
        )
        try:
            assert process.stdout
            url = process.stdout.readline().decode().strip()
            if not url:
                log.seek(0)
                raise AssertionError(f"the fake server did not start\n{log.read().decode()}")
            yield Running(url)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
