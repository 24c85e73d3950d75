"""What the commands of `resonare batch` say of files and batches, on standard output."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from resonare_pipeline.cli.batch_display import status_of
from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.parting import Limits, Part
from resonare_pipeline.completions.batches.results import FAILED, OUTPUT, RETRY, Written
from resonare_pipeline.completions.requests import CHAT_URL
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.progress import Progress as Report

if TYPE_CHECKING:
    from resonare_pipeline.cli.batch_collecting import Collecting

UNKNOWN = "unknown"


def console() -> Console:
    """Return standard output as the commands write to it: no line is cut or folded."""
    return Console(soft_wrap=True, highlight=False)


@contextmanager
def reading(path: Path) -> Iterator[Report]:
    """Show how far the reading of a file is, on a terminal, and yield what is told of it."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    task = bar.add_task(escape(path.name), total=path.stat().st_size if path.is_file() else None)

    def report(done: int, total: int, unit: str) -> None:  # noqa: ARG001  # it is always bytes
        bar.update(task, completed=done, total=total)

    with bar:
        yield report


def dollars(cost_usd: float | None, unpriced: int = 0) -> str:
    """Write a cost; None is not known, and neither is that of the unpriced."""
    if cost_usd is None:
        return UNKNOWN
    return f"${cost_usd:,.4f}" + (f" and {unpriced:,} of unknown cost" if unpriced else "")


def part_object(part: Part, settings: CompletionsSettings) -> dict[str, Any]:
    """Return a part as `--json` shows it."""
    return {
        "model": part.model,
        "url": part.url,
        "lines": part.lines,
        "bytes": part.bytes,
        "tokens": part.tokens,
        "cost_usd": part.cost_usd(settings),
    }


def result_object(written: Written) -> dict[str, Any]:
    """Return what came of a file as `--json` shows it."""
    return {
        "source": str(written.source),
        "answers": written.answers,
        "failed": dict(written.failed),
        "retry": written.retry,
        "repeated": written.repeated,
        "unknown": written.unknown,
        "malformed": written.malformed,
        "cost_usd": written.cost_usd,
        "unpriced": written.unpriced,
        "is_by_copy": written.is_by_copy,
        "paths": {kind: str(path) for kind, path in written.paths.items()},
    }


def print_parts(
    parts: Sequence[tuple[Path, Part]], settings: CompletionsSettings, limits: Limits
) -> None:
    """Say what is in each file of a split."""
    out = console()
    for path, part in parts:
        url = "" if part.url == CHAT_URL else f"  {part.url}"
        out.print(
            f"{path}  {part.model}{url}  {counted(part.lines, 'line')}  {part.bytes:,} bytes  "
            f"{part.tokens:,} tokens  {dollars(part.cost_usd(settings))}",
            markup=False,
        )
    costs = [part.cost_usd(settings) for _, part in parts]
    total = None if None in costs else sum(cost or 0.0 for cost in costs)
    out.print(
        f"{counted(sum(part.lines for _, part in parts), 'request')} in "
        f"{counted(len(parts), 'file')}; about {dollars(total)} as batches. "
        "Tokens, of prompts, and cost are estimates",
        markup=False,
    )
    for path, part in parts:
        most = limits.tokens(part.model)
        if most is not None and part.tokens > most:
            out.print(
                f"[yellow]note[/] {escape(str(path))} is one request of {part.tokens:,} tokens,"
                f" and {most:,} are allowed"
            )


def print_submitted(files: Sequence[tuple[Path, Sequence[Batch]]], *, unreached: str) -> None:
    """Say which batches were made of files, and what was not submitted."""
    out = console()
    dropped = 0
    for path, batches in files:
        lines = sum(batch.lines for batch in batches)
        out.print(
            f"{path}: {counted(lines, 'request')} in {counted(len(batches), 'batch')}", markup=False
        )
        for batch in batches:
            out.print(f"  {_submitted(batch)}", markup=False)
            dropped += batch.state is State.DROPPED
    if unreached:
        out.print(f"[yellow]note[/] not reached: {escape(unreached)}")
    if dropped:
        out.print(
            f"[red]not submitted[/] {counted(dropped, 'batch')}. Nothing of it is left at the "
            "provider: give the same command again later, or with --wait"
        )
    if any(_is_unsure(batch) for _, batches in files for batch in batches):
        out.print("`resonare batch collect` finds out what was made, and goes on", markup=False)


def _submitted(batch: Batch) -> str:
    name = batch.remote or batch.batch
    said = status_of(batch)
    if batch.state is State.DROPPED:
        said = "no room, or nobody there: not submitted"
    elif _is_unsure(batch):
        said = "uploaded; it is not known yet whether a batch was made"
    more = f": {batch.detail}" if batch.detail else ""
    size = f"{counted(batch.lines, 'line')}  {batch.tokens:,} tokens"
    return f"{name}  {batch.model}  {size}  {said}{more}"


def _is_unsure(batch: Batch) -> bool:
    return batch.state is State.UPLOADED and batch.creating_at is not None


def counted(count: int, name: str) -> str:
    """Write a number of things."""
    plural = f"{name}es" if name.endswith("ch") else f"{name}s"
    return f"{count:,} {name if count == 1 else plural}"


def print_interrupted() -> None:
    """Say what an interruption has left, and how to go on."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        "[yellow]interrupted[/] Batches that were made go on at the provider, and nothing is lost. "
        "`resonare batch collect --wait` goes on from there; `resonare batch ls` shows them, "
        "`resonare batch cancel` ends them. What was not submitted goes with the same command."
    )


def print_collected(collecting: "Collecting", *, unreached: str) -> None:
    """Say what came of batches, and what is under way."""
    out = console()
    for written in collecting.written:
        _print_written(out, written)
    for batch in collecting.settled:
        out.print(
            f"{batch.campaign}: {batch.answered:,} of {batch.lines:,} answers of "
            f"{batch.remote or batch.batch} are in the cache ({batch.status or batch.state})",
            markup=False,
        )
    for batch in collecting.pending:
        out.print(
            f"under way: {batch.remote or batch.batch}  {status_of(batch)}  "
            f"{batch.completed + batch.failed:,} of {batch.lines:,} lines done",
            markup=False,
        )
    if collecting.elsewhere:
        out.print(f"Another process works on {counted(collecting.elsewhere, 'batch')} of these.")
    if not (collecting.written or collecting.settled or collecting.pending or collecting.errors):
        out.print("Nothing is under way, and nothing waits to be collected")
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    for error in collecting.errors:
        err.print(f"error: {error}", markup=False)
    if unreached:
        err.print(f"not reached: {unreached}. Give the same command again", markup=False)


def _print_written(out: Console, written: Written) -> None:
    total = written.answers + written.failed.total()
    cost = dollars(written.cost_usd, written.unpriced)
    out.print(
        f"{written.source}: {written.answers:,} of {total:,} requests are answered, in "
        f"{written.paths[OUTPUT]}; {cost}",
        markup=False,
    )
    if written.is_by_copy:
        out.print(
            "[yellow]note[/] the file is not what was submitted any more: its lines are taken from "
            "the provider's copy"
        )
    if written.failed:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in written.failed.most_common())
        out.print(f"[red]no answer[/] {reasons}; see {escape(str(written.paths[FAILED]))}")
    if written.retry:
        out.print(
            f"{written.retry:,} may be asked again: resonare batch submit {written.paths[RETRY]}",
            markup=False,
        )
    odd = {
        "repeated": written.repeated,
        "for requests that are not in the file": written.unknown,
        "malformed": written.malformed,
    }
    said = ", ".join(f"{count:,} {what}" for what, count in odd.items() if count)
    if said:
        out.print(f"[yellow]note[/] of the provider's lines, these were left out: {said}")
