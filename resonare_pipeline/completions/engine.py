"""Answers requests: from the cache if it can, else from a provider.

A request goes through: the cache; a claim, so that no other process asks the same; the budget; the
gate; the provider, again and again while that may help; the cache. An answer is stored before
`complete` returns it. Identical requests under way share one call.

What is stored is what was billed: answers, and what the model wrote though it is no answer
(truncated, filtered, refused, empty). Errors are not: asking again costs nothing, and a server may
be mended. The mock's answers never enter the cache.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType

import msgspec

from resonare_pipeline.completions.answers import Judged, texts_of, without_texts
from resonare_pipeline.completions.asking import Asked, Asker, Tally
from resonare_pipeline.completions.budget import Draw
from resonare_pipeline.completions.cache.clerk import Clerk
from resonare_pipeline.completions.cache.store import Answered, Cache, Record
from resonare_pipeline.completions.environment import Endpoint, Provider
from resonare_pipeline.completions.providers.provider import Client
from resonare_pipeline.completions.requests import CompletionRequest, Failure, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings

UNSENT = "its batches brought no answer"
DRAIN_LOOK_SECONDS = 0.05

OpenClient = Callable[[Endpoint, CompletionsSettings], Client]


class Engine:
    """A `Completer`, which is entered by `async with`.

    Args:
        settings: How it asks.
        endpoint: Whom it asks.
        open_client: Makes the provider's client when the engine is entered.
        cache: Where answers are kept; it is closed with the engine. None: nowhere.
        since: Older answers do not count, and are asked for again (seconds since 1970).
        unsent: What becomes of a request that the cache has no answer to; None: it is sent.

    Attributes:
        tally: What has been done so far.
    """

    def __init__(
        self,
        settings: CompletionsSettings,
        endpoint: Endpoint,
        open_client: OpenClient,
        cache: Cache | None,
        *,
        since: float = 0.0,
        unsent: Failure | None = None,
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._endpoint = endpoint
        self._open_client = open_client
        self._cache = None if endpoint.provider is Provider.MOCK else cache
        self._since = since
        self._unsent = unsent
        self._flights: dict[str, asyncio.Task[Outcome]] = {}
        self._storing = 0
        self._clerk: Clerk | None = None
        self._client: Client
        self._asker: Asker

    async def __aenter__(self) -> "Engine":
        self._client = self._open_client(self._endpoint, self._settings)
        draw: Draw | None = None
        if self._cache is not None:
            self._clerk = Clerk(self._cache, since=self._since, busy=lambda: len(self._flights))
            draw = self._clerk.draw if self._cache.accounts else None
        self._asker = Asker(self._client, self._endpoint, self._settings, self.tally, draw=draw)
        if self._clerk is not None:
            try:
                await self._clerk.open()
            except BaseException:
                await self._client.close()
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        try:
            await self._client.close()
        finally:
            if self._clerk is not None:
                await self._clerk.close(held_usd=self._asker.budget.held_usd)

    @property
    def under_way(self) -> int:
        """Requests that were sent, and whose answers are not stored yet."""
        return self._asker.sending + self._storing

    async def drain(self) -> None:
        """Send nothing more, and return when all answers are stored that were under way.

        Requests that were not sent wait in vain; whoever asked calls them off.
        """
        self._asker.stop()
        while self.under_way:
            await asyncio.sleep(DRAIN_LOOK_SECONDS)

    def key(self, request: CompletionRequest) -> str:
        """Return a request's key at this endpoint."""
        return request.key(self._endpoint.provider, self._endpoint.name)

    async def complete(self, request: CompletionRequest) -> Outcome:
        """Return what comes of a request; see `Completer`.

        Raises:
            CacheError: If the cache cannot be used: without it, answers would be paid for twice.
            SettingsError: If there is a cap, and nothing says what a request can cost.
        """
        key = self.key(request)
        flight = self._flights.get(key)
        if flight is not None:
            outcome = await asyncio.shield(flight)
            self.tally.shared += 1
            return msgspec.structs.replace(outcome, cached=True, cost_usd=0.0)
        flight = asyncio.create_task(self._fly(key, request), name=key)
        self._flights[key] = flight
        flight.add_done_callback(self._landed)
        # Whoever shares this call must not lose it because the first who asked went away.
        return await asyncio.shield(flight)

    def _landed(self, flight: asyncio.Task[Outcome]) -> None:
        self._flights.pop(flight.get_name(), None)
        if not flight.cancelled():
            flight.exception()  # whoever would have heard of it may be gone

    async def _fly(self, key: str, request: CompletionRequest) -> Outcome:
        if self._clerk is None:
            return self._told(key, await self._asker.ask(request))
        record = await self._clerk.look_up(key)
        if record is not None:
            return self._known(key, request, record)
        if self._unsent is not None:
            self._clerk.release(key)
            return self._told(key, Asked(judged=Judged(failure=self._unsent, detail=UNSENT)))
        try:
            asked = await self._asker.ask(request)
        except BaseException:
            self._clerk.release(key)
            raise
        if asked.is_billed:
            await self._store(self._clerk, self._answered(key, asked))
        else:
            self._clerk.release(key)
        return self._told(key, asked)

    def _known(self, key: str, request: CompletionRequest, record: Record) -> Outcome:
        """Tell what the cache holds; what a batch's line was refused for may quote the request."""
        if record.completion is None and record.failure is not None:
            detail = without_texts(
                record.detail, texts_of(request.messages), secrets=(self._endpoint.api_key,)
            )
            return self._told(key, Asked(judged=Judged(failure=record.failure, detail=detail)))
        self.tally.cached += 1
        return _outcome(key, record, cached=True)

    async def _store(self, clerk: Clerk, answered: Answered) -> None:
        self._storing += 1
        try:
            await clerk.store(answered)
        finally:
            self._storing -= 1

    def _answered(self, key: str, asked: Asked) -> Answered:
        judged = asked.judged
        return Answered(
            key=key,
            record=Record(
                completion=judged.completion, failure=judged.failure, detail=judged.detail
            ),
            provider=self._endpoint.provider,
            endpoint=self._endpoint.name,
            cost_usd=asked.cost_usd,
            charged_usd=asked.charged_usd,
        )

    def _told(self, key: str, asked: Asked) -> Outcome:
        failure = asked.judged.failure
        if failure is None:
            self.tally.answered += 1
        else:
            self.tally.failed[failure] += 1
        return _outcome(key, asked.judged, cost_usd=asked.cost_usd)


def _outcome(
    key: str, said: Judged | Record, *, cached: bool = False, cost_usd: float | None = 0.0
) -> Outcome:
    return Outcome(
        key=key,
        completion=said.completion,
        failure=said.failure,
        detail=said.detail,
        cached=cached,
        cost_usd=cost_usd,
    )
