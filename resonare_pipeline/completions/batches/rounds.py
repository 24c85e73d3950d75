"""Rounds: what is to be asked → batches → answers in the cache → what is to be asked then.

A round is staged when nothing of the campaign is under way any more. Later turns see the answers of
earlier ones, so a conversation takes a round for each turn; and what a round brought no answer for
goes into the next one, until it was tried often enough. Nobody waits here: a caller looks again.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from resonare_pipeline.completions.batch_settings import Mode
from resonare_pipeline.completions.batches.batch import Batch
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.requests import CompletionRequest, Failure
from resonare_pipeline.completions.settings import CompletionsSettings

Walk = Callable[[], Iterator[CompletionRequest]]
"""Goes through all records anew, and yields each one's next request that has no answer yet."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign stands.

    Attributes:
        live: Its batches that are under way.
        elsewhere: Requests that wait for other campaigns' batches, or for other processes.
        is_done: Nothing is left for batches.
        may_send: What is left may be asked online.
        lacking: What became of requests that are not to be asked any more.
        unreached: What the provider said when it could not be had; empty if it could.
        cost_usd: What the campaign's answers have cost so far.
        unpriced: Answers whose cost is not known.
    """

    live: tuple[Batch, ...] = ()
    elsewhere: int = 0
    is_done: bool = False
    may_send: bool = False
    lacking: Failure = Failure.EXPIRED
    unreached: str = ""
    cost_usd: float = 0.0
    unpriced: int = 0


class Rounds:
    """A campaign's rounds.

    Args:
        driver: Works on its batches.
        walk: Tells what is to be asked.
        settings: Whether the last few are asked online.
        stages: Whether new batches are made; else only those under way are seen to their end.
    """

    def __init__(
        self, driver: Driver, walk: Walk, settings: CompletionsSettings, *, stages: bool = True
    ) -> None:
        self._driver = driver
        self._walk = walk
        self._settings = settings
        self._stages = stages

    def look(self) -> Standing:
        """Take everything as far as it goes now.

        Raises:
            StageError: If the provider refuses for good, or is not there for long.
            CacheError: If the ledger cannot be used.
            SettingsError: If there is a cap, and nothing says what a request can cost.
        """
        if live := self._live():
            return self._standing(live=live)
        if not self._stages or self._are_few_left():
            return self._standing(is_done=True, may_send=True)
        staged = self._driver.stage(self._walk())
        if not staged.lines and not staged.elsewhere:
            lacking = Failure.BUDGET if staged.over_cap else Failure.EXPIRED
            return self._standing(is_done=True, lacking=lacking)
        return self._standing(live=self._live(), elsewhere=staged.elsewhere)

    def _standing(self, **values: Any) -> Standing:
        paid = self._driver.ledger.paid()
        return Standing(
            unreached=self._driver.unreached, cost_usd=paid[0], unpriced=paid[1], **values
        )

    def _live(self) -> tuple[Batch, ...]:
        campaign = self._driver.ledger.campaign
        return tuple(batch for batch in self._driver.advance() if batch.campaign == campaign)

    def _are_few_left(self) -> bool:
        if self._settings.batch_tail is not Mode.ONLINE or not self._driver.ledger.has_run():
            return False
        most = self._settings.batch_tail_requests
        left = sum(1 for _ in islice(self._walk(), most + 1))
        return 0 < left <= most
