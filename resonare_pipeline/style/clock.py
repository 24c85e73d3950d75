"""Times of day in a stated time zone."""

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.runs import MICROSECONDS
from resonare_pipeline.style.lines import IntArray

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
SLOT_SECONDS = 900  # offsets of zones change at quarters of an hour only
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        SettingsError: If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError) as error:
        raise SettingsError(
            f"no time zone is called {name!r}",
            where="time_zone",
            expected="an IANA name such as UTC or Europe/Berlin",
        ) from error


def local_seconds(at: IntArray, zone: ZoneInfo) -> IntArray:
    """Return times as seconds that a clock on the wall has shown since 1970."""
    passed = at // MICROSECONDS
    slots, which = np.unique(passed // SLOT_SECONDS, return_inverse=True)
    offsets = [
        (dt.datetime.fromtimestamp(slot * SLOT_SECONDS, zone).utcoffset() or dt.timedelta())
        // dt.timedelta(seconds=1)
        for slot in slots.tolist()
    ]
    local: IntArray = passed + np.array(offsets, np.int64)[which]
    return local


def hours_of_week(local: IntArray) -> IntArray:
    """Count local times by hour of the week, from Monday's first on: 168 numbers."""
    days, rest = np.divmod(local, DAY_SECONDS)
    hours = (days + EPOCH_WEEKDAY) % 7 * 24 + rest // HOUR_SECONDS
    return np.bincount(hours, minlength=7 * 24).astype(np.int64)
