"""One run over links that nothing is known of: a few workers, and what each link came to.

A failure to reach a host says something of the host only while this machine reaches others. So what
may be this machine's own fault is held until the end, and then counts if any other host answered,
or the resolver knows the oEmbed endpoint's; else nothing is written down, and nothing is lost.
Likewise a refusal of the oEmbed endpoint says something of a post only if it told of another one.
"""

import asyncio
import datetime as dt
import ipaddress
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

from resonare_pipeline.chats.links.asking import Asker
from resonare_pipeline.chats.links.failures import (
    NETWORK,
    OF_SETTINGS,
    RETRYABLE,
    FetchError,
    LinkFailure,
)
from resonare_pipeline.chats.links.fetching import Fetcher
from resonare_pipeline.chats.links.finding import DEFAULT_PORTS
from resonare_pipeline.chats.links.hosts import Row
from resonare_pipeline.chats.links.remembering import (
    FIRST_REST,
    Known,
    Memory,
    News,
    Outcome,
    failed_try,
)
from resonare_pipeline.chats.links.settings import OEMBED_URL, LinksSettings
from resonare_pipeline.chats.links.targets import Target
from resonare_pipeline.errors import SettingsError

KEPT_AT_A_TIME = 50  # outcomes of one transaction
KEPT_AFTER_SECONDS = 2.0
LOOKED_UP_AT_A_TIME = 200  # links; another run may have read them meanwhile
SPARE_THREADS = 4  # for pages that are parsed, and the database
OFFLINE_REST = dt.timedelta(minutes=10)  # before a machine without network may try again


DOUBT_REST = dt.timedelta(hours=6)  # before posts are asked for again that may be gone


class Passing(NamedTuple):
    """A failure that says nothing of the link, and is not written down."""

    failure: LinkFailure
    retry_at: dt.datetime


Tell = Callable[[Target, News | Passing], None]
"""Is told what a link came to."""

_OF_A_HOST = NETWORK | {LinkFailure.NO_SUCH_HOST, LinkFailure.BAD_CERTIFICATE}
_OF_AN_ENDPOINT: Mapping[LinkFailure, LinkFailure] = {
    **{failure: failure for failure in NETWORK},
    LinkFailure.NO_SUCH_HOST: LinkFailure.NAME_UNRESOLVED,
    LinkFailure.BAD_CERTIFICATE: LinkFailure.TLS_FAILED,
}
"""What an endpoint that cannot be reached is for a post: nothing that the post could help."""


_IF_NOT_PROVEN: Mapping[LinkFailure, LinkFailure] = {
    LinkFailure.NO_SUCH_HOST: LinkFailure.OFFLINE,
    LinkFailure.BAD_CERTIFICATE: LinkFailure.TLS_FAILED,
}
"""What is counted where this machine may be why there is no such host, or no certificate."""


class _Held(NamedTuple):
    """A failure whose meaning the end of the run tells.

    Attributes:
        heard: How many answers there had been before it.
    """

    target: Target
    failure: LinkFailure
    heard: int


class Run:
    """Reads links, and keeps what they come to.

    Args:
        memory: Where it is kept.
        known: What is known already of links that failed, by key.
        tell: Is told of each link, in no order.
    """

    def __init__(
        self,
        settings: LinksSettings,
        memory: Memory,
        known: Mapping[str, Known],
        *,
        now: Callable[[], dt.datetime],
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._known = known
        self._now = now
        self._tell = tell
        self._fetcher = Fetcher(settings)
        self._asker = Asker(self._fetcher, settings)
        self._held: list[_Held] = []
        self._doubted: list[tuple[Target, FetchError]] = []
        self._row = Row()
        self._cut_off_at: int | None = None  # so many answers; None while there is a network
        self._unkept: list[News] = []
        self._kept_at = time.monotonic()
        self._keeping = asyncio.Lock()

    async def read(self, targets: Sequence[Target]) -> None:
        """Read links; what they came to until an interruption is kept all the same.

        Raises:
            CacheError: If it cannot be kept.
            SettingsError: If the oEmbed endpoint must not be reached.
        """
        # Names are resolved on threads, and one that nobody answers for takes its thread for long.
        threads = ThreadPoolExecutor(self._settings.concurrency + SPARE_THREADS)
        asyncio.get_running_loop().set_default_executor(threads)
        try:
            async with self._fetcher:
                ordered = _mixed(targets)
                for start in range(0, len(ordered), LOOKED_UP_AT_A_TIME):
                    some = ordered[start : start + LOOKED_UP_AT_A_TIME]
                    await self._read_some(await self._still_missing(some) if start else some)
                await self._judge()
        finally:
            self._memory.keep(self._unkept)

    async def _still_missing(self, targets: Sequence[Target]) -> list[Target]:
        """Return the links of which there is no outcome from another run meanwhile."""
        found = await asyncio.to_thread(self._memory.find, [target.key for target in targets])
        missing: list[Target] = []
        for target in targets:
            known = found.get(target.key)
            if known and known.outcome and known.failure not in OF_SETTINGS:
                self._tell(target, _as_news(target, known.outcome, self._now()))
            else:
                missing.append(target)
        return missing

    async def _read_some(self, targets: Sequence[Target]) -> None:
        waiting = iter(targets)
        count = min(self._settings.concurrency, len(targets))
        workers = [asyncio.create_task(self._work(waiting)) for _ in range(count)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, waiting: Iterator[Target]) -> None:
        for target in waiting:
            if self._cut_off_at is not None:
                self._pass_over(target, LinkFailure.OFFLINE)
                continue
            try:
                content = await self._asker.ask(target)
            except FetchError as error:
                self._settle(target, error)
                await self._look_for_network(target, error)
            else:
                self._take(target, Outcome(content=content))
            await self._keep_some()

    def _settle(self, target: Target, error: FetchError) -> None:
        failure = error.failure
        if error.is_endpoints:
            self._require_public(error)
        if error.is_endpoints and failure in _OF_AN_ENDPOINT:
            self._pass_over(target, _OF_AN_ENDPOINT[failure])
        elif failure is LinkFailure.RATE_LIMITED and not error.was_asked:
            self._pass_over(target, failure, dt.timedelta(seconds=error.retry_after_seconds))
        elif error.is_endpoints:
            self._doubted.append((target, error))
        elif failure in _OF_A_HOST:
            self._held.append(_Held(target, failure, self._fetcher.heard))
        else:
            self._decide(target, failure)

    def _require_public(self, error: FetchError) -> None:
        """Tell the owner of an endpoint that its network is closed.

        The default endpoint is a public one: what makes its name private will pass.
        """
        is_own = self._settings.oembed_url != OEMBED_URL
        is_private = error.failure is LinkFailure.PRIVATE_ADDRESS or (
            error.failure is LinkFailure.PRIVATE_NAME and is_own
        )
        if is_private and not error.is_elsewhere:
            raise SettingsError(
                "the oEmbed endpoint has a private address",
                where="links.oembed_url",
                expected="one of the public internet",
                remedy="Name its network in links.allowed_private_networks",
            )

    async def _look_for_network(self, target: Target, error: FetchError) -> None:
        """Give up the run where one host after the other cannot be reached."""
        if error.is_endpoints or not error.was_asked or error.failure not in _OF_A_HOST:
            return
        heard = self._fetcher.heard
        if not self._row.grows_too_long(urlsplit(target.url).hostname or "", heard):
            return
        if not await self._reaches_endpoint() and heard == self._fetcher.heard:
            self._cut_off_at = heard

    async def _reaches_endpoint(self) -> bool:
        parts = urlsplit(self._settings.oembed_url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        return _is_public_name(host) and await self._fetcher.reaches(host, port)

    def _decide(self, target: Target, failure: LinkFailure) -> None:
        if failure in RETRYABLE:
            self._count(target, failure)
        else:
            self._close(target, failure)

    async def _judge(self) -> None:
        """Settle what was held until it is known whether this machine reaches anything."""
        is_online = bool(self._held) and await self._is_online()
        proven = {
            LinkFailure.NO_SUCH_HOST: is_online,
            LinkFailure.BAD_CERTIFICATE: self._asker.has_secure_answer,
        }
        for target, failure, heard in self._held:
            passing = _IF_NOT_PROVEN.get(failure, failure)
            if self._cut_off_at is not None and heard >= self._cut_off_at:
                self._pass_over(target, passing)
            elif proven.get(failure, False):
                self._close(target, failure)
            elif is_online:
                self._count(target, passing)
            else:
                self._pass_over(target, passing)
        for target, error in self._doubted:
            if self._asker.has_post:
                self._decide(target, error.failure)
            elif error.failure in RETRYABLE:
                wait = dt.timedelta(seconds=error.retry_after_seconds)
                self._pass_over(target, error.failure, max(wait, FIRST_REST))
            else:
                self._pass_over(target, LinkFailure.ENDPOINT_FAILED, DOUBT_REST)

    async def _is_online(self) -> bool:
        if self._fetcher.heard:
            return True
        host = urlsplit(self._settings.oembed_url).hostname or ""
        return _is_public_name(host) and await self._fetcher.knows_host(host)

    def _close(self, target: Target, failure: LinkFailure) -> None:
        is_private = failure is LinkFailure.PRIVATE_ADDRESS
        allowed = self._settings.allowed_page_networks if is_private else ()
        self._take(target, Outcome(failure=failure, allowed=allowed))

    def _take(self, target: Target, outcome: Outcome) -> None:
        self._note(target, _as_news(target, outcome, self._now()))

    def _count(self, target: Target, failure: LinkFailure) -> None:
        self._note(
            target, failed_try(target.key, failure, self._known.get(target.key), self._now())
        )

    def _note(self, target: Target, news: News) -> None:
        self._unkept.append(news)
        self._tell(target, news)

    def _pass_over(
        self, target: Target, failure: LinkFailure, rest: dt.timedelta = OFFLINE_REST
    ) -> None:
        self._tell(target, Passing(failure, self._now() + max(rest, OFFLINE_REST)))

    async def _keep_some(self) -> None:
        late = time.monotonic() - self._kept_at > KEPT_AFTER_SECONDS
        if self._keeping.locked() or not (late or len(self._unkept) >= KEPT_AT_A_TIME):
            return
        async with self._keeping:
            some = list(self._unkept)
            await asyncio.to_thread(self._memory.keep, some)
            del self._unkept[: len(some)]  # only now: what breaks off here is kept at the end
            self._kept_at = time.monotonic()


def _as_news(target: Target, outcome: Outcome, at: dt.datetime) -> News:
    return News(key=target.key, outcome=outcome, failure=outcome.failure, tries=0, at=at)


def _is_public_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host
    return False


def _mixed(targets: Sequence[Target]) -> list[Target]:
    """Return links such that those of one host are far apart, for few of one are read at a time."""
    counts: defaultdict[str, int] = defaultdict(int)
    ranks: list[int] = []
    for target in targets:
        ranks.append(counts[target.host])
        counts[target.host] += 1
    order = sorted(range(len(targets)), key=ranks.__getitem__)
    return [targets[index] for index in order]
