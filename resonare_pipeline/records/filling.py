"""Records with their empty assistant turns filled: many at a time, out in input order.

Knows neither files nor formats, nor who answers. A record's turns are asked for one after the
other, since each sees the answers before it; records go side by side. What is held is bounded by
number and by bytes, however many records there are.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from resonare_pipeline.completions.reach import Reach
from resonare_pipeline.completions.requests import Completer, Failure, Outcome
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import Prompt
from resonare_pipeline.records.reasons import (
    RECORD_ERRORS,
    DropReason,
    UnusableRecordError,
)
from resonare_pipeline.records.understanding import fill_in, prompt_of
from resonare_pipeline.records.walking import Choices, Walk

RECORDS_A_REQUEST = 16  # so that one slow answer keeps few others from being asked for
FEWEST_HELD = 1_024
MOST_HELD_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of a record.

    Attributes:
        text: With its answers; None: it stays as it is.
        outcomes: Number of the turn, and what came of asking for it.
        reason: Why it is left out: of `DropReason` or `Failure`; empty if it is not.
    """

    text: bytes | None = None
    prompt: Prompt | None = None
    outcomes: tuple[tuple[int, Outcome], ...] = ()
    reason: str = ""
    detail: str = ""


class Sink(Protocol):
    """Takes what became of records, in input order."""

    def keep(self, record: Record, filled: Filled) -> None:
        """Take a record that goes on.

        Raises:
            UnusableRecordError: If it has no place; it is left out then.
        """
        ...

    def drop(self, record: Record, filled: Filled) -> None:
        """Take a record that is left out."""
        ...


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of a run, while it goes on and at its end.

    Attributes:
        done: How far the input is read and written, as records tell it.
        filled: Records with new answers.
        untouched: Records that stay as they are.
        answers: Turns that were answered, those of records left out included.
        cached: Answers that were there already.
        cost_usd: Of what was sent now, as far as prices are known.
        unpriced: Requests that were sent for a price that is not known.
        dropped: Reason → records.
        firsts: Reason → the first record left out for it: its place, and what was found there.
        reach: What it shows of the endpoint.
    """

    read: int = 0
    done: int = 0
    filled: int = 0
    untouched: int = 0
    answers: int = 0
    cached: int = 0
    mock: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)

    def note(self, outcome: Outcome) -> None:
        """Count one outcome.

        Raises:
            StageError: If it shows that every further request would fail.
        """
        if outcome.cost_usd is None:
            self.unpriced += 1
        self.cost_usd += outcome.cost_usd or 0.0
        if outcome.completion is not None and not outcome.cached:
            self.input_tokens += outcome.completion.usage.input_tokens
            self.output_tokens += outcome.completion.usage.output_tokens
        if outcome.completion is not None and outcome.failure is None:
            self.answers += 1
            self.cached += outcome.cached
            self.mock += outcome.completion.mock
        self.reach.note(outcome)

    def note_left_out(self, record: Record, filled: Filled) -> None:
        """Count a record that is left out."""
        reason = str(filled.reason)
        self.dropped[reason] += 1
        self.firsts.setdefault(reason, ": ".join(filter(None, (record.place, filled.detail))))

    @property
    def retryable(self) -> dict[str, int]:
        """Records left out for reasons that asking again may change, by reason."""
        kinds = {failure.value for failure in Failure if failure.is_retryable}
        return {reason: count for reason, count in self.dropped.items() if reason in kinds}


async def fill(
    records: Iterable[Record], completer: Completer, choices: Choices, sink: Sink, report: Report
) -> None:
    """Fill records, and hand each to the sink in input order.

    Raises:
        StageError: If every further request would fail. What was answered is in the cache.
    """
    held: deque[tuple[Record, Filled | asyncio.Task[Filled]]] = deque()
    held_bytes = 0
    most = max(FEWEST_HELD, RECORDS_A_REQUEST * choices.concurrency)
    try:
        for record in islice(records, choices.first, choices.last):
            report.read += 1
            held.append((record, _begin(record, completer, choices, report)))
            held_bytes += len(record.text)
            while held and (
                _is_done(held[0][1]) or len(held) > most or held_bytes > MOST_HELD_BYTES
            ):
                held_bytes -= len(held[0][0].text)
                await _hand_over(held, sink, report)
        while held:
            await _hand_over(held, sink, report)
        report.reach.require()
    finally:
        tasks = [task for _, task in held if isinstance(task, asyncio.Task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_done(result: Filled | asyncio.Task[Filled]) -> bool:
    return not isinstance(result, asyncio.Task) or result.done()


def _begin(
    record: Record, completer: Completer, choices: Choices, report: Report
) -> Filled | asyncio.Task[Filled]:
    """Return what becomes of a record, or the task that will find out."""
    try:
        prompt = prompt_of(record, has_padding=choices.has_padding)
    except (UnusableRecordError, *RECORD_ERRORS) as error:
        return _left_out(error)
    if not prompt.empty or (choices.skip_existing and prompt.has_answer):
        return Filled(prompt=prompt)
    return asyncio.create_task(_fill_record(record, prompt, completer, choices, report))


async def _hand_over(
    held: deque[tuple[Record, Filled | asyncio.Task[Filled]]], sink: Sink, report: Report
) -> None:
    record, result = held[0]
    filled = await result if isinstance(result, asyncio.Task) else result
    held.popleft()
    if not filled.reason:
        try:
            sink.keep(record, filled)
        except (UnusableRecordError, *RECORD_ERRORS) as error:
            filled = _left_out(error, filled.outcomes)
    if filled.reason:
        sink.drop(record, filled)
        report.note_left_out(record, filled)
    elif filled.text is None:
        report.untouched += 1
    else:
        report.filled += 1
    report.done = record.done


def _left_out(error: Exception, outcomes: tuple[tuple[int, Outcome], ...] = ()) -> Filled:
    """Return that a record is left out for an error; one that is not its own is raised again."""
    if isinstance(error, UnusableRecordError):
        return Filled(reason=error.reason, detail=error.found, outcomes=outcomes)
    if isinstance(error, ResonareError):
        raise error
    # The kind alone: what the error says may hold text of the record.
    kind = type(error).__name__
    return Filled(reason=DropReason.UNEXPECTED, detail=kind, outcomes=outcomes)


async def _fill_record(
    record: Record, prompt: Prompt, completer: Completer, choices: Choices, report: Report
) -> Filled:
    outcomes: list[tuple[int, Outcome]] = []
    try:
        return await _answered(record, prompt, completer, choices, report, outcomes)
    except (UnusableRecordError, *RECORD_ERRORS) as error:
        return _left_out(error, tuple(outcomes))


async def _answered(
    record: Record,
    prompt: Prompt,
    completer: Completer,
    choices: Choices,
    report: Report,
    outcomes: list[tuple[int, Outcome]],
) -> Filled:
    """Ask for each turn in order; what came of it is in `outcomes` at once."""
    walk = Walk(prompt)
    while walk.turn is not None:
        number = walk.turn
        if walk.lacks_results():
            missing = DropReason.TOOL_RESULT_MISSING
            return Filled(prompt=prompt, outcomes=tuple(outcomes), reason=missing)
        request = walk.request(choices)
        outcome = await completer.complete(request)
        report.note(outcome)
        outcomes.append((number, outcome))
        if outcome.failure is not None or outcome.completion is None:  # both: what is no answer
            reason = outcome.failure or DropReason.ANSWER_MISSING
            return Filled(
                prompt=prompt, outcomes=tuple(outcomes), reason=reason, detail=outcome.detail
            )
        walk.put(outcome.completion.message)
    answers = [(prompt.turns[number], answer) for number, answer in walk.answers.items()]
    text = fill_in(record.text, prompt, answers)
    return Filled(text=text, prompt=prompt, outcomes=tuple(outcomes))
