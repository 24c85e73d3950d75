"""Tokens and cost of requests before they are sent."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.media import (
    TOKENS_PER_MEDIUM,
    count_media,
    most_media_tokens,
)
from resonare_pipeline.completions.pricing import BATCH_SHARE, Price, price_of
from resonare_pipeline.completions.providers.anthropic_bodies import longest_answer
from resonare_pipeline.completions.requests import CompletionRequest, Usage
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import BudgetError, SettingsError

TOKENS_PER_MESSAGE = 4  # OpenAI's rule: 3 around each message, and its role
TOKENS_PER_REQUEST = 3
CHARACTERS_PER_TOKEN = 4  # how endpoints estimate a prompt before they read it

COUNTED = ("role", "content")
"""Fields of a message that are counted by themselves."""

UPPER_SHARE = {Provider.OPENAI: 1.1, Provider.ANTHROPIC: 1.6, Provider.MOCK: 1.0}
"""How many times o200k's count a prompt is at most: other tokenizers make more of a text."""

OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens")
"""Fields of a body that bound its answer."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of requests will probably take; costs are None where the price is not known.

    Attributes:
        unbounded: Requests with sounds, files or images that may take any number of tokens.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    batch_cost_usd: float | None = 0.0
    hours: float | None = None
    unbounded: int = 0


def prompt_tokens(request: CompletionRequest) -> int:
    """Count a request's prompt with o200k, all but texts as its JSON: tools, schemas, calls."""
    from resonare_pipeline.counting import count_text  # brings pyarrow, and few runs count

    count = TOKENS_PER_REQUEST + TOKENS_PER_MESSAGE * len(request.messages)
    for text in _texts(request):
        count += count_text(text)
    return count + TOKENS_PER_MEDIUM * count_media(request)


def windowed_tokens(request: CompletionRequest) -> int:
    """Return at least as many tokens as an endpoint debits when the request comes in."""
    characters = sum(len(text) for text in _texts(request))
    by_length = characters // CHARACTERS_PER_TOKEN + TOKENS_PER_MESSAGE * len(request.messages)
    return max(prompt_tokens(request), by_length) + (output_limit(request) or 0)


def _texts(request: CompletionRequest) -> Iterator[str]:
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else (content,):
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                yield text
        more = {name: value for name, value in message.items() if name not in COUNTED and value}
        if more:
            yield _json(more)
    if request.tools:
        yield _json(request.tools)
    # Numbers and words steer the model; what has a shape (schemas, functions) it must read.
    yield from (_json(v) for v in request.parameters.values() if isinstance(v, dict | list))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def output_limit(request: CompletionRequest) -> int | None:
    """Return the most tokens that a request's answer may have, if it says so."""
    values = [request.parameters.get(name) for name in OUTPUT_LIMITS]
    return max((value for value in values if isinstance(value, int)), default=None)


def upper_cost_usd(
    request: CompletionRequest,
    price: Price,
    provider: Provider,
    sent_limit: int | None,
    *,
    tokens: int | None = None,
) -> float | None:
    """Return the most that one request can cost, or None if nothing bounds its answer or images.

    Args:
        request: What is asked.
        price: Of its model.
        provider: Who is asked.
        sent_limit: What bounds an answer in the body that is sent, if anything.
        tokens: Its `prompt_tokens`, if they are counted already.
    """
    limit = sent_limit or price.most_output_tokens
    if price.output == 0:
        limit = limit or 0
    media = 0 if price.is_free else most_media_tokens(request)
    if limit is None or media is None:
        return None
    count = request.parameters.get("n", 1)
    answers = count if isinstance(count, int) else 1
    counted = prompt_tokens(request) if tokens is None else tokens
    known = counted - TOKENS_PER_MEDIUM * count_media(request) + media
    return price.upper_usd(math.ceil(known * UPPER_SHARE[provider]), limit * answers)


def require_upper_usd(
    request: CompletionRequest,
    settings: CompletionsSettings,
    provider: Provider,
    sent_limit: int | None,
    *,
    tokens: int | None = None,
) -> float:
    """Return the most that one request can cost online, which a cap must know.

    Raises:
        SettingsError: If nothing says that.
    """
    price = price_of(request.model, settings)
    upper = None
    if price is not None:
        upper = upper_cost_usd(request, price, provider, sent_limit, tokens=tokens)
    if upper is None:
        raise SettingsError(
            f"nothing says what a request to {request.model!r} can cost at most",
            where="completions.max_cost_usd",
            expected="a model whose price, longest answer and tokens of images are known",
            remedy="Set max_tokens, and both prices if they are not listed",
        )
    return upper


def estimate(requests: Iterable[CompletionRequest], settings: CompletionsSettings) -> Estimate:
    """Estimate requests of one model; the caller leaves out those whose answers are cached.

    An answer is taken to be as long as it may be, or `assumed_output_tokens` where it may be any.
    `hours` is the least that the settings' own limits allow; None where none is set.
    """
    count = input_tokens = output_tokens = unbounded = 0
    model = settings.model
    for request in requests:
        count += 1
        model = request.model
        input_tokens += prompt_tokens(request)
        unbounded += most_media_tokens(request) is None
        output_tokens += _expected_output(request, settings)
    price = price_of(model, settings)
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    cost = price.cost_usd(usage) if price else None
    return Estimate(
        requests=count,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_usd=cost,
        batch_cost_usd=None if cost is None else cost * BATCH_SHARE,
        hours=_hours(count, input_tokens + output_tokens, settings),
        unbounded=unbounded,
    )


def _hours(requests: int, tokens: int, settings: CompletionsSettings) -> float | None:
    windows = [
        amount / limit
        for amount, limit in (
            (requests, settings.requests_per_minute),
            (tokens, settings.tokens_per_minute),
        )
        if limit
    ]
    return max(windows) * settings.window_seconds / 3600 if windows else None


def _expected_output(request: CompletionRequest, settings: CompletionsSettings) -> int:
    limit = output_limit(request)
    if settings.provider is Provider.ANTHROPIC:
        assumed = limit or settings.assumed_output_tokens
        return longest_answer(request.parameters | {"max_tokens": assumed})
    return limit or settings.assumed_output_tokens


def require_within_cap(
    expected: Estimate,
    cap_usd: float | None,
    *,
    batch: bool = False,
    used_usd: float = 0.0,
    setting: str = "completions.max_cost_usd",
) -> None:
    """Refuse a set of requests whose estimate is over the cap, before anything is sent.

    Args:
        expected: Of the requests.
        cap_usd: None: there is none.
        batch: They go in batches, which are cheaper.
        used_usd: What was spent under the cap before.
        setting: What sets the cap, for messages.

    Raises:
        BudgetError: If it is, or if a cap is set and the price is not known.
    """
    if cap_usd is None or not expected.requests:
        return
    cost = expected.batch_cost_usd if batch else expected.cost_usd
    if cost is None:
        raise BudgetError(
            "the model's price is not known, so no cap can be kept",
            where=setting,
            remedy="Set input_usd_per_million and output_usd_per_million, or take the cap away",
        )
    if expected.unbounded and cost:
        raise BudgetError(
            f"{expected.unbounded} requests hold images, sounds or files, and nothing says how many"
            " tokens those can take, so no cap can be kept",
            where=setting,
            expected="no sounds or files, and images for a model whose tokens for them are known",
            remedy="Take the cap away, or leave these records out",
        )
    if cost and cost + used_usd > cap_usd:
        used = f", of which ${used_usd:.4f} is spent" if used_usd else ""
        raise BudgetError(
            f"{expected.requests} requests would cost about ${cost:.4f},"
            f" and ${cap_usd:.4f} is the cap{used}; nothing was sent",
            where=setting,
            remedy="Raise the cap, or lower max_tokens",
        )
