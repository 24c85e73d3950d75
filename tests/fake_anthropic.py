"""Anthropic's Messages API on loopback: what it was sent, and answers that a test has queued."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeAnthropic:
    """A queue of (status, body, headers) and a list of what came in.

    Attributes:
        url: What a client takes as its base URL.
        received: (path, headers, body) of each request.
        models: Which it offers.
    """

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self._queue: deque[tuple[int, dict[str, Any], dict[str, str]]] = deque()
        self.url = ""
        self.models: tuple[str, ...] = ()

    def enqueue(
        self, body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer the next request like that."""
        self._queue.append((status, body, headers or {}))

    def take(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return the next answer."""
        return self._queue.popleft()


def message(*blocks: dict[str, Any], stop_reason: str = "end_turn") -> dict[str, Any]:
    """Return a message as the API gives it."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": list(blocks),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "output_tokens": 8,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 30,
        },
    }


@contextmanager
def serving() -> Iterator[FakeAnthropic]:
    """Run the server on a thread."""
    fake = FakeAnthropic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            fake.received.append((self.path, sent, json.loads(raw)))
            status, body, headers = fake.take()
            said = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            said = json.dumps({"data": [{"id": name} for name in fake.models]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
