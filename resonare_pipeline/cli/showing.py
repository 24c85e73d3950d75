"""`resonare show`: the first rows of an artifact, for people or as JSON lines."""

import datetime as dt
import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.artifacts.reading import first_rows
from resonare_pipeline.cli.display import said
from resonare_pipeline.loading import find_artifact
from resonare_pipeline.planning.workspace import Workspace

LONGEST_CELL = 60  # characters


def show_asset(
    workspace: Workspace, asset: str, partition: str | None, *, rows: int, as_json: bool
) -> None:
    """Print an artifact's first rows."""
    artifact = find_artifact(workspace, asset, partition)
    found = first_rows(artifact, rows)
    if as_json:
        for row in found:
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        return
    console = Console()
    if found and _is_conversation(found[0]):
        for number, row in enumerate(found, start=1):
            console.print(f"[bold]{number}[/]")
            for turn in row["messages"]:
                line = f"[cyan]{turn['role']}[/]: {escape(said(turn))}"
                console.print(line, highlight=False)
    elif len(found) == 1:
        console.print_json(json.dumps(found[0], ensure_ascii=False, default=str))
    else:
        console.print(_table(found))
    console.print(f"{len(found)} of {artifact.entry.rows:,} rows")


def _is_conversation(row: dict[str, Any]) -> bool:
    turns = row.get("messages")
    return isinstance(turns, list) and all("role" in turn for turn in turns)


def _table(rows: list[dict[str, Any]]) -> Table:
    filled = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    table = Table()
    for name in filled:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(row[name])) for name in filled))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
