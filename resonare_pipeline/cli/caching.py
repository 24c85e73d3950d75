"""`resonare cache`: list, verify and prune artifacts."""

import datetime as dt
import json
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.artifacts.upkeep import listing, prune, verify
from resonare_pipeline.planning.plan import plan
from resonare_pipeline.planning.workspace import Workspace

MEGABYTE = 1_000_000


def list_artifacts(workspace: Workspace, *, as_json: bool) -> None:
    """Print every artifact in the store."""
    rows = list(listing(workspace.store))
    if as_json:
        objects = [
            {
                "stage": row.stage,
                "partition": row.partition,
                "fingerprint": row.fingerprint,
                "made_at": row.made_at,
                "used_on": row.used_on,
                "bytes": row.size,
                "rows": row.rows,
            }
            for row in rows
        ]
        sys.stdout.write(json.dumps(objects, ensure_ascii=False) + "\n")
        return
    table = Table()
    for name in ("stage", "partition", "fingerprint", "made at", "used on"):
        table.add_column(name, overflow="fold")
    for name in ("MB", "rows"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.stage,
            escape(row.partition or ""),
            row.fingerprint[:12],
            row.made_at[:19],
            row.used_on,
            f"{row.size / MEGABYTE:.2f}",
            f"{row.rows:,}",
        )
    console = Console()
    console.print(table)
    console.print(f"{len(rows)} artifacts in {escape(workspace.store.files.uri)}")


def verify_artifacts(workspace: Workspace) -> int:
    """Hash every file again, print what is damaged, and return the exit code."""
    damaged = 0
    for manifest, problem in verify(workspace.store):
        damaged += 1
        name = f"{manifest.stage} {manifest.partition or ''} {manifest.fingerprint[:12]}"
        sys.stdout.write(f"damaged: {name}: {problem}\n")
    sys.stdout.write(f"{damaged} damaged artifacts\n")
    if damaged:
        sys.stdout.write("The next run makes them again\n")
    return 1 if damaged else 0


def prune_artifacts(workspace: Workspace, *, keep_days: int, dry_run: bool) -> None:
    """Delete what is neither current nor lately used, and print how much that was."""
    current = plan(
        workspace.graph,
        workspace.settings,
        workspace.list_raw(),
        workspace.store,
        as_it_stands=True,
    )
    kept = {
        (entry.stage.name, entry.partition, entry.fingerprint)
        for entry in current.entries.values()
        if entry.fingerprint
    }
    report = prune(
        workspace.store,
        current=kept,
        keep_days=keep_days,
        today=dt.datetime.now(dt.UTC).date(),
        dry_run=dry_run,
    )
    verb = "would delete" if dry_run else "deleted"
    sys.stdout.write(
        f"{verb} {report.artifacts} artifacts and {report.attempts} unfinished attempts, "
        f"{report.size / MEGABYTE:.1f} MB; kept {report.kept}\n"
    )
