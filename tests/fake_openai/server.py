"""The HTTP side: chat completions, models, and what tests ask of the server itself.

`POST /v1/chat/completions`, `GET /v1/models`, `/v1/files`, `/v1/batches`; `GET /_journal` and
`GET /_bodies` (JSON lines), `GET /_state`, `PUT /_script`, `PUT /_clock`, `GET /_batches`,
`GET /_files`. One asyncio loop, some thousands of requests a second.
"""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from tests.fake_openai.answers import (
    STATUS,
    answer,
    canonical,
    error,
    failure,
    output_tokens,
    prompt_tokens,
    refusal,
    unread,
)
from tests.fake_openai.batch_routes import BatchRoutes
from tests.fake_openai.clock import Clock
from tests.fake_openai.desk import Desk
from tests.fake_openai.fates import Fates
from tests.fake_openai.file_routes import FileRoutes
from tests.fake_openai.files import Files
from tests.fake_openai.journal import Entry, Journal
from tests.fake_openai.replies import JSON, broken, json_reply
from tests.fake_openai.script import Fault, Play, Rule, Script
from tests.fake_openai.window import Window
from tests.fake_openai.working import Floor

HOST = "127.0.0.1"
CHAT = "/v1/chat/completions"
DEFAULT_OUTPUT = 16  # tokens counted beforehand where a request sets no maximum
LARGEST_BODY_BYTES = 64 << 20  # of a request, images included; files are read piece by piece


class FakeOpenAI:
    """The server's state and its handlers."""

    def __init__(self, script: Script, journal: Journal) -> None:
        self.journal = journal
        self.started = time.monotonic()
        self.running = 0
        self.most_running = 0
        self.answered = 0
        self.clock = Clock()
        self.files = Files(self.clock, script.seed)
        self.floor = Floor(script, journal, self.files, self.started)
        self.desk = Desk(self.clock, self.files, self.floor)
        fates = Fates(script.batches.fates)
        self.file_routes = FileRoutes(self.files, fates, self._tell)
        self.batch_routes = BatchRoutes(self.desk, self.files, fates, self._tell)
        self.bodies: list[bytes] = []
        self.use(script)

    def use(self, script: Script) -> None:
        """Behave by another script from now on; files and batches stay as they are."""
        self.script = script
        self.play = Play(script.rules, script.seed)
        self.window = Window(script.limits)
        self.clock.rescale(script.batches.clock_scale)
        self.floor.use(script, self.play)
        self.file_routes.fates = self.batch_routes.fates = Fates(script.batches.fates)

    def close(self) -> None:
        """Let go of all files."""
        self.desk.close()
        self.files.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        if request.path.startswith("/_"):
            return await self._managed(request)
        if request.path == CHAT and request.method == "POST":
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                return await self._chat(request, await request.read())
            finally:
                self.running -= 1
        if request.path == "/v1/models":
            models = [{"id": name, "object": "model"} for name in self.script.models]
            return json_reply(200, {"object": "list", "data": models})
        for start, routes in (("/v1/files", self.file_routes), ("/v1/batches", self.batch_routes)):
            if request.path == start or request.path.startswith(f"{start}/"):
                locked_out = self._locked_out(request)
                return _refusal(*locked_out) if locked_out else await routes.handle(request)
        return json_reply(404, {"detail": "Not Found"})

    def state(self) -> dict[str, int]:
        """Return what the windows and connections have held at most, and counts of batches."""
        return {
            "fullest_window": self.window.fullest,
            "refused_by_window": self.window.refused,
            "most_running": self.most_running,
            "answered": self.answered,
            "files": len(self.files.listed()),
            "uploads": self.file_routes.uploads,
            **self.desk.state(),
        }

    async def _managed(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer what tests ask of the server itself."""
        match request.method, request.path:
            case "GET", "/_journal":
                return web.Response(body=self.journal.lines())
            case "GET", "/_bodies":
                return web.Response(body=b"\n".join(self.bodies))
            case "GET", "/_state":
                await self.desk.settle()
                return json_reply(200, self.state())
            case "GET", "/_batches":
                await self.desk.settle()
                return json_reply(200, [batch.described() for batch in self.desk.all()])
            case "GET", "/_files":
                await self.desk.settle()
                return json_reply(200, [file.described() for file in self.files.listed()])
            case "PUT", "/_script":
                await self.desk.settle()
                self.use(msgspec.json.decode(await request.read(), type=Script))
                return json_reply(200, {})
            case "PUT", "/_clock":
                moved = msgspec.json.decode(await request.read(), type=dict[str, float])
                self.clock.advance(moved["advance_seconds"])
                return json_reply(200, {"now": self.clock.now()})
        return json_reply(404, {"detail": "Not Found"})

    async def _chat(self, request: web.BaseRequest, raw: bytes) -> web.StreamResponse:
        if self.script.keeps_bodies:
            self.bodies.append(raw)
        try:
            body = msgspec.json.decode(raw)
            refused = self._locked_out(request) or refusal(body, self.script)
            raw = canonical(body)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            refused = unread()
        if refused:
            return self._written(raw, refused[0], "refused", refused[1], {})
        if self.script.limits.running is not None and self.running > self.script.limits.running:
            said = error("Too many requests at a time", kind="requests")
            return self._written(raw, 429, "too_many", said, {})
        now = time.monotonic()
        wanted = body.get("max_completion_tokens") or body.get("max_tokens") or DEFAULT_OUTPUT
        wait = self.window.take(now, prompt_tokens(body) + wanted)
        headers = self.window.headers(now)
        if wait is not None:
            said = error("Rate limit reached", kind="requests", code="rate_limit_exceeded")
            return self._written(raw, 429, "window", said, headers | {"Retry-After": f"{wait:.3f}"})
        if self.script.latency_seconds:
            await asyncio.sleep(self.script.latency_seconds)
        rule = self.play.strike(raw)
        if rule and rule.fault in STATUS:
            return self._failed(raw, rule, headers)
        return await self._answered(request, raw, body, rule.fault if rule else None, headers)

    def _locked_out(self, request: web.BaseRequest) -> tuple[int, bytes] | None:
        """Return the refusal of a key that is not known."""
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self.script.keys or key in self.script.keys:
            return None
        said = "Incorrect API key provided"
        return 401, error(said, kind="invalid_request_error", code="invalid_api_key")

    def _failed(self, raw: bytes, rule: Rule, headers: dict[str, str]) -> web.Response:
        status, said = failure(rule.fault)
        if rule.fault is Fault.RATE:
            headers = headers | {"Retry-After": f"{rule.retry_after_seconds:g}"}
        return self._written(raw, status, rule.fault, said, headers)

    async def _answered(
        self,
        request: web.BaseRequest,
        raw: bytes,
        body: dict[str, Any],
        fault: Fault | None,
        headers: dict[str, str],
    ) -> web.StreamResponse:
        if fault is Fault.HANG:
            self._note(raw, 0, fault)
            await asyncio.sleep(3600)
        said = msgspec.json.encode(answer(raw, body, self.script, fault))
        if fault is Fault.DISCONNECT:
            self._note(raw, 0, fault)
            return await broken(request, said)
        if fault is Fault.MALFORMED:
            said = said[: len(said) // 2]
        tokens = prompt_tokens(body) + output_tokens(body, self.script)
        self.answered += 1
        return self._written(raw, 200, fault or "ok", said, headers, tokens)

    def _written(
        self,
        raw: bytes,
        status: int,
        outcome: str,
        said: bytes,
        headers: dict[str, str],
        tokens: int = 0,
    ) -> web.Response:
        self._note(raw, status, outcome, tokens)
        return web.Response(status=status, body=said, headers=headers, content_type=JSON)

    def _note(self, raw: bytes, status: int, outcome: str, tokens: int = 0) -> None:
        self.journal.add(
            Entry(
                at=time.monotonic() - self.started,
                body=hashlib.sha256(raw).hexdigest(),
                status=status,
                outcome=str(outcome),
                tokens=tokens,
                running=self.running,
            )
        )

    def _tell(self, kind: str, body: str, status: int, outcome: str, batch: str) -> None:
        self.journal.add(
            Entry(
                at=time.monotonic() - self.started,
                body=body,
                status=status,
                outcome=str(outcome),
                kind=kind,
                batch=batch,
            )
        )


def _refusal(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type=JSON)


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    most = LARGEST_BODY_BYTES
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)


async def serve(
    server: FakeOpenAI,
    port: int,
    tls: ssl.SSLContext | None,
    *,
    told: Callable[[str], None],
    ended: asyncio.Event,
) -> None:
    """Serve on loopback until an event is set.

    Args:
        server: What answers.
        port: 0: any that is free.
        tls: With a certificate: serve TLS.
        told: Is given the base URL once it can be reached.
        ended: Ends it.
    """
    runner = web.ServerRunner(
        web.Server(server.handle, request_factory=_request),
        handle_signals=False,
        shutdown_timeout=0.1,
    )
    try:
        await runner.setup()
        await web.TCPSite(runner, HOST, port, ssl_context=tls, backlog=1024).start()
        told(f"{'https' if tls else 'http'}://{HOST}:{runner.addresses[0][1]}/v1")
        await ended.wait()
    finally:
        await runner.cleanup()
        server.close()
