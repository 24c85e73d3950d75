"""The HTTP side: chat completions, models, and what tests ask of the server itself.

`POST /v1/chat/completions`, `GET /v1/models`; `GET /_journal` and `GET /_bodies` (JSON lines),
`GET /_state`, `PUT /_script`. One asyncio loop, some thousands of requests a second.
"""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from tests.fake_openai.answers import answer, error, output_tokens, prompt_tokens
from tests.fake_openai.journal import Entry, Journal
from tests.fake_openai.script import Fault, Play, Rule, Script
from tests.fake_openai.window import Window

HOST = "127.0.0.1"
JSON = "application/json"
CHAT = "/v1/chat/completions"
DEFAULT_OUTPUT = 16  # tokens counted beforehand where a request sets no maximum

STATUS = {
    Fault.RATE: (429, "rate_limit_exceeded"),
    Fault.RATE_SILENT: (429, "rate_limit_exceeded"),
    Fault.QUOTA: (429, "insufficient_quota"),
    Fault.UNPAID: (402, None),
    Fault.SERVER: (500, None),
    Fault.GATEWAY: (504, None),
    Fault.OVERLOADED: (503, None),
    Fault.INVALID: (400, "invalid_value"),
    Fault.FORBIDDEN: (403, None),
    Fault.CONTEXT: (400, "context_length_exceeded"),
}
"""Faults that are an HTTP status, with the code in the body."""


class FakeOpenAI:
    """The server's state and its handlers."""

    def __init__(self, script: Script, journal: Journal) -> None:
        self.journal = journal
        self.started = time.monotonic()
        self.running = 0
        self.most_running = 0
        self.answered = 0
        self.bodies: list[bytes] = []
        self.use(script)

    def use(self, script: Script) -> None:
        """Behave by another script from now on."""
        self.script = script
        self.play = Play(script)
        self.window = Window(script.limits)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        match request.method, request.path:
            case "POST", path if path == CHAT:
                self.running += 1
                self.most_running = max(self.most_running, self.running)
                try:
                    return await self._chat(request, await request.read())
                finally:
                    self.running -= 1
            case "GET", "/v1/models":
                models = [{"id": name, "object": "model"} for name in self.script.models]
                return _json(200, {"object": "list", "data": models})
            case "GET", "/_journal":
                return web.Response(body=self.journal.lines())
            case "GET", "/_bodies":
                return web.Response(body=b"\n".join(self.bodies))
            case "GET", "/_state":
                return _json(200, self.state())
            case "PUT", "/_script":
                self.use(msgspec.json.decode(await request.read(), type=Script))
                return _json(200, {})
        return _json(404, {"detail": "Not Found"})

    def state(self) -> dict[str, int]:
        """Return what the windows and connections have held at most."""
        return {
            "fullest_window": self.window.fullest,
            "refused_by_window": self.window.refused,
            "most_running": self.most_running,
            "answered": self.answered,
        }

    async def _chat(self, request: web.BaseRequest, raw: bytes) -> web.StreamResponse:
        if self.script.keeps_bodies:
            self.bodies.append(raw)
        try:
            body = msgspec.json.decode(raw)
            refused = self._refused(request, body)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            refused = 400, error("We could not parse the body", kind="invalid_request_error")
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

    def _refused(self, request: web.BaseRequest, body: Any) -> tuple[int, bytes] | None:
        """Return the refusal of a request that no waiting will make right."""
        script = self.script
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if script.keys and key not in script.keys:
            said = "Incorrect API key provided"
            return 401, error(said, kind="invalid_request_error", code="invalid_api_key")
        if script.models and body["model"] not in script.models:
            said = f"The model `{body['model']}` does not exist"
            return 404, error(said, kind="invalid_request_error", code="model_not_found")
        count = prompt_tokens(body)
        if script.context_tokens and count > script.context_tokens:
            said = f"This model's maximum context length is {script.context_tokens} tokens"
            code = "context_length_exceeded"
            return 400, error(said, kind="invalid_request_error", code=code, param="messages")
        return None

    def _failed(self, raw: bytes, rule: Rule, headers: dict[str, str]) -> web.Response:
        status, code = STATUS[rule.fault]
        if rule.fault is Fault.RATE:
            headers = headers | {"Retry-After": f"{rule.retry_after_seconds:g}"}
        said = error(f"Scripted: {rule.fault}", kind="scripted", code=code)
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
            return await _broken(request, said)
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


async def _broken(request: web.BaseRequest, said: bytes) -> web.StreamResponse:
    """Send half of an answer and close the connection."""
    response = web.StreamResponse(headers={"Content-Length": str(len(said)), "Content-Type": JSON})
    await response.prepare(request)
    await response.write(said[: len(said) // 2])
    if request.transport:
        request.transport.close()
    return response


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type=JSON)


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
    runner = web.ServerRunner(web.Server(server.handle), handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port, ssl_context=tls, backlog=1024).start()
    told(f"{'https' if tls else 'http'}://{HOST}:{runner.addresses[0][1]}/v1")
    await ended.wait()
    await runner.cleanup()
