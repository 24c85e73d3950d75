"""What the provider wrote of a batch → the cache: answers, and setbacks of what has none.

Files are read line by line and joined by `custom_id`, whatever their order. It can be done again
after a crash: what is stored has no claim any more and is passed over.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from resonare_pipeline.completions.answers import Judged
from resonare_pipeline.completions.batches.batch import Batch, RemoteBatch, State
from resonare_pipeline.completions.batches.files import remove, writing
from resonare_pipeline.completions.batches.ledger import Ledger, MovedError
from resonare_pipeline.completions.batches.lines import judge_line, read_output
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.cache.store import Answered, Record
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.pricing import price_of
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.completions.settings import CompletionsSettings

if TYPE_CHECKING:
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK

CHUNK = 500  # lines that are stored together

LACKING = {
    "expired": Setback(failure=Failure.EXPIRED, detail="the batch's time was over before its turn"),
    "cancelled": Setback(
        failure=Failure.CANCELLED, detail="the batch was cancelled before its turn"
    ),
}
LOST = Setback(
    failure=Failure.SERVER,
    detail="the batch ended without a line for it",
    may_be_billed=True,
)


class Collector:
    """Takes in what came of ended batches.

    Args:
        ledger: Where they stand.
        remote: Where their files are.
        settings: Prices, tries, whether files are deleted.
        endpoint: Whose answers they are.
        folder: Where files lie while they are read.
    """

    def __init__(
        self,
        ledger: Ledger,
        remote: "Remote",
        settings: CompletionsSettings,
        endpoint: Endpoint,
        folder: Path,
    ) -> None:
        self._ledger = ledger
        self._remote = remote
        self._settings = settings
        self._endpoint = endpoint
        self._folder = folder

    def collect(self, batch: Batch, found: RemoteBatch, *, lacking: Setback | None = None) -> Batch:
        """Store what a batch brought, and end it; what it brought nothing for is a setback.

        Args:
            batch: As the ledger has it.
            found: As the provider has it.
            lacking: What that is put down to; None: what its status says.

        Raises:
            NotNowError: If its files cannot be had for now.
            MovedError: If another process has collected it meanwhile.
        """
        files = (found.output_file_id, found.error_file_id)
        gone = [file for file in files if file and not self._take_in(batch, file)]
        lacking = lacking or LACKING.get(found.status, LOST)
        if gone:
            detail = f"the provider has lost the file {gone[0]}, which it may have been in"
            lacking = msgspec.structs.replace(LOST, detail=detail)
        values = {"state": State.COLLECTED, "settled_at": self._ledger.clock()}
        self._ledger.settle(batch, lacking, self._settings.batch_tries, **values)
        return self.tidy(msgspec.structs.replace(batch, **values), found)

    def tidy(self, batch: Batch, found: RemoteBatch | None) -> Batch:
        """Delete the files of a batch that is collected."""
        for path in (batch.path, *map(str, self._folder.glob(f"{batch.batch}.*"))):
            remove(path)  # what a process left that was killed, too
        if self._settings.batch_delete_files:
            theirs = (found.output_file_id, found.error_file_id) if found else ()
            for file in (batch.input_file, *theirs):
                if file:
                    self._remote.delete(file)
        return self._ledger.change(batch, state=State.SETTLED)

    def _take_in(self, batch: Batch, file: str) -> bool:
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        # By no name of the provider's, and by one that no other process writes to.
        path = self._folder / f"{batch.batch}.{self._ledger.cache.owner}.part"
        try:
            if not self._remote.download(file, path):
                return False
            answers: list[Answered] = []
            setbacks: list[Setback] = []
            for key, judged in judged_lines(path, batch.model):
                if judged.completion is not None:
                    answers.append(self._answered(batch, key, judged))
                else:
                    setbacks.append(Setback(key=key, failure=judged.failure, detail=judged.detail))
                if len(answers) + len(setbacks) == CHUNK:
                    self._store(batch, answers, setbacks)
                    answers, setbacks = [], []
            self._store(batch, answers, setbacks)
        except FileNotFoundError as error:
            raise MovedError("another process has collected the batch") from error
        finally:
            path.unlink(missing_ok=True)
        return True

    def _store(self, batch: Batch, answers: list[Answered], setbacks: list[Setback]) -> None:
        if answers or setbacks:
            self._ledger.store(batch, answers, setbacks, self._settings.batch_tries)

    def _answered(self, batch: Batch, key: str, judged: Judged) -> Answered:
        price = price_of(batch.model, self._settings)
        cost = None
        if price is not None and judged.completion and (judged.is_counted or price.is_free):
            cost = price.cost_usd(judged.completion.usage, batch=True)
        return Answered(
            key=key,
            record=Record(
                completion=judged.completion, failure=judged.failure, detail=judged.detail
            ),
            provider=self._endpoint.provider,
            endpoint=self._endpoint.name,
            cost_usd=cost,
            # Where nobody knows, what was reserved for a line, one as the other.
            charged_usd=batch.reserved_usd / max(1, batch.lines) if cost is None else cost,
        )


def judged_lines(
    path: Path, model: str, malformed: Counter[str] | None = None
) -> Iterator[tuple[str, Judged]]:
    """Yield the custom ids of an output or error file, and what each line amounts to.

    Args:
        path: Of the file.
        model: That was asked.
        malformed: Counts lines that are none, which are left out.
    """
    with path.open("rb") as stream:
        for text in stream:
            if not text.strip():
                continue
            line = read_output(text)
            if line is None:
                if malformed is not None:
                    malformed["lines"] += 1
                continue
            yield line.custom_id, judge_line(line, model=model)
