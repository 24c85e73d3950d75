"""Batches that the provider refused after looking through their files.

Nothing of these ran or was billed. What their `errors` say decides: too many tokens enqueued (wait,
or smaller batches), single lines that are at fault (these are refused, the others go again), or the
whole batch (the run ends, for every further one would fail alike).
"""

from collections.abc import Callable, Container
from pathlib import Path

import msgspec

from resonare_pipeline.completions.answers import describe_error
from resonare_pipeline.completions.batches.batch import Batch, RemoteBatch, RemoteError, State
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.lines import InputLine
from resonare_pipeline.completions.batches.queueing import (
    TOO_MANY_CODE,
    learn_limit,
    learned_limit,
    told_limit,
)
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.completions.settings import CompletionsSettings

LONGEST_WAIT_SECONDS = 900.0
MOST_REFUSALS = 100  # for want of room; at the longest wait about a day
PATIENT_REFUSALS = 3  # of a batch that is alone, before it is made smaller; a few minutes
TOO_LONG = "its prompt alone is longer than all that may be enqueued"

OF_THE_BATCH = {
    "billing_hard_limit_reached": Failure.BUDGET,
    "insufficient_quota": Failure.BUDGET,
    "invalid_model": Failure.UNAUTHORISED,
    "model_not_found": Failure.UNAUTHORISED,
}
"""Codes that say what somebody must mend first; after any other one it is tried again."""


def settle_failed(
    ledger: Ledger,
    settings: CompletionsSettings,
    batch: Batch,
    found: RemoteBatch,
    *,
    drop: Callable[[Batch], None],
    download: Callable[[str, Path], bool],
    folder: Path,
) -> Batch:
    """Settle a batch of status `failed`, or let it wait for room.

    Args:
        ledger: Where it stands.
        settings: Tries and waits.
        batch: As the ledger has it.
        found: As the provider has it.
        drop: Gives a batch up of which nothing ran.
        download: Writes a file of the provider's to a path; False if it is gone.
        folder: Where that may lie.
    """
    reasons = found.reasons
    if any(reason.code == TOO_MANY_CODE for reason in reasons):
        return _wait_for_room(ledger, settings, batch, reasons, drop)
    detail = _told(reasons)
    code = next((reason.code for reason in reasons if reason.code in OF_THE_BATCH), None)
    if code is not None:  # at whatever line: the others would fail alike
        lacking = Setback(failure=OF_THE_BATCH[code], detail=detail)
        return _ended(ledger, settings.batch_tries, batch, lacking, detail)
    numbers = {reason.line: reason for reason in reasons if reason.line}
    if numbers and batch.input_file and not batch.source:
        keys = _keys(batch.input_file, numbers, download, folder / f"{batch.batch}.part")
        setbacks = [
            Setback(key=key, failure=Failure.INVALID, detail=_told([numbers[number]]))
            for number, key in keys.items()
        ]
        if setbacks:
            ledger.store(batch, [], setbacks, settings.batch_tries)
            return _ended(ledger, settings.batch_tries, batch, Setback(failure=None), detail)
    lacking = Setback(failure=Failure.SERVER, detail=detail)
    return _ended(ledger, settings.batch_tries, batch, lacking, detail)


def _ended(ledger: Ledger, tries: int, batch: Batch, lacking: Setback, detail: str) -> Batch:
    values = {"state": State.COLLECTED, "settled_at": ledger.clock(), "detail": detail}
    ledger.settle(batch, lacking, tries, **values)
    return msgspec.structs.replace(batch, **values)


def _wait_for_room(
    ledger: Ledger,
    settings: CompletionsSettings,
    batch: Batch,
    reasons: list[RemoteError],
    drop: Callable[[Batch], None],
) -> Batch:
    detail = _told(reasons)
    limits = [told_limit(reason.message or "") for reason in reasons]
    limit = next((tokens for tokens in limits if tokens is not None), None)
    if batch.refusals >= PATIENT_REFUSALS and _is_alone(ledger, batch) and batch.lines > 1:
        # Nothing of ours takes the room, so by the provider's count it may never fit.
        limit = min(limit or batch.tokens, batch.tokens // 2)
    if limit is not None:
        known = learned_limit(ledger, batch.model)
        learn_limit(ledger, batch.model, min(limit, known or limit))
    is_too_large = limit is not None and batch.tokens > limit
    if batch.source == "" and is_too_large and batch.lines > 1:
        drop(batch)
        return batch
    if is_too_large or batch.refusals >= MOST_REFUSALS:
        said = TOO_LONG if is_too_large else detail
        tries = 1 if is_too_large else settings.batch_tries
        return _ended(ledger, tries, batch, Setback(failure=Failure.RATE, detail=said), detail)
    pause = min(LONGEST_WAIT_SECONDS, settings.batch_poll_seconds * 2 ** min(batch.refusals, 20))
    return ledger.change(
        batch,
        state=State.UPLOADED,
        remote=None,
        refusals=batch.refusals + 1,
        wait_until=ledger.clock() + pause,
        detail=detail,
    )


def _is_alone(ledger: Ledger, batch: Batch) -> bool:
    return not any(
        other.is_enqueued and other.model == batch.model and other.batch != batch.batch
        for other in ledger.batches(live=True)
    )


def _told(reasons: list[RemoteError]) -> str:
    """Return what was said, without long quotations."""
    said = [
        describe_error({"code": reason.code, "message": reason.message}) for reason in reasons[:3]
    ]
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return ("; ".join(said) or "the provider gave no reason") + more


def _keys(
    file: str,
    numbers: Container[int],
    download: Callable[[str, Path], bool],
    path: Path,
) -> dict[int, str]:
    """Return number of a line, from 1 → its custom id, for the lines that are at fault."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not download(file, path):
            return {}
        with path.open("rb") as stream:
            return {
                number: msgspec.json.decode(line, type=InputLine).custom_id
                for number, line in enumerate(stream, 1)
                if number in numbers
            }
    finally:
        path.unlink(missing_ok=True)
