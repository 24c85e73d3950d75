"""Looking at batches until what came of them is where it belongs."""

from pathlib import Path

from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.by_hand import stage_refused
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.faults import NotNowError
from resonare_pipeline.completions.batches.hand_made import Submission, submissions
from resonare_pipeline.completions.batches.results import Written, write_results
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import ResonareError


class Collecting:
    """What one call collects.

    Args:
        driver: Works on the batches.
        settings: Prices.
        folder: Where results go; None: beside the file that was submitted.
        wanted: Our ids of batches; None: all.
        resplits: Submit in smaller parts what was refused for its size.

    Attributes:
        written: What came of files that were submitted by hand.
        settled: Batches of campaigns that ended meanwhile.
        pending: Batches that are under way.
        errors: Why results could not be written.
    """

    def __init__(
        self,
        driver: Driver,
        settings: CompletionsSettings,
        folder: Path | None,
        wanted: set[str] | None,
        *,
        resplits: bool = False,
    ) -> None:
        self.wanted = wanted
        self.written: list[Written] = []
        self.settled: list[Batch] = []
        self.pending: list[Batch] = []
        self.errors: list[ResonareError] = []
        self._driver = driver
        self._settings = settings
        self._folder = folder
        self._has_changed = False
        self._resplits = resplits
        self._resplit: set[str] = set()
        self._given_up: set[str] = set()
        self._campaigns = {
            batch.batch
            for batch in driver.ledger.batches(live=True)
            if not batch.source and self._is_wanted(batch)
        }

    def look(self) -> bool:
        """Take everything as far as it goes now, and tell whether something is left to wait for.

        Raises:
            StageError: If the provider refuses for good, or is not there for long.
            CacheError: If the ledger cannot be used.
        """
        live = self._driver.advance()
        waits = False
        for submission in submissions(self._driver.ledger):
            if submission.is_over and self._is_of_interest(submission):
                waits |= self._write(submission)
        if self._has_changed:
            live = self._advance_again()
        self.pending = [
            batch for batch in live if batch.state is not State.ENDED and self._is_wanted(batch)
        ]
        self.settled = [
            batch
            for name in sorted(self._campaigns)
            for batch in self._driver.ledger.batches(batch=name)
            if not batch.state.is_live
        ]
        return waits or bool(self.pending)

    @property
    def elsewhere(self) -> int:
        """How many of the pending ones other processes work on."""
        own = self._driver.ledger.cache.owner
        return sum(batch.driver not in (None, own) for batch in self.pending)

    def _is_wanted(self, batch: Batch) -> bool:
        return self.wanted is None or batch.batch in self.wanted

    def _is_of_interest(self, submission: Submission) -> bool:
        names = {item.batch.batch for item in submission.batches}
        is_wanted = self.wanted is None or bool(names & self.wanted)
        return is_wanted and submission.submission not in self._given_up

    def _write(self, submission: Submission) -> bool:
        """Write results; tell whether that must be tried again."""
        try:
            if self._resplits and self._is_resplit(submission):
                return True
            if submission.was_made:
                self.written.append(
                    write_results(self._driver, submission, self._settings, self._folder)
                )
                self._has_changed = True
        except NotNowError as error:
            self._driver.unreached = str(error)
            return True
        except ResonareError as error:
            self.errors.append(error)
            self._given_up.add(submission.submission)
        return False

    def _is_resplit(self, submission: Submission) -> bool:
        made = stage_refused(self._driver, self._settings, submission, self._resplit)
        if self.wanted is not None:
            self.wanted.update(made)
        self._has_changed |= bool(made)
        return bool(made)

    def _advance_again(self) -> list[Batch]:
        """Tidy up what is collected by now, and submit what is new."""
        unreached, self._has_changed = self._driver.unreached, False
        live = self._driver.advance()
        self._driver.unreached = self._driver.unreached or unreached
        return live
