"""The batches of `resonare fill`: all rounds in the foreground, and what earlier ones brought."""

import time

from resonare_pipeline.cli.batch_display import BatchDisplay
from resonare_pipeline.cli.fill_options import FillRun, env_name
from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.batches.rounds import Standing
from resonare_pipeline.completions.batches.watching import live_batches
from resonare_pipeline.completions.environment import CACHE_FILE, Provider
from resonare_pipeline.completions.opening import AfterBatches
from resonare_pipeline.records.batching import ask_in_batches
from resonare_pipeline.records.reading import open_records


def fill_by_batches(run: FillRun, display: BatchDisplay) -> tuple[AfterBatches, Standing]:
    """Ask for all that records need, and return what is left to do when no batch is under way.

    Raises:
        SettingsError: For an endpoint that cannot be asked.
        StageError: If the provider refuses for good, or is not there for long.
        CacheError: If the ledger cannot be used.
    """
    settings = run.settings
    with (
        open_batches(
            settings,
            run.environ,
            campaign=run.campaign,
            default_db=CACHE_FILE,
            fresh=run.fresh,
            explicit_endpoint=True,
            looked_in=env_name(run.options),
        ) as driver,
        display.waiting() as show,
    ):

        def wait(standing: Standing) -> None:
            show(standing)
            time.sleep(settings.batch_poll_seconds)

        return ask_in_batches(
            driver, lambda: open_records(run.source), run.choices, settings, wait=wait
        )


def take_in_ended(run: FillRun) -> None:
    """Take in what batches of an input have brought that is asked online now, if there are any.

    Raises:
        StageError: If the provider refuses for good.
        CacheError: If the ledger cannot be used.
    """
    settings, campaign = run.settings, run.campaign
    if settings.provider is not Provider.OPENAI:
        return
    live = live_batches(run.environ, default_db=CACHE_FILE, campaign=campaign)
    if any(batch.endpoint == settings.endpoint_name() for batch in live):
        with open_batches(
            settings, run.environ, campaign=campaign, default_db=CACHE_FILE
        ) as driver:
            left = driver.advance()
            if not any(batch.campaign == campaign for batch in left):
                driver.ledger.finish()
