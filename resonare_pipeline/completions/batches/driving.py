"""One look at every live batch, and the step that each of them is due.

    staged → uploaded → submitted → collected → settled

What a step asks of the provider is written down before; so a process that dies leaves a row from
which this or another one goes on. A batch of which nobody knows whether it was made is looked for
in the provider's listing, by the id that its metadata hold, before it is made (again).
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.batches.batch import (
    Batch,
    RemoteBatch,
    State,
)
from resonare_pipeline.completions.batches.collecting import Collector
from resonare_pipeline.completions.batches.endings import LISTING_LOOKS, Endings
from resonare_pipeline.completions.batches.faults import NotNowError, UnsureError
from resonare_pipeline.completions.batches.files import remove
from resonare_pipeline.completions.batches.ledger import Ledger, MovedError
from resonare_pipeline.completions.batches.queueing import queue_limit
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.batches.staging import Staged, Stager
from resonare_pipeline.completions.cache.store import ALIVE_SECONDS
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import StageError, WaitingError

if TYPE_CHECKING:
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK

UNREACHED_LOOKS = 30  # in a row without any answer: nobody is there
CLOCK_SLACK_SECONDS = 86_400.0  # between the provider's clock and this one


class Driver:
    """Works on the live batches of one endpoint; used within `with`.

    Args:
        ledger: Where they stand.
        remote: Where they are made.
        settings: Their limits, and how often they are looked at.
        endpoint: Whose they are.
        folder: Where files lie on this machine.

    Attributes:
        cap_usd: Most that the campaign may cost; None: no cap.
        accounts: What is spent together with other runs, each with a cap of its own.
        unreached: What the provider last said when it could not be had; empty if it could.
        refused: Files submitted by hand that the provider will never take, by the batch's id.
    """

    def __init__(
        self,
        ledger: Ledger,
        remote: "Remote",
        settings: CompletionsSettings,
        endpoint: Endpoint,
        folder: Path,
    ) -> None:
        self.ledger = ledger
        self.unreached = ""
        self.refused: dict[str, StageError] = {}
        self.cap_usd = settings.max_cost_usd
        self.accounts: tuple[Account, ...] = ()
        self.folder = folder
        self.remote = remote
        self.collector = Collector(ledger, remote, settings, endpoint, folder)
        self._settings = settings
        self._endpoint = endpoint
        self._endings = Endings(ledger, remote, settings, self.collector, folder, self._drop)
        self._failed_looks = 0
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="batches", daemon=True)

    def __enter__(self) -> "Driver":
        self.ledger.sweep()
        self.ledger.beat()
        self._pulse.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # What only waits for room goes on with the next run; what an error stopped does not.
        gives_up = kind is not None and not issubclass(kind, WaitingError)
        self._ended.set()
        self._pulse.join()
        try:
            for batch in self._mine():
                if not batch.is_begun:
                    self._drop(batch)
                    if gives_up and batch.lines:
                        self.ledger.change(batch, is_closed=True)
            self.ledger.leave()
        finally:
            self.remote.close()

    def _beat(self) -> None:
        while not self._ended.wait(ALIVE_SECONDS / 6):
            try:
                self.ledger.beat()
            except Exception:  # noqa: BLE001, S112  # the next visit will say what is wrong
                continue

    def stage(self, requests: Iterable[CompletionRequest]) -> Staged:
        """Write the files of a round; they are submitted by the looks that follow.

        Raises:
            SettingsError: If there is a cap, and nothing says what a request can cost.
        """
        stager = Stager(
            ledger=self.ledger,
            settings=self._settings,
            endpoint=self._endpoint,
            folder=self.folder,
            drop=self._drop,
            cap_usd=self.cap_usd,
            accounts=self.accounts,
        )
        return stager.stage(requests)

    def advance(self) -> list[Batch]:
        """Take each live batch as far as it goes now, and return those that are still live.

        Raises:
            StageError: If the provider refuses for good, or is not there for long.
            CacheError: If the ledger cannot be used.
        """
        self.unreached = ""
        batches = self.ledger.take()
        for batch in batches:
            if not batch.is_begun and not self.ledger.is_own(batch):
                self._drop(batch)  # its process has died, and others may have asked for its lines
            elif self.ledger.clock() >= batch.wait_until:
                try:
                    self._step(batch)
                except MovedError:
                    continue  # whoever has it now goes on with it
                except NotNowError as error:
                    self.unreached = str(error)
                except StageError as error:
                    self._refuse(batch, error)
        self._failed_looks = self._failed_looks + 1 if self.unreached else 0
        if self._failed_looks >= UNREACHED_LOOKS:
            raise StageError(
                f"the endpoint cannot be reached: {self.unreached}",
                remedy="Batches go on there; give the same command again",
            )
        return self.ledger.batches(live=True)

    def cancel(self, batch: Batch) -> None:
        """Ask for a batch's end; it is collected when it has ended.

        Raises:
            NotNowError: If the provider cannot be had.
        """
        if batch.remote is not None:
            self.remote.cancel(batch.remote)
        elif not batch.is_enqueued:
            self._drop(batch)

    def _mine(self) -> list[Batch]:
        mine = self.ledger.cache.owner
        return [batch for batch in self.ledger.batches(live=True) if batch.driver == mine]

    def _drop(self, batch: Batch) -> None:
        """Give up a batch of which nothing ran; its requests are free again."""
        nothing, now = Setback(failure=None), self.ledger.clock()
        remove(batch.path)  # first, for nobody looks for the file of a batch that is given up
        try:
            self.ledger.settle(batch, nothing, 1, state=State.DROPPED, settled_at=now)
        except MovedError:
            return
        try:
            files = self.remote.uploaded(batch.batch) if batch.looks else []
            for file in (batch.input_file, *files):
                if file:
                    self.remote.delete(file)
        except (NotNowError, StageError):
            return  # a file that lies there costs nothing

    def _refuse(self, batch: Batch, error: StageError) -> None:
        """Give up a file of somebody's that is refused: it is no reason to stop for anybody else.

        Raises:
            StageError: For every other batch, and for one that runs.
        """
        current = self.ledger.batches(batch=batch.batch)[0]
        if not current.source or current.is_enqueued or current.remote is not None:
            raise error
        self.refused[batch.batch] = error
        self._drop(current)
        self.ledger.change(current, detail=error.found)

    def _step(self, batch: Batch) -> None:
        if batch.state is State.STAGED and not Path(batch.path).is_file():
            self._drop(batch)  # somebody has removed it; its requests are staged anew
            return
        if batch.state is State.STAGED and self._has_room(batch):
            batch = self._uploaded(batch)
        if batch.state is State.UPLOADED and self._has_room(batch):
            batch = self._created(batch)
        elif batch.state is State.SUBMITTED:
            self._endings.look_at(batch)
        elif batch.state is State.COLLECTED:
            self.collector.tidy(batch, self.remote.look(batch.remote or ""))

    def _uploaded(self, batch: Batch) -> Batch:
        # Should the upload break, `looks` tells that a part of it may lie there.
        batch = self.ledger.change(batch, looks=batch.looks + 1)
        file = self.remote.upload(Path(batch.path), batch.batch)
        if batch.looks > 1:
            for other in self.remote.uploaded(batch.batch):
                if other != file:
                    self.remote.delete(other)
        return self.ledger.change(batch, input_file=file, state=State.UPLOADED, looks=0)

    def _has_room(self, batch: Batch) -> bool:
        """Tell whether its tokens fit; what is larger than the limit itself is staged anew."""
        limit = queue_limit(batch.model, self._settings, self.ledger)
        if batch.is_enqueued or limit is None:
            return True
        if batch.tokens > limit and batch.lines > 1:
            self._drop(batch)
            return False
        enqueued = [
            other.tokens
            for other in self.ledger.batches(live=True)
            if other.is_enqueued and other.model == batch.model
        ]
        return not enqueued or sum(enqueued) + batch.tokens <= limit

    def _created(self, batch: Batch) -> Batch:
        """Make the batch, or find the one that was made."""
        if batch.creating_at is not None and not self._may_create(batch):
            return batch
        begun = self.ledger.begin(batch)
        if begun is None:
            self._drop(batch)
            return batch
        batch = begun
        remove(batch.path)
        try:
            found = self.remote.create(batch.input_file or "", batch.url, batch.batch)
        except UnsureError as error:
            self.unreached = str(error)
            return batch
        except (NotNowError, StageError):
            self.ledger.change(batch, creating_at=None)
            raise
        try:
            return self._submitted(batch, found)
        except MovedError:
            self._give_up(batch, found)
            raise

    def _give_up(self, batch: Batch, made: RemoteBatch) -> None:
        """Cancel a batch that was made while another process took it on, unless it found that."""
        known = self.ledger.batches(batch=batch.batch)
        if not any(other.remote == made.id for other in known):
            self.remote.cancel(made.id)

    def _may_create(self, batch: Batch) -> bool:
        """Look for a batch that may have been made; tell whether it is certain that none was."""
        assert batch.creating_at is not None  # noqa: S101  # for the type checker
        since = batch.staged_at - CLOCK_SLACK_SECONDS
        named = self.remote.named(batch.batch, since=since)
        # Those that were refused for want of room are known; of them each refusal tells of one.
        failed = [item for item in named if item.status == "failed"][batch.refusals :]
        found = [item for item in named if item.status != "failed"] or failed
        for repeated in found[1:]:
            self.remote.cancel(repeated.id)
        if found:
            self._submitted(batch, found[0])
            return False
        looked = self.ledger.change(batch, looks=batch.looks + 1)
        waited = self.ledger.clock() - batch.creating_at
        return (
            looked.looks > LISTING_LOOKS
            and waited >= LISTING_LOOKS * self._settings.batch_poll_seconds
        )

    def _submitted(self, batch: Batch, found: RemoteBatch) -> Batch:
        return self.ledger.change(
            batch,
            remote=found.id,
            status=found.status,
            state=State.SUBMITTED,
            creating_at=None,
            submitted_at=self.ledger.clock(),
            looks=0,
        )
