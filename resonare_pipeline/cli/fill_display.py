"""How a filling shows itself: on standard error, since records may go to standard output."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from resonare_pipeline.completions.estimating import Estimate
from resonare_pipeline.records.filling import Report
from resonare_pipeline.records.requesting import Counting

REFRESHES_PER_SECOND = 4
REASONS_SHOWN = 5  # with the first record that was left out for each
UNKNOWN = "unknown"


class _Bar(Progress):
    """A bar that looks up how far the work is whenever it is drawn."""

    def __init__(self, report: Report, *, console: Console, total: int | None) -> None:
        super().__init__(
            TextColumn("{task.percentage:>3.0f}%" if total else ""),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=REFRESHES_PER_SECOND,
        )
        self._report = report
        self._started = time.monotonic()
        self._task = self.add_task("", total=total, text="")

    def refresh(self) -> None:
        """Draw the bar as things stand."""
        if getattr(self, "_task", None) is not None:
            text = progress_text(self._report, time.monotonic() - self._started)
            self.update(self._task, completed=self._report.done, text=text)
        super().refresh()


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
        if not (self._err.is_terminal or self._verbose):
            yield
            return
        bar = _Bar(report, console=self._err, total=total)
        with bar:
            yield

    def show_estimate(self, counting: Counting, expected: Estimate, *, model: str) -> None:
        """Say what a filling would take."""
        lines = [
            f"records    {counting.records:,} ({counting.to_fill:,} to fill, "
            f"{counting.unusable:,} would be left out)",
            f"requests   {expected.requests:,} to {model}; {counting.known:,} more are answered in "
            "the cache",
            f"tokens     about {expected.input_tokens:,} in, {expected.output_tokens:,} out",
            f"cost       about {_price(expected.cost_usd)} online, "
            f"{_price(expected.batch_cost_usd)} as a batch",
        ]
        if expected.hours is not None:
            lines.append(f"time       at least {expected.hours:.2f} hours under the limits")
        lines.append("Tokens are an estimate: answers, and turns after them, are not there yet.")
        for line in lines:
            self._out.print(line, markup=False)

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
        if report.retryable:
            self._err.print("The same command asks again for those that failed.")

    def interrupted(self, report: Report) -> None:
        """Say what an interruption has left, and how to go on."""
        self._err.print(
            f"[yellow]interrupted[/] {report.answers:,} answers are kept, no output is half "
            "written. The same command goes on from there."
        )


def _price(cost_usd: float | None) -> str:
    return UNKNOWN if cost_usd is None else f"${cost_usd:,.4f}"
