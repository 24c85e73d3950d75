"""Strangers' servers on loopback: pages, an oEmbed endpoint, and every way to misbehave.

What a path answers is set by the test: a `Page`, a list of them for one request after the other
(the last one stays), or a function that writes to the socket as it likes. Requests are recorded.
"""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.1/32",)


@dataclass(frozen=True, kw_only=True)
class Page:
    body: bytes = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Action = Callable[["Handler"], None]
Route = Page | list[Page] | Action


def page(title: str = "", description: str = "", *, head: str = "") -> Page:
    named = f'<meta name="description" content="{description}">' if description else ""
    return Page(
        body=f"<!doctype html><html><head><title>{title}</title>{named}{head}</head>"
        f"<body><p>Body.</p></body></html>".encode()
    )


def redirect(place: str, status: int = 302) -> Page:
    return Page(status=status, headers={"Location": place})


def post(text: str, name: str = "Ada", handle: str = "ada") -> Page:
    html = (
        f'<blockquote class="twitter-tweet"><p lang="en" dir="ltr">{text}</p>&mdash; {name} '
        f'(@{handle}) <a href="https://twitter.com/{handle}/status/1">May 1</a></blockquote>\n'
    )
    answer = {"html": html, "author_name": name, "author_url": f"https://twitter.com/{handle}"}
    return Page(body=json.dumps(answer).encode(), kind="application/json; charset=utf-8")


def bomb(size: int) -> Page:
    """Zeros that take a thousandth of their size on the wire."""
    body = gzip.compress(b"<title>Bomb</title>" + bytes(size))
    return Page(body=body, headers={"Content-Encoding": "gzip"})


class Web:
    """A server.

    Attributes:
        routes: Path → what it answers; 404 for all others.
        calls: Path and query of each request, in the order in which they came.
        headers: Those of each request, in lower case.
        most_at_a_time: Most requests that were under way together.
        sent_bytes: By functions that count them.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Route] = {}
        self.calls: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.under_way = 0
        self.most_at_a_time = 0
        self.sent_bytes = 0
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._scheme = "https" if tls else "http"
        self._server = _Server((HOST, 0), type("Bound", (Handler,), {"web": self}))
        self._server.web = self
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def paths(self) -> list[str]:
        return [urlsplit(call).path for call in self.calls]

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    web: Web

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        self.web.connections += 1
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that broke off, or that trusts no certificate, is no fault."""


class Handler(BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its signature
        pass

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        with self.web.lock:
            self.web.calls.append(self.path)
            self.web.headers.append({name.lower(): value for name, value in self.headers.items()})
            route = self.web.routes.get(path, Page(status=404))
            if isinstance(route, list):
                route = route.pop(0) if len(route) > 1 else route[0]
            self.web.under_way += 1
            self.web.most_at_a_time = max(self.web.most_at_a_time, self.web.under_way)
        try:
            if isinstance(route, Page):
                self.send(route)
            else:
                with contextlib.suppress(OSError):
                    route(self)
        finally:
            with self.web.lock:
                self.web.under_way -= 1

    def send(self, answer: Page) -> None:
        self.send_response(answer.status)
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def begin(self, kind: str = "text/html", **headers: str) -> None:
        """Send the head of an answer whose length is not told."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.flush()

    def push(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.web.sent_bytes += len(data)


def silence(handler: Handler) -> None:
    """Answer nothing until the client goes."""
    handler.close_connection = True
    handler.web.over.wait(10)


def drip(handler: Handler) -> None:
    """Send a byte now and then, for ever."""
    handler.begin()
    while not handler.web.over.wait(0.05):
        handler.push(b" ")


def flood(handler: Handler) -> None:
    """Send a page that has a title and never ends."""
    handler.begin()
    handler.push(b"<title>Flood</title><p>")
    while not handler.web.over.is_set():
        handler.push(b"water " * 10_000)


def hollow(handler: Handler) -> None:
    """Send compressed bytes for ever that stand for nothing."""
    handler.begin(Content_Encoding="gzip")
    handler.push(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    while not handler.web.over.is_set():
        handler.push(b"\x00\x00\x00\xff\xff" * 10_000)  # empty stored blocks


def reset(handler: Handler) -> None:
    """Break the connection off without an answer."""
    handler.close_connection = True
    # A close with this option sends RST.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def half(handler: Handler) -> None:
    """Promise a page, and send half of it."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.push(b"<title>Half</title>")


def pause(seconds: float, answer: Page) -> Action:
    """Answer late."""

    def late(handler: Handler) -> None:
        time.sleep(seconds)
        handler.send(answer)

    return late


@contextmanager
def serving_web(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web(tls)
    try:
        yield web
    finally:
        web.stop()
