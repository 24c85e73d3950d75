"""What came of a file that somebody submitted: files beside it, in the order of its lines.

`<stem>.output.jsonl` holds the provider's lines that are answers, byte for byte;
`<stem>.failed.jsonl` the requests that have none, with the reason; `<stem>.retry.jsonl` the input's
lines of those that may be asked again. Every request is in the first or in the second. They take
their places when they are whole; only then does the provider's copy go.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.scratch import scratch_folder
from resonare_pipeline.completions.answers import describe_error
from resonare_pipeline.completions.batches.batch import RemoteBatch
from resonare_pipeline.completions.batches.checking import InputFile, KnownRequest
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.hand_made import (
    HandMade,
    Submission,
    note_written,
    submissions,
)
from resonare_pipeline.completions.batches.matching import Match, Results, lacking_of
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.pricing import price_of
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import InputChangedError, InputError, StageError

if TYPE_CHECKING:
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK

OUTPUT, FAILED, RETRY = "output", "failed", "retry"
UNSUBMITTED = "unsubmitted"  # the reason of a request that was never run
BACK = "Put the file back as it was; until then its results stay at the provider"


@dataclass(slots=True)
class Tally:
    """What a batch's answers came to.

    Attributes:
        cost_usd: Of those whose price is known.
        unpriced: Those whose cost is not known.
    """

    answered: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0


@dataclass(slots=True, kw_only=True)
class Written:
    """What writing a submission's results came to.

    Attributes:
        source: The file that was submitted.
        failed: Requests without an answer, by reason.
        retry: How many of them may be asked again.
        repeated: Further lines for a request that had one already.
        unknown: Lines for a request that is not in the file.
        malformed: Lines that are no results.
        is_by_copy: The file was not as it was, so its order is that of the provider's copy.
        paths: The files that were written, by kind; the output is always there.
        tallies: What each batch came to, by our id.
    """

    source: Path
    failed: Counter[str] = field(default_factory=Counter)
    retry: int = 0
    repeated: int = 0
    unknown: int = 0
    malformed: int = 0
    is_by_copy: bool = False
    paths: dict[str, Path] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Lines of the output file."""
        return sum(tally.answered for tally in self.tallies.values())

    @property
    def cost_usd(self) -> float:
        """Of the answers whose price is known."""
        return sum(tally.cost_usd for tally in self.tallies.values())

    @property
    def unpriced(self) -> int:
        """Answers whose cost is not known."""
        return sum(tally.unpriced for tally in self.tallies.values())


def write_results(
    driver: Driver, submission: Submission, settings: CompletionsSettings, folder: Path | None
) -> Written:
    """Fetch what came of a submission that is over, and write it.

    The driver's next look deletes the provider's files, as the settings say.

    Args:
        driver: Its endpoint and ledger.
        submission: Every batch of it has ended.
        settings: Prices.
        folder: Where to; None: beside the file that was submitted.

    Raises:
        InputError: If that file is not what was submitted.
        NotNowError: If the provider's files cannot be had for now.
        StageError: If another process has written it meanwhile.
        StoreError: If the results cannot be written.
    """
    source = submission.source
    written = Written(source=source)
    with scratch_folder() as scratch, Results() as results:
        asked = _input(driver.remote, submission, scratch)
        written.is_by_copy = asked.file.path != source
        found = _fetch(driver.remote, submission, results, scratch)
        # Who writes it first deletes the provider's files after; so what is missing now may be
        # missing for that.
        _require_unwritten(driver, submission)
        with _placed(folder or source.parent, source.stem, written) as streams:
            _Sorter(asked, results, found, streams, written, settings).run()
        written.repeated, written.malformed = results.repeated, results.malformed
        written.unknown = results.left
    told = {name: asdict(tally) for name, tally in written.tallies.items()}
    note_written(driver.ledger, submission, told)
    return written


@dataclass(frozen=True, slots=True)
class _Asked:
    """The file that was asked, read to its end, and which of its lines are in which batch."""

    file: InputFile
    batches: tuple[HandMade, ...]


def _input(remote: "Remote", submission: Submission, scratch: Path) -> _Asked:
    """Return the file that was submitted; the provider's copy of it if it is not as it was.

    Raises:
        InputError: If there is neither.
    """
    source = submission.source
    if source.is_file():
        file = _read(source)
        if file.digest == submission.content:
            return _Asked(file, submission.batches)
    single = submission.batches[0] if len(submission.batches) == 1 else None
    copy = scratch / "input"
    if single and single.batch.input_file and remote.download(single.batch.input_file, copy):
        lines = msgspec.structs.replace(single, first=1, last=single.batch.lines)
        return _Asked(_read(copy), (lines,))
    if not source.is_file():
        raise InputError("the file that was submitted is gone", where=str(source), remedy=BACK)
    raise InputChangedError(
        "the file has changed since it was submitted", where=str(source), remedy=BACK
    )


def _read(path: Path) -> InputFile:
    file = InputFile(path)
    for _ in file.texts():
        pass
    return file


def _require_unwritten(driver: Driver, submission: Submission) -> None:
    waiting = submissions(driver.ledger, content=submission.content)
    if not any(one.submission == submission.submission for one in waiting):
        raise StageError("another process has written its results", where=str(submission.source))


def _fetch(
    remote: "Remote", submission: Submission, results: Results, scratch: Path
) -> dict[str, RemoteBatch | None]:
    """Download the files of every batch; return each as the provider has it, by our id."""
    found: dict[str, RemoteBatch | None] = {}
    for item in submission.batches:
        name = item.batch.batch
        state = remote.look(item.batch.remote) if item.batch.remote else None
        found[name] = state
        files = (state.output_file_id, state.error_file_id) if state else ()
        for number, file in enumerate(files):
            path = scratch / f"{name}.{number}"
            if file and remote.download(file, path):
                results.take_in(path)
            elif file:
                results.lost.add(name)
    return found


class _Sorter:
    """Brings results into the order of the input's lines."""

    def __init__(
        self,
        asked: _Asked,
        results: Results,
        found: dict[str, RemoteBatch | None],
        streams: dict[str, BinaryIO],
        written: Written,
        settings: CompletionsSettings,
    ) -> None:
        self._asked = asked
        self._results = results
        self._named = {name: _named_lines(state) for name, state in found.items()}
        self._streams = streams
        self._written = written
        self._settings = settings

    def run(self) -> None:
        """Write every request's result, or why it has none."""
        file, digest = self._asked.file, self._asked.file.digest
        positions = _Positions(self._asked.batches)
        for request in file.known():
            item, position = positions.place(request)
            match = self._results.take(request.custom_id)
            if match is not None and match.is_answer:
                self._streams[OUTPUT].write(match.text + b"\n")
                self._count(item, match)
            else:
                self._fail(request, match, self._setback(match, item, position))
        if file.digest != digest:
            raise InputChangedError(
                "the file changed while it was being read", where=str(file.path), remedy=BACK
            )

    def _setback(self, match: Match | None, item: HandMade, position: int) -> Setback:
        if match is not None:
            return match.setback
        name = item.batch.batch
        said = self._named[name].get(position)
        return lacking_of(item.batch, said, is_lost=name in self._results.lost)

    def _fail(self, request: KnownRequest, match: Match | None, setback: Setback) -> None:
        again = setback.failure is None or setback.failure.is_retryable
        reason = UNSUBMITTED if setback.failure is None else str(setback.failure)
        self._written.failed[reason] += 1
        entry = {
            "custom_id": request.custom_id,
            "line": request.number,
            "reason": reason,
            "detail": setback.detail,
            "may_be_asked_again": again,
            "result": msgspec.Raw(match.text) if match else None,
        }
        self._streams[FAILED].write(msgspec.json.encode(entry) + b"\n")
        if again:
            self._streams[RETRY].write(request.text + b"\n")
            self._written.retry += 1

    def _count(self, item: HandMade, match: Match) -> None:
        tally = self._written.tallies.setdefault(item.batch.batch, Tally())
        price = price_of(item.batch.model, self._settings)
        tally.answered += 1
        if price is None or (match.usage is None and not price.is_free):
            tally.unpriced += 1
        elif match.usage is not None:
            tally.cost_usd += price.cost_usd(match.usage, batch=True)


def _named_lines(state: RemoteBatch | None) -> dict[int, str]:
    """Return number of a line in the batch's file → what its validation found wrong with it."""
    return {
        error.line: describe_error({"code": error.code, "message": error.message})
        for error in (state.reasons if state else [])
        if error.line
    }


class _Positions:
    """Finds the batch of each line, and where it stands in that batch's file."""

    def __init__(self, batches: Sequence[HandMade]) -> None:
        self._batches = [(item, item.part) for item in batches]
        self._before: Counter[str] = Counter()

    def place(self, request: KnownRequest) -> tuple[HandMade, int]:
        """Return the last batch that a line is in, and its number there, from 1."""
        found: HandMade | None = None
        for item, part in self._batches:
            is_within = part.first <= request.number <= part.last
            if is_within and part.group == (request.model, request.url):
                self._before[item.batch.batch] += 1
                found = item
        assert found is not None  # noqa: S101  # every line of the file was put into a part
        return found, self._before[found.batch.batch]


@contextmanager
def _placed(folder: Path, stem: str, written: Written) -> Iterator[dict[str, BinaryIO]]:
    """Open the three files, and put them in their places when all are whole.

    One that would be empty is not left, and a former one of its name goes; the output alone is
    there in any case.
    """
    files = LocalFiles(folder)
    names = {kind: f"{stem}.{kind}.jsonl" for kind in (OUTPUT, FAILED, RETRY)}
    with ExitStack() as stack:
        yield {kind: stack.enter_context(files.open_write(name)) for kind, name in names.items()}
    counts = {OUTPUT: 1, FAILED: written.failed.total(), RETRY: written.retry}
    for kind, name in names.items():
        if counts[kind]:
            written.paths[kind] = folder / name
        else:
            files.delete(name)
