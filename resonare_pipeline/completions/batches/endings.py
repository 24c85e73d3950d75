"""Looks at submitted batches, and what becomes of those that have ended, are late, or are gone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from resonare_pipeline.completions.batches.batch import (
    ENDED,
    WINDOW_SECONDS,
    Batch,
    RemoteBatch,
    State,
)
from resonare_pipeline.completions.batches.collecting import LOST, Collector
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.refusals import settle_failed
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.completions.settings import CompletionsSettings

if TYPE_CHECKING:
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK

GRACE_SECONDS = 3600.0  # after its window, in which a batch may still be ended by the provider
LISTING_LOOKS = 2  # a batch that was just made may not be listed at once
LATE_LOOKS = 10  # at a completed batch whose files the provider has not named yet


class Endings:
    """Ends batches as the provider ends them.

    Args:
        ledger: Where they stand.
        remote: Where they run.
        settings: Tries and waits.
        collector: Takes in what they brought.
        folder: Where files lie while they are read.
        drop: Gives a batch up of which nothing ran.
    """

    def __init__(
        self,
        ledger: Ledger,
        remote: "Remote",
        settings: CompletionsSettings,
        collector: Collector,
        folder: Path,
        drop: Callable[[Batch], None],
    ) -> None:
        self._ledger = ledger
        self._remote = remote
        self._settings = settings
        self._collector = collector
        self._folder = folder
        self._drop = drop

    def look_at(self, batch: Batch) -> None:
        """Look at a submitted batch, and end it if the provider has."""
        assert batch.remote is not None  # noqa: S101  # for the type checker
        found = self._remote.look(batch.remote)
        if found is None:
            self._vanished(batch)
            return
        counts = found.counts
        batch = self._ledger.change(
            batch,
            status=found.status,
            completed=counts.completed or 0,
            failed=counts.failed or 0,
            looks=max(0, batch.looks),
        )
        if found.status == "failed":
            batch = settle_failed(
                self._ledger,
                self._settings,
                batch,
                found,
                drop=self._drop,
                download=self._remote.download,
                folder=self._folder,
            )
            if batch.state is State.COLLECTED:
                self._collector.tidy(batch, found)
        elif found.status in ENDED:
            if _is_late(found) and batch.looks < LATE_LOOKS:
                self._ledger.change(batch, looks=batch.looks + 1)
            else:
                self._ended(batch, found)
        elif self._is_overdue(batch):
            self._remote.cancel(found.id)
            detail = f"the batch is {found.status!r} long after its time was over"
            lacking = Setback(failure=Failure.EXPIRED, detail=detail)
            self._ended(batch, found, lacking=lacking)

    def _ended(self, batch: Batch, found: RemoteBatch, *, lacking: Setback | None = None) -> None:
        """Collect a batch; what came of a file of somebody's waits until they want it."""
        if batch.source:
            now = self._ledger.clock()
            self._ledger.change(batch, state=State.ENDED, settled_at=now, looks=0)
        else:
            self._collector.collect(batch, found, lacking=lacking)

    def _is_overdue(self, batch: Batch) -> bool:
        since = batch.submitted_at if batch.submitted_at is not None else batch.staged_at
        return self._ledger.clock() - since > WINDOW_SECONDS + GRACE_SECONDS

    def _vanished(self, batch: Batch) -> None:
        """Take a batch's lines as lost, once it was looked for in vain some times in a row."""
        if batch.looks > -LISTING_LOOKS:
            self._ledger.change(batch, looks=min(0, batch.looks) - 1)
            return
        self._end(batch, msgspec.structs.replace(LOST, detail="the provider has lost the batch"))

    def _end(self, batch: Batch, lacking: Setback) -> None:
        tries, now = self._settings.batch_tries, self._ledger.clock()
        if batch.source:
            self._ledger.change(batch, state=State.ENDED, settled_at=now, detail=lacking.detail)
            return
        self._ledger.settle(batch, lacking, tries, state=State.COLLECTED, settled_at=now)
        ended = msgspec.structs.replace(batch, state=State.COLLECTED, settled_at=now)
        self._collector.tidy(ended, None)


def _is_late(found: RemoteBatch) -> bool:
    """Tell whether files are still to be named: some lines are done, and no file holds them."""
    counts = found.counts
    lacks_output = found.output_file_id is None and counts.completed != 0
    lacks_errors = found.error_file_id is None and bool(counts.failed)
    if counts.completed is None and found.error_file_id is not None:
        lacks_output = False
    return lacks_output or lacks_errors
