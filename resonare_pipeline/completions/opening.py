"""Opening what the settings name: the provider's client, the cache, the engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.cache.marks import find_mark, set_mark, take_mark_away
from resonare_pipeline.completions.cache.places import cache_url
from resonare_pipeline.completions.cache.store import Cache
from resonare_pipeline.completions.engine import Engine
from resonare_pipeline.completions.environment import Endpoint, Provider, resolve_endpoint
from resonare_pipeline.completions.providers.provider import Client
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.completions.settings import CompletionsSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterBatches:
    """What batches leave to an engine: what they brought, and the last few if these may be sent.

    Attributes:
        campaign: What the batches were for.
        since: Older answers do not count (seconds since 1970).
        unsent: What becomes of a request without an answer; None: it is sent.
        spent_usd: What the batches have cost, which the settings' cap holds for too.
        accounts: What their cost was spent on.
    """

    campaign: str
    since: float = 0.0
    unsent: Failure | None = None
    spent_usd: float = 0.0
    accounts: tuple[Account, ...] = ()

    def capped(self, settings: CompletionsSettings) -> CompletionsSettings:
        """Return settings whose cap is what the batches have left of it."""
        if settings.max_cost_usd is None:
            return settings
        left = max(0.0, settings.max_cost_usd - self.spent_usd)
        return settings.model_copy(update={"max_cost_usd": left})

    def open_cache(self, url: URL, accounts: Sequence[Account]) -> Cache:
        """Open the cache, with the campaign's setbacks in it."""
        from resonare_pipeline.completions.batches.setbacks import SettledCache

        return SettledCache(url, accounts, campaign=self.campaign, since=self.since)


def open_engine(
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    default_db: Path,
    fresh: str = "",
    accounts: Sequence[Account] = (),
    explicit_endpoint: bool = False,
    looked_in: str = ".env",
    after: AfterBatches | None = None,
) -> Engine:
    """Open an engine, which is then entered by `async with`.

    Args:
        settings: Which model, where, how fast, how dear.
        environ: Variables, those of `.env` included: keys, addresses, `RESONARE_DB`.
        default_db: SQLite file of the cache where `RESONARE_DB` names no database.
        fresh: Name of a run that asks again, whatever the cache holds from before the first run of
            that name, until `fresh_run_is_whole` is told that it has everything. Empty: none.
        accounts: What is spent together with other runs; the settings' cap is none of them.
        explicit_endpoint: `BASE_URL` must be set.
        looked_in: The file that was read beside the environment, for messages.
        after: Batches have asked before.

    Raises:
        SettingsError: For a missing key or address, an unknown price with a cap, an unusable URL.
        CacheError: If the cache cannot be opened.
    """
    endpoint = resolve_endpoint(
        environ,
        provider=settings.provider,
        base_url=settings.base_url,
        endpoint_id=settings.endpoint_id,
        looked_in=looked_in,
        explicit=explicit_endpoint,
    )
    if endpoint.provider is Provider.MOCK:
        return Engine(settings, endpoint, open_client, None)
    url = cache_url(environ, default_db)
    if after is not None:
        cache: Cache = after.open_cache(url, accounts)
        capped = after.capped(settings)
        return Engine(capped, endpoint, open_client, cache, unsent=after.unsent)
    cache = Cache(url, accounts)
    since = set_mark(cache, fresh) if fresh else 0.0
    return Engine(settings, endpoint, open_client, cache, since=since)


def spent_usd(
    accounts: Sequence[Account], environ: Mapping[str, str], *, default_db: Path
) -> list[float]:
    """Return what is spent on each account, or about to be; a cache is not made for that.

    Raises:
        CacheError: If the cache cannot be read.
    """
    with existing_cache(environ, default_db=default_db, accounts=accounts) as cache:
        return cache.used_usd() if cache else [0.0] * len(accounts)


def fresh_since(name: str, environ: Mapping[str, str], *, default_db: Path) -> float | None:
    """Return when a run for fresh answers was begun that has not ended (seconds since 1970)."""
    with existing_cache(environ, default_db=default_db) as cache:
        return find_mark(cache, name) if cache else None


def fresh_run_is_whole(name: str, environ: Mapping[str, str], *, default_db: Path) -> None:
    """Note that a run has all its fresh answers, so that the next of its name asks again."""
    with existing_cache(environ, default_db=default_db) as cache:
        if cache:
            take_mark_away(cache, name)


@contextmanager
def existing_cache(
    environ: Mapping[str, str], *, default_db: Path, accounts: Sequence[Account] = ()
) -> Iterator[Cache | None]:
    """Open the cache; one that is not there yet is not made.

    Raises:
        CacheError: If it cannot be opened.
    """
    url = cache_url(environ, default_db)
    if url.drivername == "sqlite" and not Path(url.database or "").exists():
        yield None
        return
    cache = Cache(url, accounts)
    try:
        yield cache
    finally:
        cache.close()


def open_client(endpoint: Endpoint, settings: CompletionsSettings) -> Client:
    """Open the provider's client; its SDK is imported now."""
    match endpoint.provider:
        case Provider.MOCK:
            from resonare_pipeline.completions.providers.mock import MockClient

            return MockClient()
        case Provider.ANTHROPIC:
            from resonare_pipeline.completions.providers.anthropic_messages import AnthropicClient

            return AnthropicClient(endpoint, settings)
        case Provider.OPENAI:
            from resonare_pipeline.completions.providers.openai_compatible import OpenAIClient

            return OpenAIClient(endpoint, settings)
