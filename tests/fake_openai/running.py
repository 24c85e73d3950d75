"""Starting the fake server beside a test: on a thread, or as a process of its own."""

import asyncio
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.fake_openai.journal import Entry, Journal
from tests.fake_openai.script import Script
from tests.fake_openai.server import FakeOpenAI, serve
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
        """Return what its windows, connections and queues have held at most, and counts."""
        return msgspec.json.decode(self._asked("/_state"), type=dict[str, int])

    def use(self, script: Script) -> None:
        """Make it behave by another script."""
        self._asked("/_script", msgspec.json.encode(script))

    def advance(self, seconds: float) -> None:
        """Move the server's clock on."""
        self._asked("/_clock", msgspec.json.encode({"advance_seconds": seconds}))

    def batches(self) -> list[dict[str, Any]]:
        """Return all batches as they are, whatever fate shows to clients; the newest first."""
        return msgspec.json.decode(self._asked("/_batches"), type=list[dict[str, Any]])

    def files(self) -> list[dict[str, Any]]:
        """Return all files that clients can see, the newest first."""
        return msgspec.json.decode(self._asked("/_files"), type=list[dict[str, Any]])

    def _asked(self, path: str, body: bytes | None = None) -> bytes:
        url = self.url.removesuffix("/v1") + path
        method = "PUT" if body is not None else "GET"
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310  # loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            found: bytes = response.read()
            return found


@contextmanager
def serving(
    script: Script | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Running]:
    """Run the server on a thread of this process, which takes milliseconds to start.

    Args:
        script: How it behaves; None: it answers everything well.
        tls: With a certificate: serve TLS.
    """
    loop = asyncio.new_event_loop()
    urls: list[str] = []
    ready, ended = threading.Event(), asyncio.Event()

    def told(url: str) -> None:
        urls.append(url)
        ready.set()

    server = FakeOpenAI(script or Script(), Journal())
    work = serve(server, 0, tls, told=told, ended=ended)
    thread = threading.Thread(target=loop.run_until_complete, args=(work,))
    thread.start()
    try:
        assert ready.wait(30), "the fake server did not start"
        yield Running(urls[0])
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@contextmanager
def serving_apart(script: Script | None = None, *more: str) -> Iterator[Running]:
    """Run the server in a process of its own, which does not share this one's time.

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
