"""Any OpenAI-compatible endpoint, through OpenAI's SDK with its aiohttp transport.

Bodies are sent as they are and answers read as they come: the SDK's own models, which cost half of
a request's time and know OpenAI's fields alone, are passed by.
"""

import asyncio

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient

from resonare_pipeline.completions.answers import judge_body
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.estimating import output_limit
from resonare_pipeline.completions.limits import read_headers
from resonare_pipeline.completions.models import LOOK_SECONDS, read_models
from resonare_pipeline.completions.providers.provider import Reply, error_reply, network_reply
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings

PATH = "/chat/completions"
MODELS_PATH = "/models"


class OpenAIClient:
    """Sends chat completions; retries nothing by itself."""

    def __init__(self, endpoint: Endpoint, settings: CompletionsSettings) -> None:
        self._shown = endpoint.shown
        self._timeout_seconds = settings.timeout_seconds
        timeout = httpx2.Timeout(
            settings.timeout_seconds,
            connect=settings.connect_timeout_seconds,
            pool=None,  # the gate holds back, and a request that waits for it has not begun
        )
        limits = httpx2.Limits(
            max_connections=settings.concurrency,
            max_keepalive_connections=settings.concurrency,
        )
        self._client = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAioHttpClient(timeout=timeout, limits=limits),
        )

    async def send(self, request: CompletionRequest) -> Reply:
        """Send a request once."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.post(
                    PATH, body=request.body(), cast_to=httpx2.Response
                )
        except APIStatusError as error:
            headers = read_headers(error.response.headers.raw)
            return error_reply(error.status_code, error.body, headers)
        except (APIConnectionError, TimeoutError, httpx2.TransportError, OSError) as error:
            return network_reply(error, self._shown, self._timeout_seconds)
        judged = judge_body(response.content, requested_model=request.model)
        announced = read_headers(response.headers.raw)
        return Reply(
            judged=judged,
            status=response.status_code,
            announced=announced,
            is_unknown=judged.completion is None,
        )

    def output_limit(self, request: CompletionRequest) -> int | None:
        """Return what the request says; without it, the endpoint decides."""
        return output_limit(request)

    async def models(self) -> list[str]:
        """Return the names of the models that are offered; none where they are not told."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                response = await self._client.get(MODELS_PATH, cast_to=httpx2.Response)
        except (APIStatusError, APIConnectionError, TimeoutError, httpx2.TransportError, OSError):
            return []
        return read_models(response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()
