"""What an OpenAI-compatible endpoint says, online or in a batch's file, as completion or failure.

Understood are chat completions and errors in OpenAI's shape. Messages for people hold no text of
the conversation.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from resonare_pipeline.completions.requests import Completion, Failure, Usage

LONGEST_DETAIL = 300  # characters
LONGEST_READ = 10_000  # characters of an error that are looked at
SHORTEST_TEXT = 8  # characters; shorter pieces of a conversation are words that any message has
FORMAL_FIELDS = ("role", "type")  # of messages and parts; their values are words of the format
LONGEST_QUOTE = 40  # characters; longer ones in an error may be what somebody wrote

_QUOTED = re.compile(
    "|".join(f"{mark}[^{mark}]{{{LONGEST_QUOTE + 1},}}{mark}" for mark in ("'", '"', "`"))
)

STATUSES = {
    400: Failure.INVALID,
    401: Failure.UNAUTHORISED,
    402: Failure.BUDGET,
    403: Failure.FORBIDDEN,
    404: Failure.UNKNOWN_MODEL,  # or one that the key may not use
    413: Failure.INVALID,
    422: Failure.INVALID,
    429: Failure.RATE,
}
"""What a status means. Any other one says nothing about the request, so it may be sent again."""

NOTHING_THERE_STATUSES = (404, 405)
OUT_OF_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "credit_balance_too_low")
"""Codes of a 429 or 400 that no waiting will change."""

LOW_CREDIT = "Your credit balance is too low"  # Anthropic says so with 400 and no code of its own


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer amounts to.

    Attributes:
        is_counted: The endpoint has told how many tokens it bills for.
    """

    completion: Completion | None = None
    failure: Failure | None = None
    detail: str = ""
    is_counted: bool = True


class _Details(msgspec.Struct):
    cached_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Usage(msgspec.Struct):
    """The field `usage` of a chat completion."""

    prompt_tokens: Annotated[int, msgspec.Meta(ge=1)]
    completion_tokens: Annotated[int, msgspec.Meta(ge=0)]
    prompt_tokens_details: _Details | None = None


def judge_body(body: bytes, *, requested_model: str) -> Judged:
    """Read the body of an answer with status 200."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Judged(failure=Failure.SERVER, detail="the endpoint answered with broken JSON")
    return judge_completion(found, requested_model=requested_model)


def judge_completion(found: Any, *, requested_model: str) -> Judged:
    """Read a chat completion that is decoded already."""
    try:
        choice = found["choices"][0]
        message = choice["message"]
        finish = choice.get("finish_reason") or "stop"
        usage = _usage(found.get("usage"))
        completion = Completion(
            message={name: value for name, value in message.items() if value is not None},
            finish_reason=finish,
            model=found.get("model") or requested_model,
            usage=usage or Usage(),
        )
    except (TypeError, KeyError, IndexError, AttributeError):
        if isinstance(found, dict) and found.get("error"):
            # Some proxies answer with status 200 and an error.
            return Judged(failure=Failure.SERVER, detail=describe_error(found))
        return Judged(failure=Failure.SERVER, detail="the endpoint's answer is no chat completion")
    return msgspec.structs.replace(judge(completion), is_counted=usage is not None)


def judge(completion: Completion) -> Judged:
    """Tell an answer from what is none: filtered, refused, cut off or empty."""
    message = completion.message
    has_calls = bool(message.get("tool_calls") or message.get("function_call"))
    failure: Failure | None = None
    detail = ""
    if completion.finish_reason == "content_filter":
        failure, detail = Failure.FILTERED, "the provider's filter took the answer away"
    elif message.get("refusal"):
        failure, detail = Failure.REFUSED, "the model refuses"
    elif completion.finish_reason == "length":
        count = completion.usage.output_tokens
        failure, detail = Failure.TRUNCATED, f"the answer was cut off after {count} tokens"
    elif not has_calls and _is_empty(message.get("content")):
        failure, detail = Failure.EMPTY, "the answer is empty"
    return Judged(completion=completion, failure=failure, detail=detail)


def _is_empty(content: object) -> bool:
    if isinstance(content, list):
        return all(_is_empty(part.get("text")) for part in content if isinstance(part, dict))
    return not isinstance(content, str) or not content.strip()


def _usage(found: object) -> Usage | None:
    """Return the tokens that are billed; None if they are not told: no prompt takes none."""
    try:
        usage = msgspec.convert(found, _Usage, strict=False)
    except msgspec.ValidationError:
        return None
    details = usage.prompt_tokens_details or _Details()
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=min(details.cached_tokens or 0, usage.prompt_tokens),
    )


def judge_error(status: int, body: object) -> Judged:
    """Read an answer whose status is no 200.

    Args:
        status: Of HTTP.
        body: As decoded from JSON; anything else if it is none.
    """
    if status in NOTHING_THERE_STATUSES and _is_of_the_address(body):
        detail = f"HTTP {status}: no model is served at this path; most addresses end in /v1"
        return Judged(failure=Failure.NETWORK, detail=detail)
    detail = f"HTTP {status}: {describe_error(body)}"
    return Judged(failure=_failure(status, body), detail=detail)


def _is_of_the_address(body: object) -> bool:
    """Tell a wrong path, which a web server refuses, from a model that an endpoint lacks."""
    said = _said(body)
    return not said or said.startswith("Invalid URL")


def _said(body: object) -> str:
    said = _inner(body).get("message")
    if not said and isinstance(body, dict):
        said = body.get("error")
    return said if isinstance(said, str) else ""


def _failure(status: int, body: object) -> Failure:
    if error_code(body) in OUT_OF_CREDIT or _said(body).startswith(LOW_CREDIT):
        return Failure.BUDGET
    return STATUSES.get(status, Failure.SERVER)


def _inner(body: object) -> Mapping[str, Any]:
    inner = body.get("error", body) if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}


def error_code(body: object) -> str:
    """Return the code of an error, or its type; empty if it has none."""
    inner = _inner(body)
    return str(inner.get("code") or inner.get("type") or "")


def describe_error(body: object) -> str:
    """Return what an error says, without long quotations."""
    inner = _inner(body)
    code = inner.get("code") or inner.get("type")
    text = _said(body)
    parts = [str(code)] if code else []
    parts += [_QUOTED.sub("[…]", " ".join(text.split()))] if text else []
    whole = ", ".join(parts) or "no reason was given"
    return whole[:LONGEST_READ]


def without_texts(detail: str, texts: Iterable[str], *, secrets: Iterable[str] = ()) -> str:
    """Take out of a message what it repeats of a conversation, and keys; then cut it.

    Args:
        detail: What the endpoint said.
        texts: What was asked; pieces under 8 characters are words that any message has.
        secrets: What must never be shown, however short it is.
    """
    pieces = {" ".join(text.split()) for text in texts} | set(texts)
    found = {piece for piece in pieces if len(piece) >= SHORTEST_TEXT}
    # The longest first: one may be part of another.
    for piece in sorted(found | {secret for secret in secrets if secret}, key=len, reverse=True):
        detail = detail.replace(piece, "[…]")
    return detail if len(detail) <= LONGEST_DETAIL else detail[:LONGEST_DETAIL] + "…"


def texts_of(messages: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return every text of a conversation: contents, parts, names, arguments of calls, results."""
    return set(_texts(list(messages)))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
            yield from _texts_of_json(value)
        case Mapping():
            for name, inner in value.items():
                if name not in FORMAL_FIELDS:
                    yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)


def _texts_of_json(text: str) -> Iterator[str]:
    if text.startswith(("{", "[")):
        try:
            yield from _texts(msgspec.json.decode(text))
        except (msgspec.DecodeError, RecursionError):
            return
