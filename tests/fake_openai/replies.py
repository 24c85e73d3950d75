"""Answers in OpenAI's shapes, and connections that break in the middle of one."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from tests.fake_openai.answers import error

JSON = "application/json"


def json_reply(status: int, value: object) -> web.Response:
    """Return a value as JSON."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type=JSON)


def refused(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> web.Response:
    """Return a refusal of the request."""
    body = error(message, kind="invalid_request_error", code=code, param=param)
    return web.Response(status=status, body=body, content_type=JSON)


def failed() -> web.Response:
    """Return a failure of the server."""
    body = error("The server had an error while processing your request", kind="server_error")
    return web.Response(status=500, body=body, content_type=JSON)


def page(
    request: web.BaseRequest, found: Sequence[dict[str, Any]], *, usual: int, most: int
) -> web.Response:
    """Return the page of a list that `after` and `limit` ask for.

    Args:
        request: What asks.
        found: The whole list.
        usual: What a page holds where no limit is asked for.
        most: The highest limit.
    """
    after, limit = request.query.get("after"), request.query.get("limit")
    size = int(limit) if limit and limit.isdigit() else usual
    if not 1 <= size <= most:
        return refused(400, f"Invalid 'limit': {size}", param="limit")
    names = [value["id"] for value in found]
    if after and after not in names:
        return refused(400, f"No such object: {after}", param="after")
    start = names.index(after) + 1 if after else 0
    shown = found[start : start + size]
    value = {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": start + size < len(found),
    }
    return json_reply(200, value)


async def broken(request: web.BaseRequest, said: bytes) -> web.StreamResponse:
    """Send half of an answer and close the connection."""
    response = web.StreamResponse(headers={"Content-Length": str(len(said)), "Content-Type": JSON})
    await response.prepare(request)
    await response.write(said[: len(said) // 2])
    if request.transport:
        request.transport.close()
    return response


def cut(request: web.BaseRequest) -> None:
    """Close the connection at once."""
    if request.transport:
        request.transport.abort()
