"""`resonare batch ls`: the ledger's batches, as the provider has them now."""

import datetime as dt
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from rich.markup import escape

from resonare_pipeline.cli.batch_display import status_of
from resonare_pipeline.cli.batch_opening import choose
from resonare_pipeline.cli.batch_reports import console, counted, dollars
from resonare_pipeline.completions.batches.batch import METADATA_KEY, Batch, RemoteBatch, State
from resonare_pipeline.completions.batches.faults import NotNowError
from resonare_pipeline.completions.batches.hand_made import submissions
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.remote import Remote

MOST_LISTED = 1_000  # of the provider's batches are looked through for ones that are not known


@dataclass(slots=True)
class _Listing:
    """What is shown.

    Attributes:
        strange: Batches of the provider that carry an id of ours which the ledger does not have.
        unreached: Why the provider was not asked, or not to the end.
    """

    batches: list[Batch]
    strange: list[RemoteBatch] = field(default_factory=list)
    unreached: str = ""


def list_batches(env: Path | None, *, everything: bool, offline: bool, as_json: bool) -> int:
    """Print batches, and return the exit code: 1 if the provider could not be asked.

    Raises:
        SettingsError: For what is missing of the endpoint.
        StageError: If the provider refuses the key.
        CacheError: If the ledger cannot be read.
    """
    chosen = choose(env)
    with ExitStack() as stack:
        if offline:
            cache = stack.enter_context(chosen.cache())
            ledger = Ledger(cache, chosen.settings.endpoint_name())
            listing = _Listing(_shown(ledger, everything=everything))
        else:
            driver = stack.enter_context(chosen.driver())
            ledger = driver.ledger
            listing = _looked_up(ledger, driver.remote, everything=everything)
    if as_json:
        found = [_as_object(batch) for batch in listing.batches]
        found += [_strange_object(state) for state in listing.strange]
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _print(listing, ledger.endpoint)
    if listing.unreached:
        sys.stderr.write(f"not reached: {listing.unreached}\n")
    return 1 if listing.unreached else 0


def _shown(ledger: Ledger, *, everything: bool) -> list[Batch]:
    """Return the batches with something left to be done, results to be collected included."""
    batches = ledger.batches()
    waiting = {item.batch.batch for one in submissions(ledger) for item in one.batches}
    return [
        batch
        for batch in batches
        if everything
        or batch.state.is_live
        or (batch.batch in waiting and batch.state is not State.DROPPED)
    ]


def _looked_up(ledger: Ledger, remote: Remote, *, everything: bool) -> _Listing:
    listing = _Listing(_shown(ledger, everything=everything))
    try:
        listing.batches = [_now(ledger, remote, batch) for batch in listing.batches]
        listing.strange = _strange(ledger, remote)
    except NotNowError as error:
        listing.unreached = str(error)
    return listing


def _now(ledger: Ledger, remote: Remote, batch: Batch) -> Batch:
    """Return a batch as the provider has it now, and write its counts down."""
    if batch.state is not State.SUBMITTED or batch.remote is None:
        return batch
    state = remote.look(batch.remote)
    if state is None:
        return msgspec.structs.replace(batch, status="not found at the provider")
    counts = state.counts
    return ledger.change(
        batch,
        status=state.status,
        completed=counts.completed or 0,
        failed=counts.failed or 0,
    )


def _strange(ledger: Ledger, remote: Remote) -> list[RemoteBatch]:
    known = {batch.batch for batch in ledger.batches()}
    marked = (
        (str((state.metadata or {}).get(METADATA_KEY, "")), state)
        for state in islice(remote.listed(), MOST_LISTED)
    )
    return [state for name, state in marked if name and name not in known]


def _as_object(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.batch,
        "remote": batch.remote,
        "is_known": True,
        "state": str(batch.state),
        "status": batch.status,
        "model": batch.model,
        "lines": batch.lines,
        "completed": batch.completed,
        "failed": batch.failed,
        "campaign": "" if batch.source else batch.campaign,
        "file": batch.source,
        "since": _time(batch.staged_at),
        "cost_usd": batch.cost_usd,
        "unpriced": batch.unpriced,
        "detail": batch.detail,
    }


def _strange_object(state: RemoteBatch) -> dict[str, Any]:
    counts = state.counts
    return {
        "id": str((state.metadata or {}).get(METADATA_KEY, "")),
        "remote": state.id,
        "is_known": False,
        "state": "",
        "status": state.status,
        "lines": counts.total,
        "completed": counts.completed,
        "failed": counts.failed,
        "since": None if state.created_at is None else _time(state.created_at),
    }


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def _print(listing: _Listing, endpoint: str) -> None:
    out = console()
    for batch in listing.batches:
        out.print(f"[bold]{batch.remote or batch.batch}[/]  {escape(_status(batch))}")
        out.print(f"    {_line(batch)}", markup=False)
    out.print(f"{counted(len(listing.batches), 'batch')} of {endpoint}", markup=False)
    if any(batch.state is State.ENDED for batch in listing.batches):
        out.print("`resonare batch collect` brings what has ended", markup=False)
    for state in listing.strange:
        counts = state.counts
        out.print(
            f"not in this ledger, but made by resonare: {state.id}  {state.status}  "
            f"{counts.completed or 0:,} of {counts.total or 0:,} lines done",
            markup=False,
        )


def _line(batch: Batch) -> str:
    parts = [f"{batch.completed:,} of {counted(batch.lines, 'line')} done"]
    if batch.failed:
        parts.append(f"{batch.failed:,} failed")
    parts += [batch.model, f"since {_time(batch.staged_at)[:16].replace('T', ' ')} UTC"]
    if batch.answered:
        parts.append(dollars(batch.cost_usd, batch.unpriced))
    if batch.remote is not None:
        parts.append(batch.batch)
    return "  ".join([*parts, batch.source or batch.campaign])


def _status(batch: Batch) -> str:
    """Return how far a batch is, in the provider's word where it has one."""
    if batch.state is State.ENDED:
        return f"{batch.status}, to be collected"
    said = status_of(batch) if batch.state.is_live else f"{batch.state} {batch.status}".strip()
    return f"{said}: {batch.detail}" if batch.detail else said
