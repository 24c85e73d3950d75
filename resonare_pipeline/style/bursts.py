"""Bursts: messages that you send one after the other, before anybody answers."""

from dataclasses import dataclass

import numpy as np

from resonare_pipeline.errors import InputError
from resonare_pipeline.runs import gap_limit
from resonare_pipeline.style.lines import FloatArray, IntArray, Lines, cut_evenly, seconds

BURST_GAP_SECONDS = 120  # longest time between two messages of a burst
LEAST_BURST = 2
MOST_BURST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """Bursts as spans of lines.

    Attributes:
        starts: First line of each.
        ends: Line behind the last of each.
        mean_gaps: Mean seconds between neighbouring messages of each.
    """

    starts: IntArray
    ends: IntArray
    mean_gaps: FloatArray

    def __len__(self) -> int:
        return len(self.starts)


def find_bursts(
    lines: Lines,
    *,
    max_gap_seconds: float = BURST_GAP_SECONDS,
    least: int = LEAST_BURST,
    most: int | None = None,
) -> Bursts:
    """Find neighbouring lines of yours in one run, each at most so long after the one before.

    Args:
        least: Fewest messages of a burst.
        most: Most messages of a burst; a longer one is cut into parts of nearly one length.

    Raises:
        InputError: If no burst could have these sizes.
    """
    _refuse_sizes(least, most)
    own = lines.is_owner
    joins = np.zeros(len(lines) + 1, np.bool_)  # whether a line goes on with the one before it
    joins[1:-1] = (
        own[1:]
        & own[:-1]
        & (np.diff(lines.runs) == 0)
        & (np.diff(lines.at) <= gap_limit(max_gap_seconds))
    )
    starts = np.flatnonzero(~joins[:-1] & joins[1:])
    ends = np.flatnonzero(joins[:-1] & ~joins[1:]) + 1
    if most is not None:
        starts, ends = cut_evenly(starts, ends, most)
    fits = ends - starts >= least
    starts, ends = starts[fits], ends[fits]
    gaps = seconds(lines.at[ends - 1] - lines.at[starts]) / (ends - starts - 1)
    return Bursts(starts=starts, ends=ends, mean_gaps=gaps)


def _refuse_sizes(least: int, most: int | None) -> None:
    if least < LEAST_BURST:
        raise InputError(f"min_burst_size is {least}", expected=f"{LEAST_BURST} or more")
    if most is not None and most < least:
        raise InputError(
            f"max_burst_size is {most}", expected=f"min_burst_size ({least}) or more messages"
        )
