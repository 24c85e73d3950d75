"""Anthropic's Messages API, through its SDK, as OpenAI's chat completions.

What maps to what: system messages to `system`; `tools` and `tool_choice` to Anthropic's; calls and
their results to `tool_use` and `tool_result` blocks; thinking to `reasoning_content`, with its
blocks kept in `thinking_blocks`, since Anthropic wants them back unchanged; stop reasons to finish
reasons. `max_tokens` is required there, so a request without one is given `DEFAULT_MAX_TOKENS`.
"""

import asyncio
from typing import Any

import anthropic
import httpx2
import msgspec

from resonare_pipeline.completions.answers import Judged, judge
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.limits import read_headers
from resonare_pipeline.completions.models import LOOK_SECONDS, read_models
from resonare_pipeline.completions.providers.anthropic_bodies import (
    completion_from,
    longest_answer,
    messages_body,
)
from resonare_pipeline.completions.providers.provider import Reply, error_reply, network_reply
from resonare_pipeline.completions.requests import CompletionRequest, Failure
from resonare_pipeline.completions.settings import CompletionsSettings

PATH = "/v1/messages"
MODELS_PATH = "/v1/models?limit=1000"


class AnthropicClient:
    """Sends messages; retries nothing by itself."""

    def __init__(self, endpoint: Endpoint, settings: CompletionsSettings) -> None:
        self._shown = endpoint.shown
        self._timeout_seconds = settings.timeout_seconds
        timeout = httpx2.Timeout(
            settings.timeout_seconds, connect=settings.connect_timeout_seconds, pool=None
        )
        limits = httpx2.Limits(
            max_connections=settings.concurrency,
            max_keepalive_connections=settings.concurrency,
        )
        self._client = anthropic.AsyncAnthropic(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            max_retries=0,
            timeout=timeout,
            http_client=anthropic.DefaultAioHttpClient(timeout=timeout, limits=limits),
        )

    async def send(self, request: CompletionRequest) -> Reply:
        """Send a request once; one that cannot be said in Anthropic's form is not sent."""
        try:
            body = messages_body(request)
        except (KeyError, TypeError, ValueError, AttributeError, msgspec.DecodeError) as error:
            detail = f"it has no form in Anthropic's API: {type(error).__name__}"
            return Reply(judged=Judged(failure=Failure.INVALID, detail=detail), is_permanent=True)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.post(PATH, body=body, cast_to=httpx2.Response)
        except anthropic.APIStatusError as error:
            headers = read_headers(error.response.headers.raw)
            return error_reply(error.status_code, error.body, headers)
        except (
            anthropic.APIConnectionError,
            TimeoutError,
            httpx2.TransportError,
            OSError,
        ) as error:
            return network_reply(error, self._shown, self._timeout_seconds)
        judged = _judge(response.content, request.model)
        announced = read_headers(response.headers.raw)
        return Reply(
            judged=judged,
            status=response.status_code,
            announced=announced,
            is_unknown=judged.completion is None,
        )

    def output_limit(self, request: CompletionRequest) -> int | None:
        """Return `max_tokens` as it is sent, the budget for thinking included."""
        return longest_answer(request.parameters)

    async def models(self) -> list[str]:
        """Return the names of the models that are offered; none where they are not told."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                response = await self._client.get(MODELS_PATH, cast_to=httpx2.Response)
        except (anthropic.APIError, TimeoutError, httpx2.TransportError, OSError):
            return []
        return read_models(response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _judge(body: bytes, requested_model: str) -> Judged:
    try:
        found: Any = msgspec.json.decode(body)
        completion = completion_from(found, requested_model=requested_model)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Judged(failure=Failure.SERVER, detail="the endpoint answered with broken JSON")
    except (KeyError, TypeError, AttributeError):
        return Judged(failure=Failure.SERVER, detail="the endpoint's answer is no message")
    return judge(completion)
