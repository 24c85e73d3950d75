"""Segmentation by silence: a run is a stretch of activity without a pause that is too long.

Times are whole microseconds since 1970 in UTC, as Arrow stores them: integers compare exactly and
hold any number of days. Knows nothing of messages; what may not live here is what a run is for.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MICROSECONDS = 1_000_000  # in a second

Item = TypeVar("Item")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def microseconds(at: dt.datetime) -> int:
    """Return an aware time as microseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MICROSECOND


def gap_limit(max_gap_seconds: float) -> int:
    """Return the longest silence, in microseconds, that does not end a run."""
    return round(max_gap_seconds * MICROSECONDS)


def split_runs(
    items: Iterable[Item], *, at: Callable[[Item], int], max_gap_seconds: float
) -> Iterator[list[Item]]:
    """Yield items in lists that a silence separates.

    A silence ends a run when it is strictly longer than the limit; items that step back in time
    never do. Lazy: one run is held at a time.

    Args:
        items: In time order.
        at: An item's time in microseconds; see `microseconds`.
        max_gap_seconds: The longest silence inside a run.
    """
    limit = gap_limit(max_gap_seconds)
    run: list[Item] = []
    last = 0
    for item in items:
        now = at(item)
        if run and now - last > limit:
            yield run
            run = []
        run.append(item)
        last = now
    if run:
        yield run
