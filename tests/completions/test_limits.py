import datetime as dt
import pickle
import random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonare_pipeline.completions import limits
from resonare_pipeline.completions.limits import Announced, Announcement, Window, read_headers

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def read(headers: dict[str, str]) -> Announcement:
    return read_headers(((k.encode(), v.encode()) for k, v in headers.items()), NOW)


def test_openais_headers_are_read() -> None:
    found = read(
        {
            "X-RateLimit-Limit-Requests": "500",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-limit-tokens": "30000",
            "x-ratelimit-remaining-tokens": "29000",
            "x-ratelimit-reset-tokens": "6m0s",
            "content-type": "application/json",
        }
    )
    assert found.requests == Announced(limit=500, remaining=499, reset_seconds=0.12)
    assert found.tokens == Announced(limit=30000, remaining=29000, reset_seconds=360.0)
    assert found.retry_after_seconds is None


def test_anthropics_headers_are_read() -> None:
    found = read(
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:30Z",
        }
    )
    assert found.requests == Announced(limit=50, remaining=0, reset_seconds=30.0)
    assert found.tokens is None


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("Retry-After", "2", 2.0),
        ("retry-after", "0.25", 0.25),
        ("retry-after-ms", "1500", 1.5),
        ("retry-after", "Tue, 24 Nov 2026 12:00:10 GMT", 10.0),
        ("retry-after", "Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("retry-after", "soon", None),
        ("retry-after", "-5", 0.0),
        ("retry-after", "inf", None),
        ("retry-after", "nan", None),
        ("retry-after", "1e999", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(name: str, text: str, seconds: float | None) -> None:
    assert read({name: text}).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("1h2m3.5s", 3723.5), ("12ms", 0.012), ("7", 7.0), ("1d", 86400)]
    + [(text, None) for text in ("", "x", "1y", "5 minutes", "T")],
)
def test_a_reset_is_read_in_all_its_forms(text: str, seconds: float | None) -> None:
    headers = {"x-ratelimit-limit-requests": "5", "x-ratelimit-reset-requests": text}
    found = read(headers).requests
    assert found
    assert found.reset_seconds == seconds


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_not_taken_for_one(text: str) -> None:
    assert read({"x-ratelimit-limit-requests": text}).requests is None


@pytest.mark.parametrize("share", [limits.BUCKET_SHARE, 0.3])
@settings(max_examples=150)
@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(1, 3), st.floats(0, 0.9)), min_size=1, max_size=40),
    st.integers(0, 2**32),
)
def test_no_window_of_the_endpoint_ever_holds_more_than_its_limit(
    share: float, limit: int, items: list[tuple[int, float]], seed: int
) -> None:
    """Arrivals lie anywhere between sending and the answer; one request at a time is sent."""
    draw = random.Random(seed)  # noqa: S311  # arrivals, not secrets
    with mock.patch.object(limits, "BUCKET_SHARE", share):
        window = Window(1.0, limit)
    now = 0.0
    running: list[tuple[float, int]] = []  # when each ends, and its amount
    arrivals: list[tuple[float, int]] = []
    for amount, latency in items:
        while (wait := window.wait_seconds(amount, now)) != 0:
            ends = min((end for end, _ in running), default=float("inf"))
            now = min(ends, now + wait) if wait is not None else ends
            for end, gone in [item for item in running if item[0] <= now]:
                running.remove((end, gone))
                window.end(gone, 0, end)
        window.begin(amount)
        running.append((now + latency, amount))
        arrivals.append((now + draw.uniform(0, latency), amount))
    for at, _ in arrivals:
        held = [amount for when, amount in arrivals if at - 1.0 < when <= at]
        assert sum(held) <= limit or len(held) == 1


def test_what_a_window_remembers_does_not_grow_with_requests() -> None:
    def size_after(count: int) -> int:
        window = Window(60.0, 1_000_000)
        for number in range(count):
            window.begin(1)
            window.end(1, 100, 59 * number / count)
        assert window.wait_seconds(1_000_000 - 100 * count, 59.0) == 0
        assert window.wait_seconds(1_000_001 - 100 * count, 59.0) == pytest.approx(1, abs=0.1)
        return len(pickle.dumps(window))

    assert size_after(9_000) < 2 * size_after(1_500)


def test_what_others_use_up_counts_until_the_reset() -> None:
    window = Window(60.0)
    window.begin(1)
    window.end(1, 1, 0.0)
    window.learn(Announced(limit=10, remaining=2, reset_seconds=5.0), 0.0)
    assert window.wait_seconds(2, 1.0) == 0
    assert window.wait_seconds(3, 1.0) == pytest.approx(4.0)
    assert window.wait_seconds(3, 5.1) == 0


def test_more_than_a_whole_window_goes_out_alone() -> None:
    window = Window(60.0, 100)
    assert window.wait_seconds(500, 0.0) == 0
    window.begin(500)
    assert window.wait_seconds(1, 1.0) is None
    window.end(500, 0, 2.0)
    assert window.wait_seconds(1, 3.0) == pytest.approx(59.0, abs=0.01)


def test_what_was_billed_counts_where_it_is_more_than_was_thought() -> None:
    window = Window(10.0, 100)
    window.begin(10)
    window.end(10, 95, 0.0)
    assert window.wait_seconds(6, 1.0) == pytest.approx(9.0, abs=0.01)
    assert window.wait_seconds(5, 1.0) == 0
