"""How batches under way show themselves: on standard error, since records go to standard output."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from resonare_pipeline.completions.batches.batch import Batch
from resonare_pipeline.completions.batches.rounds import Standing

SHOWN = 3  # batches by name, the oldest first


def standing_text(standing: Standing, seconds: float) -> str:
    """Return lines done and failed, batches by status, the time since, and what they cost."""
    live = standing.live
    done, failed = sum(b.completed for b in live), sum(b.failed for b in live)
    parts = [f"{done:,} of {sum(b.lines for b in live):,} lines done"]
    if failed:
        parts.append(f"{failed:,} failed")
    counts = Counter(status_of(batch) for batch in live)
    parts += [f"{count} {status}" for status, count in counts.items()]
    if standing.elsewhere:
        parts.append(f"{standing.elsewhere:,} requests wait for others")
    parts.append(elapsed(seconds))
    if standing.cost_usd:
        parts.append(f"${standing.cost_usd:,.4f} so far")
    if standing.unreached:
        parts.append(f"not reached: {standing.unreached}")
    return "  ".join(parts)


def status_of(batch: Batch) -> str:
    """Return a batch's status: the provider's word, or ours while the provider has none."""
    if batch.state == "submitted":
        return batch.status
    return "waiting for room" if batch.refusals else str(batch.state)


def elapsed(seconds: float) -> str:
    """Write seconds as 42 s, 3 min or 1 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


class BatchDisplay:
    """What a person sees of batches that are waited for."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._err = Console(stderr=True, soft_wrap=True, highlight=False)
        self._verbose = verbose

    @contextmanager
    def waiting(self) -> Iterator[Callable[[Standing], None]]:
        """Yield what shows how things stand, while they are waited for."""
        started = time.monotonic()
        if self._err.is_terminal:
            with Live(console=self._err, transient=True, auto_refresh=False) as live:
                yield lambda standing: live.update(
                    Text(standing_text(standing, time.monotonic() - started)), refresh=True
                )
            return
        last = ""

        def line(standing: Standing) -> None:
            nonlocal last
            counts = standing_text(standing, 0)  # a line for each change, not for each look
            if counts != last:
                shown = standing_text(standing, time.monotonic() - started)
                self._err.print(shown, markup=False)
            last = counts

        yield line if self._verbose else _nothing

    def left(self) -> None:
        """Say what an interruption has left, and how to go on."""
        self._err.print(
            "[yellow]interrupted[/] Batches go on at the provider, and nothing is lost. The same "
            "command goes on from there; `resonare batch ls` shows them, `resonare batch cancel` "
            "ends them."
        )


def _nothing(_standing: Standing) -> None:
    pass
