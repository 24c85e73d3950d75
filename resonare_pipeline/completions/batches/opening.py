"""Opening what batches need: the ledger in the cache's database, and the provider."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from resonare_pipeline.completions.accounts import UNATTENDED, Account
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.setbacks import SettledCache
from resonare_pipeline.completions.cache.marks import find_mark, set_mark, take_mark_away
from resonare_pipeline.completions.cache.places import cache_url
from resonare_pipeline.completions.environment import Endpoint, Provider, resolve_endpoint
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import SettingsError

FOLDER = "batches"  # beside the cache's file: input files until they are uploaded


@contextmanager
def open_batches(
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    campaign: str,
    default_db: Path,
    fresh: str = "",
    accounts: Sequence[Account] = (),
    unattended: bool = False,
    wanted: str = "",
    explicit_endpoint: bool = False,
    looked_in: str = ".env",
) -> Iterator[Driver]:
    """Open the batches of an endpoint, to work on them within the block.

    Args:
        settings: Which model, where, in what batches.
        environ: Variables, those of `.env` included: keys, addresses, `RESONARE_DB`.
        campaign: What new batches are for.
        default_db: SQLite file of the cache where `RESONARE_DB` names no database.
        fresh: Name of a run that asks again, whatever the cache holds from before the first run of
            that name. Empty: none.
        accounts: What is spent together with other runs; the settings' cap holds beside them.
        unattended: Nobody has started this.
        wanted: Names exactly what is asked for. Once somebody has asked for that by hand, it goes
            on unattended as if it were by hand, until the campaign ends. Empty: never.
        explicit_endpoint: `BASE_URL` must be set.
        looked_in: The file that was read beside the environment, for messages.

    Raises:
        SettingsError: For a provider without batches, a missing key or address, an unusable URL.
        CacheError: If the database cannot be opened.
    """
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK: 0.5 s

    endpoint = batch_endpoint(
        settings, environ, explicit_endpoint=explicit_endpoint, looked_in=looked_in
    )
    cache = SettledCache(cache_url(environ, default_db), campaign=campaign)
    try:
        if fresh:
            cache.since = set_mark(cache, fresh)
        ledger = Ledger(cache, endpoint.name)
        remote = Remote(endpoint, settings)
        folder = default_db.parent / FOLDER
        with Driver(ledger, remote, settings, endpoint, folder) as driver:
            driver.accounts = tuple(accounts)
            if wanted and not unattended:
                set_mark(cache, wanted)
            elif wanted and find_mark(cache, wanted) is not None:
                driver.accounts = tuple(a for a in accounts if a.name != UNATTENDED)
            yield driver
    finally:
        cache.close()


def batch_endpoint(
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    explicit_endpoint: bool = False,
    looked_in: str = ".env",
) -> Endpoint:
    """Return the endpoint whose batches are meant.

    Raises:
        SettingsError: For a provider without OpenAI's Batch API, a missing key or address.
    """
    require_batches(settings)
    return resolve_endpoint(
        environ,
        provider=settings.provider,
        base_url=settings.base_url,
        endpoint_id=settings.endpoint_id,
        looked_in=looked_in,
        explicit=explicit_endpoint,
    )


def require_batches(settings: CompletionsSettings) -> None:
    """Refuse a provider without OpenAI's Batch API.

    Raises:
        SettingsError: If it is one.
    """
    if settings.provider is not Provider.OPENAI:
        raise SettingsError(
            f"the provider {settings.provider} is not asked in batches",
            where="completions.mode",
            expected="an OpenAI-compatible endpoint with files and batches",
            remedy='Set completions.mode = "online"',
        )


def finish_campaign(
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    campaign: str,
    default_db: Path,
    wanted: str = "",
) -> None:
    """End a campaign: the next run of the same input asks again for what brought nothing."""
    cache = SettledCache(cache_url(environ, default_db), campaign=campaign)
    try:
        Ledger(cache, settings.endpoint_name()).finish()
        if wanted:
            take_mark_away(cache, wanted)
    finally:
        cache.close()
