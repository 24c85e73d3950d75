"""Asking a provider: within the budget and all limits, again and again while that may help.

What may not live here: the cache, and who shares a call.
"""

import asyncio
import math
import random
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from resonare_pipeline.completions.answers import Judged, texts_of, without_texts
from resonare_pipeline.completions.budget import Budget, Draw
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.estimating import upper_cost_usd, windowed_tokens
from resonare_pipeline.completions.gate import Gate, is_too_long
from resonare_pipeline.completions.limits import Announcement
from resonare_pipeline.completions.models import unknown_model
from resonare_pipeline.completions.pricing import price_of
from resonare_pipeline.completions.providers.provider import Client, Reply
from resonare_pipeline.completions.requests import Completion, CompletionRequest, Failure
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import SettingsError

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 60.0
EMPTY_TRIES = 2  # models that sample now and then say nothing; a second try is cheap
LOST_REQUESTS = 3  # given up in a row without any answer between: the endpoint is down

SENT_AGAIN = (Failure.RATE, Failure.SERVER, Failure.NETWORK)
WRONG_KEY_STATUS = 401
THROTTLED_STATUSES = (429, 503, 529)


@dataclass(slots=True)
class Tally:
    """What a run has done so far.

    Attributes:
        sent: Requests that went out, repetitions included.
        cached: Requests that the cache answered.
        shared: Requests that shared the call of an identical one.
        cost_usd: What answers cost; without those whose cost is not known.
        unpriced: Answers whose cost is not known: the model has no price, or the endpoint does not
            say how many tokens it bills for.
    """

    sent: int = 0
    answered: int = 0
    cached: int = 0
    shared: int = 0
    failed: Counter[Failure] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking.

    Attributes:
        cost_usd: Of all answers that were needed; None where it is not known.
        charged_usd: What the answer counts against caps.
        is_billed: A model has written something, so it is worth keeping.
    """

    judged: Judged
    cost_usd: float | None = 0.0
    charged_usd: float = 0.0
    is_billed: bool = False


class Asker:
    """Asks one provider, for one run.

    Args:
        client: The provider.
        endpoint: Whom it asks; its key is kept out of all messages.
        settings: How it is asked.
        tally: Where it counts.
        draw: Draws from what others spend as well; None: from nothing.

    Attributes:
        sending: Requests under way.
    """

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        settings: CompletionsSettings,
        tally: Tally,
        *,
        draw: Draw | None = None,
    ) -> None:
        self.budget = Budget(settings.max_cost_usd, draw)
        self._client = client
        self._provider = endpoint.provider
        self._secrets = (endpoint.api_key,)
        self._settings = settings
        self._tally = tally
        self._gate = Gate(settings)
        self.sending = 0
        self._is_stopped = False
        self._offered: asyncio.Task[list[str]] | None = None
        self._given_up: Judged | None = None
        self._was_reached = False
        self._was_answered = False
        self._unreached = 0
        self._lost = 0

    async def ask(self, request: CompletionRequest) -> Asked:
        """Ask until there is an answer, or no more point in asking.

        Raises:
            SettingsError: If there is a cap, and nothing says what the request can cost.
        """
        upper = self._upper_usd(request)
        if not await self.budget.reserve(upper):
            detail = f"a request of up to ${upper:.4f} does not fit under the cap any more"
            return Asked(judged=Judged(failure=Failure.BUDGET, detail=detail))
        try:
            return await self._asked(request, upper)
        finally:
            self.budget.release(upper)

    def stop(self) -> None:
        """Send nothing more: who asks waits in vain, until it is called off."""
        self._is_stopped = True
        self._gate.throw_open()

    def _upper_usd(self, request: CompletionRequest) -> float:
        if self._settings.max_cost_usd is None:
            return 0.0
        price = price_of(request.model, self._settings)
        limit = self._client.output_limit(request)
        upper = upper_cost_usd(request, price, self._provider, limit) if price else None
        if upper is None:
            raise SettingsError(
                f"nothing says what a request to {request.model!r} can cost at most",
                where="completions.max_cost_usd",
                expected="a model whose price, longest answer and tokens of images are known",
                remedy="Set max_tokens, and both prices if they are not listed",
            )
        return upper

    async def _asked(self, request: CompletionRequest, upper: float) -> Asked:
        cost: float | None = 0.0
        tries = empty = 0
        while True:
            reply = await self._sent(request, upper)
            if reply is None:
                return Asked(judged=self._given_up or Judged(failure=Failure.NETWORK))
            judged = reply.judged
            if judged.completion is not None:
                self._lost = 0
                self._was_answered = True
                paid, charged = self._paid(judged.completion, request, upper, judged.is_counted)
                cost = _sum(cost, paid)
                self._note_used_up(reply)
                empty += judged.failure is Failure.EMPTY
                # Under a cap, one reservation pays for one answer.
                may_repeat = empty < EMPTY_TRIES and self._settings.max_cost_usd is None
                if judged.failure is Failure.EMPTY and may_repeat:
                    continue
                return Asked(judged=judged, cost_usd=cost, charged_usd=charged, is_billed=True)
            if reply.is_unknown and not await self.budget.hold(upper):
                detail = (
                    f"it may have been billed, and the cap allows no other try: {judged.detail}"
                )
                return Asked(judged=Judged(failure=Failure.BUDGET, detail=detail), cost_usd=cost)
            tries = self._tries(tries + 1)
            if self._is_final(reply, tries):
                self._note_lost(reply)
                return Asked(judged=judged, cost_usd=cost)
            seconds = _backoff_seconds(tries, reply)
            if not self._was_reached:
                self._gate.pause(seconds)
            await asyncio.sleep(seconds)

    def _tries(self, own: int) -> int:
        """Return how often a request was tried: while nobody gets through, all tries are one's."""
        if self._was_reached:
            return own
        self._unreached += 1
        return max(own, self._unreached)

    async def _sent(self, request: CompletionRequest, upper: float) -> Reply | None:
        """Send once, when the gate opens; None if the endpoint was given up meanwhile."""
        if self._given_up is not None:
            return None
        given = await self._gate.enter(lambda: windowed_tokens(request))
        reply: Reply | None = None
        try:
            if self._is_stopped:
                await asyncio.Event().wait()
            if self._given_up is None:
                self._tally.sent += 1
                reply = self._cleaned(await self._reply(request, upper), request)
        finally:
            completion = reply.judged.completion if reply else None
            usage = completion.usage if completion else None
            self._gate.leave(
                given,
                reply.announced if reply else None,
                tokens=usage.input_tokens + usage.output_tokens if usage else 0,
                throttled=reply is not None and reply.status in THROTTLED_STATUSES,
            )
        self._was_reached |= reply is not None and reply.announced is not None
        if reply is not None and reply.judged.failure is Failure.UNKNOWN_MODEL:
            return await self._with_models(reply, request)
        return reply

    async def _reply(self, request: CompletionRequest, upper: float) -> Reply:
        self.sending += 1
        try:
            return await self._client.send(request)
        except asyncio.CancelledError:
            self.budget.keep(upper)  # it may have been billed
            raise
        finally:
            self.sending -= 1

    async def _with_models(self, reply: Reply, request: CompletionRequest) -> Reply:
        """Add to what is said of an unknown model which ones there are; they are asked for once."""
        if self._offered is None:
            self._offered = asyncio.create_task(self._client.models())
        offered = await asyncio.shield(self._offered)
        detail = unknown_model(request.model, reply.judged.detail, offered)
        return self._cleaned(_saying(reply, detail), request)

    def _cleaned(self, reply: Reply, request: CompletionRequest) -> Reply:
        """Take the key and the conversation out of what the endpoint says."""
        if reply.judged.completion is not None:
            return reply
        said = reply.judged.detail
        if is_too_long(reply.announced):
            said = f"{said}; {_rest(reply.announced)}"
        detail = without_texts(said, texts_of(request.messages), secrets=self._secrets)
        return _saying(reply, detail)

    def _paid(
        self,
        completion: Completion,
        request: CompletionRequest,
        upper: float,
        is_counted: bool,  # noqa: FBT001  # of the answer
    ) -> tuple[float | None, float]:
        """Count an answer; return what it cost, if that is known, and what it counts at a cap."""
        usage = completion.usage
        self._tally.input_tokens += usage.input_tokens
        self._tally.output_tokens += usage.output_tokens
        self._tally.cached_tokens += usage.cached_tokens
        price = price_of(request.model, self._settings)
        if price is None or not (is_counted or price.is_free):
            self._tally.unpriced += 1
            self.budget.spend(upper)  # it costs no more than that, and a cap must hold
            return None, upper
        cost = price.cost_usd(usage)
        self._tally.cost_usd += cost
        self.budget.spend(cost)
        return cost, cost

    def _is_final(self, reply: Reply, tries: int) -> bool:
        return (
            reply.is_permanent
            or reply.judged.failure not in SENT_AGAIN
            or tries > self._settings.retries
            or is_too_long(reply.announced)
        )

    def _note_lost(self, reply: Reply) -> None:
        """Give the endpoint up once it is plain that every request will fail alike."""
        failure = reply.judged.failure
        # A 403 is about one request's content, or about the key if nothing was ever answered.
        if failure is Failure.INVALID or (failure is Failure.FORBIDDEN and self._was_answered):
            self._lost = 0
            return
        self._lost += 1
        is_same_for_all = (
            reply.status == WRONG_KEY_STATUS
            or failure is Failure.BUDGET
            or (reply.is_permanent and failure is Failure.NETWORK)
            or (failure in SENT_AGAIN and is_too_long(reply.announced))
        )
        if is_same_for_all or self._lost >= LOST_REQUESTS or not self._was_reached:
            self._give_up(reply.judged)

    def _note_used_up(self, reply: Reply) -> None:
        """Give the endpoint up if this was the last answer for a long time."""
        if is_too_long(reply.announced):
            self._give_up(Judged(failure=Failure.RATE, detail=_rest(reply.announced)))

    def _give_up(self, judged: Judged) -> None:
        """Fail all further requests alike, in a way that another run may ask for again."""
        if judged.failure is Failure.FORBIDDEN:
            judged = msgspec.structs.replace(judged, failure=Failure.UNAUTHORISED)
        self._given_up = judged
        self._gate.throw_open()


def _saying(reply: Reply, detail: str) -> Reply:
    return msgspec.structs.replace(
        reply, judged=msgspec.structs.replace(reply.judged, detail=detail)
    )


def _rest(announced: Announcement | None) -> str:
    seconds = announced.rest_seconds if announced else 0.0
    minutes = math.ceil(seconds / 60)
    return f"the endpoint lets nothing more through for {minutes // 60} h {minutes % 60} min"


def _backoff_seconds(tries: int, reply: Reply) -> float:
    """Return how long a request waits before it goes out again; the gate keeps `Retry-After`."""
    if reply.announced is not None and reply.announced.retry_after_seconds is not None:
        return 0.0
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (tries - 1))
    return random.uniform(longest / 2, longest)  # noqa: S311  # only to part requests


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
