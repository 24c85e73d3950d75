"""Times of messages: seconds since 1970 where the export has them, else local clock times.

All results are microseconds since 1970, UTC. Exports before 2021 hold only the exporting
machine's clock time; in the hour that a clock is set back it is read as the earlier one.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from resonare_pipeline.errors import SettingsError

MICROSECONDS = 1_000_000
END_OF_TIME = 253_402_300_800  # seconds; the year 10000, which dates cannot express
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def zone_of(name: str) -> dt.tzinfo:
    """Return a time zone.

    Raises:
        SettingsError: If no zone has that name.
    """
    if name.upper() == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise _unknown_zone(name) from error
    except KeyError as error:  # ZoneInfoNotFoundError
        raise _unknown_zone(name) from error


def _unknown_zone(name: str) -> SettingsError:
    return SettingsError(
        f"there is no time zone {name!r}",
        where="messages.time_zone",
        expected="an IANA name such as Asia/Singapore",
        remedy="See https://en.wikipedia.org/wiki/List_of_tz_database_time_zones",
    )


def of_unix_time(value: object) -> int | None:
    """Return a time given in seconds, as a number or a string; 0 stands for none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds: int | float = int(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not 0 < seconds < END_OF_TIME:  # false for NaN, too
        return None
    return round(seconds * MICROSECONDS)


def of_clock(value: object, zone: dt.tzinfo) -> tuple[int | None, bool]:
    """Return a time given in ISO 8601, and whether the zone had to be supplied."""
    if not isinstance(value, str):
        return None, False
    try:
        time = dt.datetime.fromisoformat(value)
    except ValueError:
        return None, False
    local = time.tzinfo is None
    if local:
        time = time.replace(tzinfo=zone)
    try:
        since = time - _EPOCH
    except OverflowError:
        return None, False
    microseconds = since // dt.timedelta(microseconds=1)
    return (microseconds, local) if microseconds > 0 else (None, False)


def of_message(seconds: object, clock: object, zone: dt.tzinfo) -> tuple[int | None, bool]:
    """Return the first of two times that can be used, and whether it is a local clock's."""
    exact = of_unix_time(seconds)
    return (exact, False) if exact is not None else of_clock(clock, zone)
