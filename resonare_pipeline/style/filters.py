"""The filters of the Python interface: by length, by blocked people, by time."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from resonare_pipeline.errors import InputError
from resonare_pipeline.runs import microseconds as as_microseconds
from resonare_pipeline.style.frames import columns_of, microseconds
from resonare_pipeline.style.recipients import blocked_keys

NAMES = ("min_message_length", "exclude_blocked", "date_range")
DAY_LENGTH = len("2024-01-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a call leaves out.

    Attributes:
        min_message_length: Fewest characters of what you wrote; None: what the creator has.
        exclude_blocked: Leave out what blocked people wrote or got.
        since: First microsecond that counts.
        before: First microsecond that counts no more.
    """

    min_message_length: int | None = None
    exclude_blocked: bool = False
    since: int | None = None
    before: int | None = None


def parse_filters(given: Mapping[str, Any] | None, zone: ZoneInfo) -> Filters:
    """Read filters.

    Args:
        given: `min_message_length` (characters), `exclude_blocked` (yes or no), `date_range` (first
            and last day, both included, or times; None leaves an end open).
        zone: The zone of days, and of times that name none.

    Raises:
        InputError: If a filter is unknown or of another form.
    """
    given = given or {}
    unknown = [str(name) for name in given if name not in NAMES]
    if unknown:
        raise InputError(
            f"unknown filter {', '.join(unknown)}", where="filters", expected=", ".join(NAMES)
        )
    length = given.get("min_message_length")
    is_whole = isinstance(length, (int, np.integer)) and not isinstance(length, bool)
    if length is not None and not is_whole:
        raise InputError(
            f"min_message_length is {length!r}", where="filters", expected="a whole number"
        )
    since, before = _range(given.get("date_range"), zone)
    return Filters(
        min_message_length=None if length is None else int(length),
        exclude_blocked=bool(given.get("exclude_blocked", False)),
        since=since,
        before=before,
    )


def _range(given: object, zone: ZoneInfo) -> tuple[int | None, int | None]:
    if given is None:
        return None, None
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise InputError(
            f"date_range is {given!r}",
            where="filters",
            expected="first and last day, as in ('2023-01-01', '2024-01-01')",
        )
    first, last = given
    since = None if first is None else as_microseconds(_time(first, zone)[0])
    if last is None:
        return since, None
    end, is_day = _time(last, zone)
    step = dt.timedelta(days=1) if is_day else dt.timedelta(microseconds=1)
    before = as_microseconds((end.replace(tzinfo=None) + step).replace(tzinfo=end.tzinfo))
    if since is not None and before <= since:
        raise InputError(
            f"date_range ends before it begins: {first} to {last}",
            where="filters",
            expected="the earlier day first",
        )
    return since, before


def _time(value: object, zone: ZoneInfo) -> tuple[dt.datetime, bool]:
    """Return the time that is meant, and whether it is a whole day."""
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)), False
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(), zone), True
    try:
        parsed = dt.datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise InputError(
            f"no date: {value!r}", where="filters: date_range", expected="YYYY-MM-DD"
        ) from error
    is_day = len(str(value).strip()) <= DAY_LENGTH
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)), is_day


def apply_filters(
    messages: pd.DataFrame, recipients: pd.DataFrame | None, filters: Filters
) -> pd.DataFrame:
    """Return the rows that filters by time and people let through."""
    columns = columns_of(messages)
    keep = np.ones(len(messages), np.bool_)
    if filters.since is not None or filters.before is not None:
        at, known = microseconds(messages[columns.time])
        keep &= known
        if filters.since is not None:
            keep &= at >= filters.since
        if filters.before is not None:
            keep &= at < filters.before
    blocked = blocked_keys(recipients) if filters.exclude_blocked else set()
    if blocked:
        names = [columns.sender, *(["to_recipient_id"] if columns.is_signal else [])]
        for name in names:
            if name in messages:
                keep &= ~_is_one_of(messages[name], blocked)
    return messages if keep.all() else messages[keep]


def _is_one_of(values: "pd.Series[Any]", keys: set[str]) -> Any:
    plain = values.astype("Int64") if values.dtype.kind == "f" else values
    return plain.astype(str).isin(keys).to_numpy()
