"""Segmentation by silence."""

import datetime as dt
from collections.abc import Iterator

import pytest

from resonare_pipeline.runs import MICROSECONDS, microseconds, split_runs

START = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def split(gaps: list[dt.timedelta], limit: float) -> list[list[int]]:
    times = [START]
    for gap in gaps:
        times.append(times[-1] + gap)
    numbered = list(enumerate(times))
    runs = split_runs(numbered, at=lambda item: microseconds(item[1]), max_gap_seconds=limit)
    return [[number for number, _ in run] for run in runs]


def test_split_runs_gap_of_exactly_the_limit_stays_together() -> None:
    assert split([dt.timedelta(seconds=3600)], 3600) == [[0, 1]]


def test_split_runs_gap_one_microsecond_longer_ends_the_run() -> None:
    assert split([dt.timedelta(seconds=3600, microseconds=1)], 3600) == [[0], [1]]


def test_split_runs_gap_of_a_day_and_five_minutes_is_longer_than_an_hour() -> None:
    assert split([dt.timedelta(days=1, minutes=5)], 3600) == [[0], [1]]


def test_split_runs_time_stepping_back_keeps_the_run() -> None:
    assert split([dt.timedelta(hours=-2), dt.timedelta(minutes=1)], 3600) == [[0, 1, 2]]


def test_split_runs_nothing_gives_no_run() -> None:
    assert list(split_runs([], at=int, max_gap_seconds=1)) == []


def test_split_runs_zero_limit_separates_all_but_equal_times() -> None:
    gaps = [dt.timedelta(0), dt.timedelta(microseconds=1)]
    assert split(gaps, 0) == [[0, 1], [2]]


def test_split_runs_is_lazy() -> None:
    def endless() -> Iterator[int]:
        at = 0
        while True:
            yield at
            at += 2 * MICROSECONDS

    runs = split_runs(endless(), at=lambda at: at, max_gap_seconds=1)
    assert next(runs) == [0]


@pytest.mark.parametrize("zone_hours", [-7, 0, 5])
def test_microseconds_same_moment_in_any_zone_is_equal(zone_hours: int) -> None:
    zone = dt.timezone(dt.timedelta(hours=zone_hours))
    assert microseconds(START.astimezone(zone)) == microseconds(START)
