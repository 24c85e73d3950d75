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
from resonare_pipeline.style.arguments import check
from resonare_pipeline.style.columns import PROJECT, columns_of
from resonare_pipeline.style.ids import coded_ids, numbered_ids, truths
from resonare_pipeline.style.lines import BoolArray
from resonare_pipeline.style.recipients import blocked_keys, key_of
from resonare_pipeline.style.times import microseconds

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
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise InputError(f"filters are {given!r}", expected=f"a mapping with {', '.join(NAMES)}")
    unknown = [str(name) for name in given if name not in NAMES]
    if unknown:
        raise InputError(
            f"unknown filter {', '.join(unknown)}", where="filters", expected=", ".join(NAMES)
        )
    length = given.get("min_message_length")
    excludes = given.get("exclude_blocked", False)
    check({"exclude_blocked": excludes}, "filters")
    if length is not None:
        check({"min_message_length": length}, "filters")
    since, before = _range(given.get("date_range"), zone)
    return Filters(
        min_message_length=None if length is None else int(length),
        exclude_blocked=bool(excludes),
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
    if end.year == dt.MAXYEAR:
        return since, None  # no message is later
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
    messages: pd.DataFrame,
    recipients: pd.DataFrame | None,
    filters: Filters,
    your_recipient_id: object,
) -> pd.DataFrame:
    """Return the rows that filters by time and people let through.

    Raises:
        MissingColumnsError: If a filter needs what is not there.
    """
    columns = columns_of(messages)
    if filters == Filters(min_message_length=filters.min_message_length):
        return messages
    keep = np.ones(len(messages), np.bool_)
    at, known = microseconds(messages[columns.time])  # refuses a row by its place in this frame
    if filters.since is not None or filters.before is not None:
        keep &= known
        if filters.since is not None:
            keep &= at >= filters.since
        if filters.before is not None:
            keep &= at < filters.before
    if filters.exclude_blocked and (blocked := blocked_keys(recipients)):
        keep &= ~_with_blocked(messages, blocked, your_recipient_id)
    return messages if keep.all() else messages[keep]


def _with_blocked(messages: pd.DataFrame, blocked: set[str], yours: object) -> BoolArray:
    """Tell which rows blocked people wrote or got.

    Where no column says who got a message, it is what you wrote in chats in which, beside you, only
    blocked people wrote. Before version 185 of Signal's database `sender` says it of what was sent.
    """
    columns = columns_of(messages)
    theirs = _is_one_of(messages[columns.sender], blocked)
    if "to_recipient_id" in messages:
        return theirs | _is_one_of(messages["to_recipient_id"], blocked)
    if columns.direction:
        return theirs
    if columns is PROJECT and not isinstance(yours, str):
        own = truths(messages["is_owner"])
    else:
        own = _is_one_of(messages[columns.sender], {key_of(yours)})
    chats, ids = numbered_ids(messages[columns.chat])
    among = np.bincount(chats[theirs], minlength=len(ids))
    spoken = np.bincount(chats[~own], minlength=len(ids))
    alone: BoolArray = ((among > 0) & (among == spoken))[chats]
    return theirs | (own & alone)


def _is_one_of(values: "pd.Series[Any]", keys: set[str]) -> BoolArray:
    codes, ids = coded_ids(values)
    found: BoolArray = np.array([*(key_of(one) in keys for one in ids), False], np.bool_)[codes]
    return found
