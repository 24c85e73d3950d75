"""`resonare plan`: what would be made, and why."""

import json
import sys
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.cli.display import called
from resonare_pipeline.cli.request import Request
from resonare_pipeline.planning.plan import DUE, Entry, Plan, Status

if TYPE_CHECKING:
    from resonare_pipeline.cli.plan_costs import Expected

STYLES = {
    Status.HIT: "green",
    Status.STALE: "yellow",
    Status.WAITS: "dim",
    Status.FAILED: "red",
}


def show_plan(request: Request, *, force: bool, as_json: bool) -> int:
    """Print how every stage stands, and return the exit code."""
    request.require_inputs()
    current = request.plan()
    entries = request.entries(current)
    costs = _costs(request, current, entries)
    if as_json:
        rows = [_as_object(entry, force=force) for entry in entries]
        found = {"stages": rows, "costs": [msgspec.to_builtins(cost) for cost in costs]}
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _print(entries, force=force)
        for cost in costs:
            Console(soft_wrap=True).print(cost.text, markup=False, highlight=False)
    return 1 if any(entry.error for entry in entries) else 0


def _costs(request: Request, current: Plan, entries: list[Entry]) -> list["Expected"]:
    """Return what would be paid for; nothing of that is loaded where no answers are lacking."""
    if not any(_is_paid(entry) and not entry.is_whole for entry in entries):
        return []
    from resonare_pipeline.cli.plan_costs import expected_costs

    return expected_costs(request.workspace, current, entries)


def _is_paid(entry: Entry) -> bool:
    return entry.stage.may_wait or entry.stage.reads_attachments(entry.settings)


def _status(entry: Entry, *, force: bool) -> tuple[Status, tuple[str, ...]]:
    if force and entry.status is Status.HIT:
        return Status.STALE, ("forced",)
    if entry.is_due:
        return Status.STALE, (DUE,)
    return entry.status, (str(entry.error),) if entry.error else entry.reasons


def _as_object(entry: Entry, *, force: bool) -> dict[str, object]:
    status, reasons = _status(entry, force=force)
    return {
        "stage": entry.stage.name,
        "assets": list(entry.stage.assets),
        "partition": entry.partition,
        "status": status.value,
        "reasons": list(reasons),
        "fingerprint": entry.fingerprint,
    }


def _print(entries: list[Entry], *, force: bool) -> None:
    table = Table()
    for name in (called(entry.stage for entry in entries), "assets", "status", "why"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        status, reasons = _status(entry, force=force)
        table.add_row(
            escape(entry.partition or ""),
            ", ".join(entry.stage.assets),
            f"[{STYLES[status]}]{status.value}[/]",
            escape("; ".join(reasons)),
        )
    console = Console()
    console.print(table)
    counts = {
        status: sum(_status(entry, force=force)[0] is status for entry in entries)
        for status in Status
    }
    console.print(", ".join(f"{count} {status.value}" for status, count in counts.items()))
