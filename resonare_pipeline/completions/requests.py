"""What is asked of a model, and what came of it. Shapes alone: nothing is sent or kept here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.fingerprint import fingerprint

BATCH_LINES = 50_000
BATCH_BYTES = 200_000_000
"""OpenAI's own maxima for one input file of a batch."""

CHAT_URL = "/v1/chat/completions"
"""What a batch's lines name as the place of chat completions, whatever the endpoint's own path."""

RESERVED_PARAMETERS = ("model", "messages", "tools", "stream", "stream_options")
"""Fields of a body that are no parameters: other parts of a request say them, or nothing can."""


def require_parameters(parameters: Mapping[str, Any], *, where: str) -> None:
    """Refuse parameters that would change what is asked, or how it is answered.

    Args:
        parameters: Further fields of a body.
        where: Where they are set, for messages.

    Raises:
        SettingsError: For a reserved one, and for more than one answer to a request.
    """
    for name in RESERVED_PARAMETERS:
        if name in parameters:
            raise SettingsError(
                f"{name!r} is no parameter",
                where=where,
                expected="temperature, max_tokens, reasoning_effort, …",
                remedy="Set completions.model" if name == "model" else "",
            )
    if parameters.get("n", 1) != 1:
        raise SettingsError("n asks for more than one answer", where=where, expected="n = 1")


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for one answer.

    Attributes:
        model: As the endpoint calls it.
        messages: OpenAI's chat messages, as plain data, up to the turn that is wanted.
        tools: OpenAI's tools, as plain data.
        parameters: Further fields of the body (`temperature`, `max_tokens`, …).
        sample: Number of the answer, where several to one prompt are wanted; else 0, so that
            identical prompts are paid for once.
    """

    model: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = ()
    parameters: dict[str, Any] = {}
    sample: int = 0

    def body(self) -> dict[str, Any]:
        """Return the body that is sent."""
        tools = {"tools": list(self.tools)} if self.tools else {}
        return {"model": self.model, "messages": list(self.messages)} | tools | self.parameters

    def batch_line(self, key: str) -> bytes:
        """Return the request as a line of OpenAI's batch input files, its end included.

        Format: custom_id, method, url and body, as OpenAI's Batch API wants them.

        Args:
            key: Its name, which the line of its answer will have too.
        """
        line = {"custom_id": key, "method": "POST", "url": CHAT_URL, "body": self.body()}
        return msgspec.json.encode(line) + b"\n"

    def key(self, provider: str, endpoint_id: str) -> str:
        """Return the request's name: in the cache, and as a batch line's `custom_id`."""
        return fingerprint([provider, endpoint_id, self.body(), self.sample])


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens that an answer was billed for.

    `cached_tokens` (which the provider remembered) and `cache_write_tokens` (which it was told to
    remember) are part of `input_tokens`; tokens of reasoning are part of `output_tokens`.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class Completion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer.

    Attributes:
        message: The assistant's message as it came, without nulls: role, content, perhaps
            tool_calls, refusal and reasoning content.
        finish_reason: In OpenAI's words: stop, length, tool_calls, content_filter.
        mock: No model has written it.
    """

    message: dict[str, Any]
    finish_reason: str
    model: str
    usage: Usage = Usage()
    mock: bool = False


class Failure(StrEnum):
    """Why there is no answer. What asking again may change is retryable."""

    RATE = "rate"  # 429
    SERVER = "server"  # 5xx, 408, 409, and every status that no other failure names
    NETWORK = "network"
    EXPIRED = "expired"  # a batch's time was over before its turn
    CANCELLED = "cancelled"  # so was a batch, by somebody
    BATCHED = "batched"  # it is in a batch that is under way
    BUDGET = "budget"  # the cap, 402, or no credit left
    INVALID = "invalid"  # 400, 413, 422: this request will always be refused
    FORBIDDEN = "forbidden"  # 403: so will this one, for what it says
    UNAUTHORISED = "unauthorised"  # 401: every request will be
    UNKNOWN_MODEL = "unknown_model"  # 404: so will every request for it
    EMPTY = "empty"  # no content and no tool call
    TRUNCATED = "truncated"  # finish_reason length
    FILTERED = "filtered"  # content_filter
    REFUSED = "refused"  # the model says no

    @property
    def is_retryable(self) -> bool:
        """Whether asking again may bring an answer."""
        return self in (
            Failure.RATE,
            Failure.SERVER,
            Failure.NETWORK,
            Failure.EXPIRED,
            Failure.CANCELLED,
            Failure.BATCHED,
            Failure.BUDGET,
            Failure.UNAUTHORISED,
            Failure.UNKNOWN_MODEL,
        )


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request: an answer, or why there is none.

    Attributes:
        completion: The answer. Beside a failure: what the model wrote though it is no answer
            (truncated, filtered, refused, empty), which was billed.
        cached: It was there already; nothing was sent or paid.
        cost_usd: What it cost now; None where that is not known: the model has no price, or the
            endpoint does not say what it bills for.
        detail: What the provider said, for people; no text of the conversation.
    """

    key: str
    completion: Completion | None = None
    failure: Failure | None = None
    detail: str = ""
    cached: bool = False
    cost_usd: float | None = 0.0


class Completer(Protocol):
    """Answers requests; the engine is one, and so is what tests put in its place."""

    async def complete(self, request: CompletionRequest) -> Outcome:
        """Return what comes of a request; never raises for a single request's failure."""
        ...
