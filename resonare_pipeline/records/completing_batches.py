"""The batches of a record set: a run takes them as far as they go, and the next one goes on.

A run that somebody waits for stays until all is answered. Any other ends while batches are under
way, with nothing committed, and the sensor of batches starts the next.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.completions.batches.opening import finish_campaign, open_batches
from resonare_pipeline.completions.batches.rounds import Standing
from resonare_pipeline.completions.opening import AfterBatches
from resonare_pipeline.errors import StageError, WaitingError
from resonare_pipeline.progress import Progress
from resonare_pipeline.records.asking import Asking
from resonare_pipeline.records.batching import ask_in_batches
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompting import choices_of, prompt_records


def complete_by_batches(
    prompts: Artifact, asking: Asking, *, before_first: Callable[[], None], progress: Progress
) -> tuple[AfterBatches, Standing]:
    """Ask for what a set's prompts lack, as far as that goes now.

    Args:
        prompts: The prompts of a set.
        asking: Who is asked, and under what conditions.
        before_first: Refuses what may not be begun.
        progress: Is told of lines done.

    Returns:
        What is left to do when no batch is under way, and what was paid.

    Raises:
        WaitingError: If batches are under way, and nobody waits for them.
        StageError: If the provider refuses for good, or is not there for long.
        CacheError: If the ledger cannot be used.
    """
    settings = asking.completions

    def wait(standing: Standing) -> None:
        live = standing.live
        progress(sum(b.completed for b in live), sum(b.lines for b in live), "requests")
        if not asking.patient:
            raise WaitingError(
                _told(standing),
                where=asking.campaign,
                remedy="batch_sensor goes on when they have ended; so does another run",
            )
        time.sleep(settings.batch_poll_seconds)

    with open_batches(
        settings,
        asking.environ,
        campaign=asking.campaign,
        default_db=asking.default_db,
        fresh=asking.fresh_name(prompts),
        accounts=asking.accounts,
        unattended=asking.unattended,
        wanted=asking.wanted(prompts),
    ) as driver:
        if not driver.ledger.is_open():
            before_first()
        return ask_in_batches(
            driver,
            lambda: _opened(prompts),
            choices_of(settings),
            settings,
            wait=wait,
            stages=settings.in_batches,
        )


@contextmanager
def finishing(asking: Asking, prompts: Artifact) -> Iterator[None]:
    """End the batches of a set, also if all was refused: somebody mends that, and runs it again."""

    def finish() -> None:
        finish_campaign(
            asking.completions,
            asking.environ,
            campaign=asking.campaign,
            default_db=asking.default_db,
            wanted=asking.wanted(prompts),
        )

    try:
        yield
    except StageError:
        finish()
        raise
    finish()


@contextmanager
def _opened(prompts: Artifact) -> Iterator[Iterable[Record]]:
    yield prompt_records(prompts)


def _told(standing: Standing) -> str:
    live = standing.live
    parts = []
    if live:
        done, lines = sum(b.completed for b in live), sum(b.lines for b in live)
        parts.append(f"{len(live)} batches are under way, {done:,} of {lines:,} requests are done")
    if standing.elsewhere:
        parts.append(f"{standing.elsewhere:,} requests are in batches of others")
    if standing.cost_usd:
        parts.append(f"${standing.cost_usd:.4f} so far")
    if standing.unreached:
        parts.append(f"not reached: {standing.unreached}")
    return "; ".join(parts) or "batches are under way"
