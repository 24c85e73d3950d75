"""The batches of a record set: a run takes them as far as they go, and the next one goes on.

A run that somebody waits for stays until all is answered. Any other ends while batches are under
way, with nothing committed, and the sensor of batches starts the next.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.batches.rounds import Rounds, Standing
from resonare_pipeline.completions.opening import AfterBatches
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import WaitingError
from resonare_pipeline.progress import Progress
from resonare_pipeline.records.batching import next_requests
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompting import choices_of, prompt_records
from resonare_pipeline.records.requesting import looking_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a record set's batches are for, and under what conditions they are made.

    Attributes:
        name: The same for all rounds of a set.
        fresh: Name of a run that asks again, whatever the cache holds; empty: none.
        accounts: What is spent together with other sets, and other runs.
        unattended: Nobody has started this run.
        wanted: Names exactly what is asked for.
        stages: New batches are made; else only those under way are seen to their end.
        patient: Somebody waits until all is answered.
    """

    name: str
    settings: CompletionsSettings
    environ: Mapping[str, str]
    default_db: Path
    fresh: str = ""
    accounts: tuple[Account, ...] = ()
    unattended: bool = False
    wanted: str = ""
    stages: bool = True
    patient: bool = False


def ask_in_batches(
    prompts: Artifact,
    campaign: Campaign,
    *,
    before_first: Callable[[], None],
    progress: Progress,
) -> tuple[AfterBatches, Standing]:
    """Ask for what a set's prompts lack, as far as that goes now.

    Args:
        prompts: The prompts of a set.
        campaign: What the batches are for.
        before_first: Refuses what may not be begun.
        progress: Is told of lines done.

    Returns:
        What is left to do when no batch is under way, and what was paid.

    Raises:
        WaitingError: If batches are under way.
        StageError: If the provider refuses for good, or is not there for long.
        CacheError: If the ledger cannot be used.
    """
    settings = campaign.settings
    with open_batches(
        settings,
        campaign.environ,
        campaign=campaign.name,
        default_db=campaign.default_db,
        fresh=campaign.fresh,
        accounts=campaign.accounts,
        unattended=campaign.unattended,
        wanted=campaign.wanted,
    ) as driver:
        ledger = driver.ledger
        if not ledger.is_open():
            before_first()
        look_up = looking_up(ledger.cache, settings)
        choices = choices_of(settings)
        rounds = Rounds(
            driver,
            lambda: next_requests(lambda: _opened(prompts), choices, look_up),
            settings,
            stages=campaign.stages,
        )
        while not (standing := rounds.look()).is_done:
            live = standing.live
            progress(sum(b.completed for b in live), sum(b.lines for b in live), "requests")
            if not campaign.patient:
                raise WaitingError(
                    _told(standing),
                    where=campaign.name,
                    remedy="batch_sensor goes on when they have ended; so does another run",
                )
            time.sleep(settings.batch_poll_seconds)
        spent = ledger.spent_usd()
    unsent = None if standing.may_send else standing.lacking
    after = AfterBatches(
        campaign=campaign.name,
        since=ledger.cache.since,
        unsent=unsent,
        spent_usd=spent,
        accounts=driver.accounts,
    )
    return after, standing


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
