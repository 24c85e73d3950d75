"""Batches for what records still need of a model: each record's next request, round by round."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.rounds import Rounds, Standing
from resonare_pipeline.completions.lookup import LookUp, looking_up
from resonare_pipeline.completions.opening import AfterBatches
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.requesting import Counting
from resonare_pipeline.records.walking import Choices

Opening = Callable[[], AbstractContextManager[Iterable[Record]]]
"""Opens the records anew."""


def next_requests(
    opening: Opening, choices: Choices, look_up: LookUp
) -> Iterator[CompletionRequest]:
    """Yield the next request of every record that lacks one's answer.

    Args:
        opening: Opens the records.
        choices: What is asked of whom.
        look_up: Tells what is answered, and what is failed for good.

    Raises:
        InputError: If the records cannot be read.
    """
    counting = Counting(choices=choices, assumed_tokens=None, look_up=look_up)
    with opening() as records:
        yield from counting.requests(records)


def ask_in_batches(
    driver: Driver,
    opening: Opening,
    choices: Choices,
    settings: CompletionsSettings,
    *,
    wait: Callable[[Standing], None],
    stages: bool = True,
) -> tuple[AfterBatches, Standing]:
    """Ask for all that records need, and return what is left to do when no batch is under way.

    Args:
        driver: Works on the batches of the campaign.
        opening: Opens the records.
        choices: What is asked of whom.
        settings: How it is asked.
        wait: Is called between two looks while batches are under way; it may raise, to go away.
        stages: New batches are made; else only those under way are seen to their end.

    Raises:
        InputError: If the records cannot be read.
        StageError: If the provider refuses for good, or is not there for long.
        CacheError: If the ledger cannot be used.
    """
    ledger = driver.ledger
    look_up = looking_up(ledger.cache, settings)
    rounds = Rounds(
        driver, lambda: next_requests(opening, choices, look_up), settings, stages=stages
    )
    while not (standing := rounds.look()).is_done:
        wait(standing)
    after = AfterBatches(
        campaign=ledger.campaign,
        since=ledger.cache.since,
        unsent=None if standing.may_send else standing.lacking,
        spent_usd=ledger.spent_usd(),
        accounts=driver.accounts,
    )
    return after, standing
