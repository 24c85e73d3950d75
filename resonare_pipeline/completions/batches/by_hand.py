"""Submitting a batch's input file that somebody brings, through the ledger.

    checked → planned in parts → written down and staged → the driver uploads and submits

A file is known by the hash of its bytes: while it is under way, or when it was asked already, it is
not submitted again. Of one whose submission broke off, only the lines that never ran go again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from resonare_pipeline.completions.batches.batch import Batch, State, new_batch_id
from resonare_pipeline.completions.batches.checking import InputFile
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.hand_made import (
    CAMPAIGN,
    HandMade,
    Submission,
    count_of,
    put_down,
    submissions,
)
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.parting import (
    Limits,
    Part,
    covering,
    plan_parts,
    write_parts,
)
from resonare_pipeline.completions.batches.queueing import listed_limit, queue_limit
from resonare_pipeline.completions.batches.staging import FILLING
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import BudgetError, StageError
from resonare_pipeline.progress import Progress, silent


def own_limits(settings: CompletionsSettings) -> Limits:
    """Return the limits that are known without asking the ledger or anybody."""

    def tokens(model: str) -> int | None:
        given = settings.batch_enqueued_tokens
        return given if given is not None else listed_limit(model, settings.batch_tier)

    return Limits(lines=settings.batch_lines, bytes=settings.batch_bytes, tokens=tokens)


def learned_limits(settings: CompletionsSettings, ledger: Ledger) -> Limits:
    """Return the limits, with those that refusals told."""
    known: dict[str, int | None] = {}

    def tokens(model: str) -> int | None:
        if model not in known:
            known[model] = queue_limit(model, settings, ledger)
        return known[model]

    return Limits(lines=settings.batch_lines, bytes=settings.batch_bytes, tokens=tokens)


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A file that may be submitted.

    Attributes:
        file: It was read to its end.
        parts: What is to be submitted of it.
        goes_on: The submission that broke off; None: a new one.
        counted: How many batches had been made of it.
    """

    file: InputFile
    parts: list[Part]
    goes_on: Submission | None
    counted: int


def prepare(
    ledger: Ledger,
    settings: CompletionsSettings,
    path: Path,
    *,
    again: bool,
    report: Progress = silent,
) -> Prepared:
    """Check a file and plan its parts.

    Args:
        ledger: Knows what was submitted before.
        settings: Limits and prices.
        path: Of the file.
        again: Submit it although it was asked already.
        report: Is told how far its readings are.

    Raises:
        InputError: For a file that is none of a batch's requests.
        StageError: If it is under way, or was asked already.
    """
    file = InputFile(path, report)
    for _ in file.checked():
        pass
    counted = count_of(ledger, file.digest)
    known = submissions(ledger, content=file.digest, written=True)
    goes_on = None if again else _going_on(known[-1] if known else None)
    running = goes_on.running if goes_on else []
    digest = file.digest
    parts = plan_parts(
        file.checked(),
        learned_limits(settings, ledger),
        where=path,
        assumed_output_tokens=settings.assumed_output_tokens,
        left_out=covering(running),
    )
    file.digest = digest  # writing compares with what was checked first
    if not parts and goes_on is not None:
        raise _under_way(goes_on)
    return Prepared(file=file, parts=parts, goes_on=goes_on, counted=counted)


def _going_on(last: Submission | None) -> Submission | None:
    """Return a submission whose lines have not all been submitted, if that is what it is.

    Raises:
        StageError: If its results are here.
    """
    if last is None or (last.is_written and not last.running):
        return None
    if not last.is_written:
        return last
    stem = last.source.stem
    raise StageError(
        "the same file was asked already, and what came of it is here",
        where=str(last.source),
        expected="a file with other bytes",
        remedy=f"What may be asked again, if anything may, is in {stem}.retry.jsonl; --again asks"
        " for all of it, and pays for it, once more",
    )


def _under_way(last: Submission) -> StageError:
    names = ", ".join(item.batch.remote or item.batch.batch for item in last.batches[:3])
    more = f" and {len(last.batches) - 3} more" if len(last.batches) > 3 else ""
    found = "is under way" if not last.is_over else "has ended, and waits to be collected"
    return StageError(
        f"the same file {found}, as {names}{more}",
        where=str(last.source),
        remedy="`resonare batch collect` brings what came of it; --again asks for all of it, and"
        " pays for it, once more",
    )


def require_cost_within_cap(prepared: Sequence[Prepared], settings: CompletionsSettings) -> None:
    """Refuse files whose estimate is over the cap.

    Raises:
        BudgetError: If it is, or if a cap is set and a price is not known.
    """
    cap = settings.max_cost_usd
    parts = [part for one in prepared for part in one.parts]
    if cap is None:
        return
    costs = [part.cost_usd(settings) for part in parts]
    if None in costs:
        unknown = parts[costs.index(None)].model
        raise BudgetError(
            f"the price of {unknown!r} is not known, so no cap can be kept",
            where="completions.max_cost_usd",
            remedy="Set input_usd_per_million and output_usd_per_million, or take the cap away",
        )
    total = sum(cost or 0.0 for cost in costs)
    if total > cap:
        raise BudgetError(
            f"{sum(part.lines for part in parts):,} requests would cost about ${total:.4f} as"
            f" batches, and ${cap:.4f} is the cap; nothing was sent",
            where="completions.max_cost_usd",
            remedy="Raise the cap, or submit a smaller file",
        )


def stage(driver: Driver, prepared: Prepared) -> list[str]:
    """Write a file's parts down and stage them; the driver's looks submit them.

    Returns:
        Our ids of the batches.

    Raises:
        StageError: If another process has submitted the file meanwhile.
        InputChangedError: If the file changed; nothing of it is submitted then.
    """
    ledger, source = driver.ledger, str(prepared.file.path.resolve())
    driver.folder.mkdir(parents=True, exist_ok=True)
    made = [_made(driver, part, source) for part in prepared.parts]
    batches = {_place(item.part): item.batch for item in made}
    put_down(
        ledger,
        prepared.file.digest,
        made,
        goes_on=prepared.goes_on,
        counted=prepared.counted,
    )
    opened = _opening(batches)
    write_parts(prepared.file, prepared.parts, opened)
    for item in made:
        ledger.change(item.batch, wait_until=0.0)
    return [item.batch.batch for item in made]


def stage_refused(
    driver: Driver, settings: CompletionsSettings, submission: Submission, done: set[str]
) -> list[str]:
    """Stage once more, in smaller parts, what was refused as larger than all that may be enqueued.

    Args:
        driver: Works on the batches.
        settings: Limits.
        submission: Everything of it has ended.
        done: Batches that this was done for; those of now are added.

    Returns:
        Our ids of the new batches.

    Raises:
        InputError: If the file is not what was submitted.
    """
    limits = learned_limits(settings, driver.ledger)
    refused = {
        item.batch.batch
        for item in submission.batches
        if not item.has_run and item.batch.lines > 1 and _is_over(item.batch, limits)
    }
    if not refused - done:
        return []
    done |= refused
    prepared = prepare(driver.ledger, settings, submission.source, again=False)
    return stage(driver, prepared)


def _is_over(batch: Batch, limits: Limits) -> bool:
    most = limits.tokens(batch.model)
    return most is not None and batch.tokens > most


def _made(driver: Driver, part: Part, source: str) -> HandMade:
    name = new_batch_id()
    batch = Batch(
        batch=name,
        campaign=CAMPAIGN,
        endpoint=driver.ledger.endpoint,
        model=part.model,
        url=part.url,
        state=State.STAGED,
        source=source,
        path=str((driver.folder / f"{name}.jsonl").resolve()),
        lines=part.lines,
        bytes=part.bytes,
        tokens=part.tokens,
        staged_at=driver.ledger.clock(),
        wait_until=FILLING,
    )
    return HandMade(batch=batch, first=part.first, last=part.last)


def _place(part: Part) -> tuple[str, str, int]:
    return (*part.group, part.first)


def _opening(batches: dict[tuple[str, str, int], Batch]) -> Callable[[Part], BinaryIO]:
    return lambda part: Path(batches[_place(part)].path).open("wb")
