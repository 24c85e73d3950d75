"""How a filling shows itself: on standard error, since records may go to standard output."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from resonare_pipeline.completions.estimating import Estimate
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.records.filling import Report
from resonare_pipeline.records.requesting import Counting

REFRESHES_PER_SECOND = 4
SECONDS_A_LINE = 10.0
REASONS_SHOWN = 5  # with the first record that was left out for each
UNKNOWN = "unknown"


class _Bar(Progress):
    """A bar that looks up how far the work is each time it is drawn."""

    def __init__(self, report: Report, *, console: Console, total: int | None) -> None:
        self._report = report  # before rich asks for the first drawing
        self._started = time.monotonic()
        super().__init__(
            TextColumn("{task.percentage:>3.0f}%" if total else ""),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=REFRESHES_PER_SECOND,
        )
        self.add_task("", total=total, text="")

    def get_renderable(self) -> RenderableType:
        """Return the bar as things stand; rich calls it for each drawing."""
        text = progress_text(self._report, time.monotonic() - self._started)
        for task in self.task_ids:  # the one, once it is added
            self.update(task, completed=self._report.done, text=text)
        return super().get_renderable()


class _Lines:
    """Writes a line now and then where nothing can be drawn over: to a log, say."""

    def __init__(self, report: Report, *, console: Console, total: int | None) -> None:
        self._report = report
        self._console = console
        self._total = total
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._say()

    def _work(self) -> None:
        while not self._ended.wait(SECONDS_A_LINE):
            self._say()

    def _say(self) -> None:
        share = f"{self._report.done / self._total:4.0%}  " if self._total else ""
        text = progress_text(self._report, time.monotonic() - self._started)
        self._console.print(share + text, markup=False)


def progress_text(report: Report, seconds: float) -> str:
    """Return counts, rate and cost so far."""
    rate = report.answers / seconds if seconds > 0 else 0.0
    parts = [f"{report.answers:,} answers", f"{rate:,.1f}/s", _dollars(report)]
    if left_out := report.dropped.total():
        parts.append(f"{left_out:,} left out")
    return "  ".join(parts)


def _dollars(report: Report) -> str:
    return f"${report.cost_usd:,.4f}" + (" and unknown prices" if report.unpriced else "")


class FillDisplay:
    """What a person sees of a filling.

    Args:
        verbose: Show progress where there is no terminal too, and all counts at the end.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._err = Console(stderr=True, soft_wrap=True, highlight=False)
        self._out = Console(soft_wrap=True, highlight=False)
        self._verbose = verbose

    @contextmanager
    def progress(self, report: Report, *, total: int | None) -> Iterator[None]:
        """Show progress inside the block.

        Args:
            total: What `Report.done` will come to; None if nobody knows.
        """
        if self._err.is_terminal:
            with _Bar(report, console=self._err, total=total):
                yield
        elif self._verbose:
            with _Lines(report, console=self._err, total=total):
                yield
        else:
            yield

    def show_estimate(self, counting: Counting, expected: Estimate, *, model: str) -> None:
        """Say what a filling would take."""
        lines = [
            f"records    {counting.records:,} ({counting.to_fill:,} to fill, "
            f"{counting.unusable:,} would be left out)",
            f"requests   {expected.requests:,} to {model}; {counting.known:,} more are answered in "
            f"the cache{_shared(counting.repeated)}",
            f"tokens     about {expected.input_tokens:,} in, {expected.output_tokens:,} out",
            f"cost       about {_price(expected.cost_usd)} online, "
            f"{_price(expected.batch_cost_usd)} as a batch",
        ]
        if expected.hours is not None:
            lines.append(f"time       at least {expected.hours:.2f} hours under the limits")
        lines.append("Tokens are an estimate: answers, and turns after them, are not there yet.")
        for line in lines:
            self._out.print(line, markup=False)

    def goes_on(self, since: float) -> None:
        """Say that fresh answers are those since an earlier run began (seconds since 1970)."""
        begun = f"{dt.datetime.fromtimestamp(since).astimezone():%Y-%m-%d %H:%M}"
        self._err.print(f"[yellow]note[/] goes on with the fresh answers of a run of {begun}")

    def show_report(self, report: Report, *, dropped: Path) -> None:
        """Say what came of it."""
        self._err.print(
            f"{report.read:,} records: {report.filled:,} filled, {report.untouched:,} as they "
            f"were, {report.dropped.total():,} left out",
            markup=False,
        )
        if self._verbose:
            self._err.print(
                f"{report.answers:,} answers, {report.cached:,} of them from the cache; "
                f"{report.input_tokens:,} tokens in, {report.output_tokens:,} out; "
                f"{_dollars(report)}",
                markup=False,
            )
        if report.mock:
            self._err.print(
                f"[yellow]note[/] {report.mock:,} answers are a mock's: no model has written them"
            )
        if report.dropped:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in report.dropped.most_common())
            self._err.print(f"[red]left out[/] {reasons}; see {dropped}")
            for reason, _ in report.dropped.most_common(REASONS_SHOWN):
                first = report.firsts[reason]
                self._err.print(f"  {reason}, the first: {first}", markup=False)
        if report.retryable.keys() - {Failure.BATCHED}:
            self._err.print("The same command asks again for those that failed.")

    def stopping(self, under_way: int) -> None:
        """Say that what is under way is waited for."""
        self._err.print(
            f"[yellow]stopping[/] nothing more is sent; {under_way:,} requests under way are paid "
            "for, and waited for. Ctrl-C again ends at once."
        )

    def interrupted(self, report: Report) -> None:
        """Say what an interruption has left, and how to go on."""
        self._err.print(
            f"[yellow]interrupted[/] {report.answers:,} answers are kept, no output is half "
            "written. The same command goes on from there."
        )


def _shared(requests: int) -> str:
    return f", {requests:,} share the answer of an identical one" if requests else ""


def _price(cost_usd: float | None) -> str:
    return UNKNOWN if cost_usd is None else f"${cost_usd:,.4f}"
