"""`resonare batch cancel`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from resonare_pipeline.cli.batch_opening import choose, named_batches
from resonare_pipeline.cli.batch_reports import console, counted
from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.faults import NotNowError
from resonare_pipeline.errors import SettingsError

ASKED = "the provider is asked to end it"
DROPPED = "dropped before it was made"
ENDED = "has ended already"
ELSEWHERE = "another process is submitting it: end that first"
UNSURE = "it is not known yet whether it was made: collect, then cancel"


def run_cancel(ids: Sequence[str], env: Path | None, *, yes: bool, as_json: bool) -> int:
    """Cancel batches, and return the exit code: 1 if one could not be.

    Args:
        ids: Of batches, ours or the provider's; none: all that are under way.
        env: File with the variables.
        yes: Do not ask first.
        as_json: Print one JSON object.

    Raises:
        UnknownBatchError: For an id that the ledger does not know.
        SettingsError: If nobody is there to be asked.
    """
    with choose(env).driver() as driver:
        ledger = driver.ledger
        batches = named_batches(ledger, ids) if ids else ledger.batches(live=True)
        if not ids:
            batches = [batch for batch in batches if _is_under_way(batch)]
        if batches and not yes:
            _confirm(batches)
        own = {batch.batch for batch in ledger.take()}
        told = {batch.batch: _cancel(driver, batch, own) for batch in batches}
    if as_json:
        found = [
            {"id": batch.batch, "remote": batch.remote, "said": told[batch.batch]}
            for batch in batches
        ]
        sys.stdout.write(json.dumps({"batches": found}, ensure_ascii=False) + "\n")
    else:
        _print(batches, told)
    done = (ASKED, DROPPED, ENDED)
    return 0 if all(said in done for said in told.values()) else 1


def _print(batches: Sequence[Batch], told: dict[str, str]) -> None:
    out = console()
    for batch in batches:
        out.print(f"{batch.remote or batch.batch}: {told[batch.batch]}", markup=False)
    if not batches:
        out.print("No batch is under way")
    if ASKED in told.values():
        out.print(
            "Lines that are answered by then are billed and kept: `resonare batch collect` brings "
            "them, and so does the command that submitted them",
            markup=False,
        )


def _is_under_way(batch: Batch) -> bool:
    return batch.state in (State.STAGED, State.UPLOADED, State.SUBMITTED)


def _confirm(batches: Sequence[Batch]) -> None:
    if not sys.stdin.isatty():
        raise SettingsError(
            f"{counted(len(batches), 'batch')} would be cancelled, and nobody is there to be asked",
            expected="--yes",
        )
    if not typer.confirm(f"Cancel {counted(len(batches), 'batch')}?"):
        raise typer.Abort


def _cancel(driver: Driver, batch: Batch, own: set[str]) -> str:
    if not _is_under_way(batch):
        return ENDED
    if batch.remote is None:
        if batch.is_enqueued:
            return UNSURE
        if batch.batch not in own:
            return ELSEWHERE
    try:
        driver.cancel(batch)
    except NotNowError as error:
        return f"not reached: {error}"
    return ASKED if batch.remote is not None else DROPPED
