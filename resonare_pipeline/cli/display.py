"""What a run shows: progress while it goes, a table and examples when it is done.

Progress goes to standard error, results to standard output; colours vanish when piped.
"""

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from resonare_pipeline.artifacts.files import Files
from resonare_pipeline.artifacts.manifest import FileEntry, OutputEntry
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.planning.made import Cache, Made
from resonare_pipeline.progress import Progress as Report

if TYPE_CHECKING:
    from resonare_pipeline.cli.request import Request
    from resonare_pipeline.cli.running import RunReport

EXAMPLES = 3
EXCERPTS_GROUP = "style"  # its train.jsonl holds windows, bursts and answers
LONGEST_LINE = 300  # characters of one turn shown in an example


class _Amount(ProgressColumn):
    """How much is done, and how fast: bytes as megabytes, all else as it is."""

    def render(self, task: Task) -> Text:
        unit = task.fields["unit"]
        scale, name, form = (1e6, "MB", ",.1f") if unit == "bytes" else (1.0, unit, ",.0f")
        if task.total is None or not unit:
            return Text("")
        amount = f"{task.completed / scale:{form}} of {task.total / scale:{form}} {name}"
        rate = f", {task.speed / scale:{form}}/s" if task.speed else ""
        return Text(amount + rate)


def _terminal() -> IO[str]:
    """Return standard error as it is now: Dagster points it at a log file while a step runs."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # no file of the system's stands behind it
        return sys.stderr


class Display:
    """The terminal of one run."""

    def __init__(self, *, quiet: bool) -> None:
        self._out = Console()
        self._err = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Amount(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=_terminal()),
            transient=True,
            disable=quiet or not self._err.is_terminal,
        )
        self._task: TaskID | None = None
        self._place = ""

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show progress inside the block."""
        with self._bar:
            yield

    def partition(self, number: int, total: int) -> None:
        """Say which of several partitions is being made."""
        self._place = f"{number}/{total} " if total > 1 else ""

    def started(self, stage: Stage, partition: str | None) -> Report:
        """Begin to show one stage's progress."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        label = escape(f"{self._place}{partition or ''} {stage.name}".strip())
        task = self._task = self._bar.add_task(label, total=None, unit="")

        def report(done: int, total: int, unit: str) -> None:
            self._bar.update(task, completed=done, total=total or None, unit=unit)

        return report

    def interrupted(self, report: "RunReport") -> None:
        """Say what an interruption has left, and how to go on."""
        from resonare_pipeline.cli.running import misses

        self._err.print(
            f"[yellow]interrupted[/] {misses(report)} stages were made and are kept, nothing is "
            "half done. The same command goes on from there.",
            highlight=False,
            soft_wrap=True,
        )

    def report(self, request: "Request", report: "RunReport", *, as_json: bool) -> None:
        """Show what a run came to."""
        from resonare_pipeline.cli.running import as_object, misses, output_folders

        if as_json:
            sys.stdout.write(json.dumps(as_object(request, report), ensure_ascii=False) + "\n")
        else:
            if report.made:
                self._out.print(_table(request, report.made))
            self._notes(report.made)
            for folder, names in output_folders(request, report).items():
                self._out.print(f"[bold]{escape(folder)}[/]  {escape(listed_files(names))}")
            made, found = misses(report), len(report.made) - misses(report)
            self._out.print(f"{made} made, {found} from the cache, {len(report.failures)} failed")
            self._examples(request.workspace.store, report.made)
        for name, error in report.failures.items():
            self._err.print(f"[red]failed[/] {escape(name)}: {escape(error)}", highlight=False)

    def _notes(self, made: list[Made]) -> None:
        for item in made:
            name = escape(item.partition or item.stage.group)
            for entry in item.manifest.outputs.values():
                for warning in entry.metadata.get("warnings", ()):
                    text = escape(str(warning))
                    self._out.print(f"[yellow]note[/] {name}: {text}", highlight=False)

    def _examples(self, store: Store, made: list[Made]) -> None:
        # Whole conversations say more than excerpts of them.
        whole = [item for item in made if item.stage.group != EXCERPTS_GROUP] or made
        files = [file for item in whole for file in conversation_files(item)]
        for number, conversation in enumerate(pick_examples(store.files, files), start=1):
            self._out.print(f"\n[bold]Example {number}[/]")
            for turn in conversation["messages"]:
                content = said(turn)
                if len(content) > LONGEST_LINE:
                    content = content[:LONGEST_LINE] + " …"
                self._out.print(f"[cyan]{turn['role']}[/]: {escape(content)}", highlight=False)


def called(stages: Iterable[Stage]) -> str:
    """Return what the partitions of stages are called, if it is one thing for all of them."""
    names = {stage.raw.item for stage in stages if stage.raw is not None}
    return names.pop() if len(names) == 1 else "partition"


def said(turn: Mapping[str, Any]) -> str:
    """Return what a turn says, calls of tools and content in parts as JSON."""
    content = turn.get("content") or turn.get("tool_calls") or ""
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _table(request: "Request", made: list[Made]) -> Table:
    table = Table(title="What was made", title_justify="left")
    for name in (called(item.stage for item in made), "asset", "cache"):
        table.add_column(name, overflow="fold")
    for name in ("in", "out", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("dropped")
    rows: dict[tuple[str | None, str], int] = {
        (item.partition, asset): entry.rows
        for item in made
        for asset, entry in item.manifest.outputs.items()
    }
    for item in made:
        for asset, entry in item.manifest.outputs.items():
            table.add_row(
                escape(item.partition or ""),
                asset,
                "hit" if item.cache is Cache.HIT else "[green]made[/]",
                _count(_rows_in(request, item, entry, rows)),
                _count(entry.rows),
                f"{item.seconds:.1f}",
                ", ".join(f"{reason} {items:,}" for reason, items in entry.dropped.items()),
            )
    return table


def _rows_in(
    request: "Request",
    item: Made,
    entry: OutputEntry,
    rows: dict[tuple[str | None, str], int],
) -> int | None:
    """Return how many rows a stage was given: those of its last, its main, input.

    What reads raw input takes in all that it writes or drops.
    """
    if not item.stage.inputs:
        return None
    main = item.stage.inputs[-1]
    if request.workspace.graph.makers[main].reads_raw:
        return entry.rows + sum(entry.dropped.values())
    return rows.get((item.partition, main))


def listed_files(names: list[str]) -> str:
    """Return names of files in one line, those of a folder within as their number."""
    folders = Counter(name.partition("/")[0] for name in names if "/" in name)
    inner = [f"{folder}/ ({count:,} files)" for folder, count in folders.items()]
    return ", ".join([*(name for name in names if "/" not in name), *inner])


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def conversation_files(item: Made) -> list[FileEntry]:
    """Return the files of conversations that a stage has made."""
    return [
        file
        for entry in item.manifest.outputs.values()
        for file in entry.files
        if file.name == "train.jsonl" and file.size
    ]


def pick_examples(files: Files, entries: list[FileEntry]) -> list[dict[str, Any]]:
    """Return a few conversations from random places of some files, each once."""
    found: dict[bytes, dict[str, Any]] = {}
    for _ in range(EXAMPLES * 4):
        if not entries or len(found) == EXAMPLES:
            break
        entry = random.choices(entries, weights=[file.size for file in entries])[0]  # noqa: S311
        line = _random_line(files, entry)
        found[line] = json.loads(line)
    return list(found.values())


def _random_line(files: Files, entry: FileEntry) -> bytes:
    with files.open_read(entry.path) as stream:
        stream.seek(random.randrange(entry.size))  # noqa: S311  # nothing secret is drawn
        stream.readline()
        if line := stream.readline():
            return line
        stream.seek(0)
        return stream.readline()
