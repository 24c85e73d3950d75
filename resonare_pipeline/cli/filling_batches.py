"""The batches of `resonare fill --batch`: all its rounds, in the foreground."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from resonare_pipeline.cli.batch_display import BatchDisplay
from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.batches.rounds import Rounds, Standing
from resonare_pipeline.completions.batches.watching import open_campaigns
from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.opening import AfterBatches
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.records.batching import next_requests
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.requesting import looking_up
from resonare_pipeline.records.walking import Choices


def ask_in_batches(
    opening: Callable[[], AbstractContextManager[Iterable[Record]]],
    choices: Choices,
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    campaign: str,
    default_db: Path,
    fresh: str,
    looked_in: str,
    display: BatchDisplay,
) -> tuple[AfterBatches, Standing]:
    """Ask for all that records need, and return what is left to do when no batch is under way.

    Args:
        opening: Opens the records anew.
        choices: What is asked of whom.
        settings: How it is asked.
        environ: Keys and addresses.
        campaign: What the batches are for.
        default_db: SQLite file of the cache where `RESONARE_DB` names no database.
        fresh: Name of a run that asks again, whatever the cache holds; empty: none.
        looked_in: The file that was read beside the environment, for messages.
        display: What a person sees.

    Raises:
        SettingsError: For an endpoint that cannot be asked.
        StageError: If the provider refuses for good, or is not there for long.
        CacheError: If the ledger cannot be used.
    """
    with open_batches(
        settings,
        environ,
        campaign=campaign,
        default_db=default_db,
        fresh=fresh,
        explicit_endpoint=True,
        looked_in=looked_in,
    ) as driver:
        look_up = looking_up(driver.ledger.cache, settings)
        rounds = Rounds(driver, lambda: next_requests(opening, choices, look_up), settings)
        with display.waiting() as show:
            while True:
                standing = rounds.look()
                if standing.is_done:
                    break
                show(standing)
                time.sleep(settings.batch_poll_seconds)
        spent = driver.ledger.spent_usd()
    unsent = None if standing.may_send else standing.lacking
    since = driver.ledger.cache.since
    after = AfterBatches(campaign=campaign, since=since, unsent=unsent, spent_usd=spent)
    return after, standing


def take_in_ended(
    settings: CompletionsSettings, environ: Mapping[str, str], *, default_db: Path, campaign: str
) -> None:
    """Take in what batches of an input have brought that is asked online now, if there are any.

    Raises:
        StageError: If the provider refuses for good.
        CacheError: If the ledger cannot be used.
    """
    if settings.provider is not Provider.OPENAI:
        return
    campaigns = open_campaigns(environ, default_db=default_db, prefix=campaign)
    if any(found.name == campaign and found.live for found in campaigns):
        with open_batches(settings, environ, campaign=campaign, default_db=default_db) as driver:
            left = driver.advance()
            if not any(batch.campaign == campaign for batch in left):
                driver.ledger.finish()
