"""What an endpoint lets through in a window of time, as it says in its headers.

Understood are OpenAI's headers (`x-ratelimit-*`, durations such as `6m0s` and `12ms`), Anthropic's
(`anthropic-ratelimit-*`, RFC 3339 times) and `Retry-After` (seconds or an HTTP date). Nothing here
waits or sends.
"""

import datetime as dt
import email.utils
import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

MARGIN_SECONDS = 0.005  # clocks of two machines do not run alike
BUCKET_SHARE = 0.001  # of a window: 60 ms of a minute

_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-", b"retry-after")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as one answer announces it: how much a window holds, and what is left of it."""

    limit: int
    remaining: int | None = None
    reset_seconds: float | None = None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of one answer say."""

    requests: Announced | None = None
    tokens: Announced | None = None
    retry_after_seconds: float | None = None

    @property
    def rest_seconds(self) -> float:
        """How long nothing more is let through, as `Retry-After` or a used-up limit says."""
        limits = [limit for limit in (self.requests, self.tokens) if limit is not None]
        resets = [limit.reset_seconds or 0.0 for limit in limits if limit.remaining == 0]
        return max(self.retry_after_seconds or 0.0, *resets, 0.0)


SILENT = Announcement()


def read_headers(
    raw: Iterable[tuple[bytes, bytes]], now: dt.datetime | None = None
) -> Announcement:
    """Read the headers of an answer; what is absent or cannot be understood is None.

    Args:
        raw: Names, in any case, and values.
        now: For times; the present one if None.
    """
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in ((name.lower(), value) for name, value in raw)
        if name.startswith(_PREFIXES)
    }
    if not headers:
        return SILENT
    now = now or dt.datetime.now(dt.UTC)
    return Announcement(
        requests=_announced(headers, "requests", now),
        tokens=_announced(headers, "tokens", now),
        retry_after_seconds=_retry_after(headers, now),
    )


def _announced(headers: Mapping[str, str], what: str, now: dt.datetime) -> Announced | None:
    for limit, remaining, reset in (
        (f"x-ratelimit-limit-{what}", f"x-ratelimit-remaining-{what}", f"x-ratelimit-reset-{what}"),
        (
            f"anthropic-ratelimit-{what}-limit",
            f"anthropic-ratelimit-{what}-remaining",
            f"anthropic-ratelimit-{what}-reset",
        ),
    ):
        most = _number(headers.get(limit))
        if most is not None and most > 0:
            return Announced(
                limit=most,
                remaining=_number(headers.get(remaining)),
                reset_seconds=_seconds(headers.get(reset), now),
            )
    return None


def _number(text: str | None) -> int | None:
    try:
        return int(float(text)) if text else None
    except (ValueError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after")
    if not text:
        return None
    seconds = _plain_seconds(text)
    if seconds is not None:
        return seconds
    try:
        at = email.utils.parsedate_to_datetime(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - now).total_seconds())


def _plain_seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(text: str | None, now: dt.datetime) -> float | None:
    """Read a duration, a number of seconds or an RFC 3339 time, as seconds from now."""
    if not text:
        return None
    if "T" in text:
        try:
            return max(0.0, (dt.datetime.fromisoformat(text) - now).total_seconds())
        except (ValueError, TypeError):
            return None
    parts = _DURATION.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text.strip():
        return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    return _plain_seconds(text)


@dataclass(slots=True)
class _Bucket:
    """What ended within a moment; all of it counts as if it had ended last."""

    began_at: float
    ended_at: float
    amount: int


class Window:
    """How much goes out within a sliding window, so that the endpoint's own is never overrun.

    When a request arrives there is known only to lie between sending it and its answer. So it
    counts from the one until a whole window after the other. What ends within a thousandth of the
    window is remembered as one, so at most a thousand amounts are.
    """

    def __init__(self, seconds: float, limit: int | None = None) -> None:
        self.limit = limit
        self._seconds = seconds + MARGIN_SECONDS
        self._moment = seconds * BUCKET_SHARE
        self._ended: deque[_Bucket] = deque()
        self._ended_amount = 0
        self._running = 0
        self._foreign = 0
        self._foreign_until = 0.0

    def wait_seconds(self, amount: int, now: float) -> float | None:
        """Return how long an amount must wait; None: until something running ends.

        More than a whole window holds is let through when nothing else is in it.
        """
        if self.limit is None:
            return 0.0
        self._forget(now)
        over = self._used(now) + amount - self.limit
        if over <= 0 or not self._used(now):
            return 0.0
        if self._foreign and now < self._foreign_until and over <= self._foreign:
            return self._foreign_until - now
        for bucket in self._ended:
            over -= bucket.amount
            if over <= 0:
                return max(0.0, bucket.ended_at + self._seconds - now)
        if self._running:
            return None
        last = self._ended[-1].ended_at + self._seconds if self._ended else now
        return max(last, self._foreign_until) - now

    def begin(self, amount: int) -> None:
        """Count what is sent."""
        self._running += amount

    def end(self, amount: int, billed: int, now: float) -> None:
        """Count what was sent as gone a whole window from now, as the greater of two amounts.

        Where nothing is limited, nothing is remembered; should a limit be announced later, what is
        left of it tells the same.
        """
        self._running -= amount
        if self.limit is None:
            return
        gone = max(amount, billed)
        self._ended_amount += gone
        if self._ended and now - self._ended[-1].began_at < self._moment:
            self._ended[-1].amount += gone
            self._ended[-1].ended_at = now
        else:
            self._ended.append(_Bucket(now, now, gone))

    def learn(self, announced: Announced | None, now: float) -> None:
        """Take the endpoint's own limit; what is used up there by others counts here too."""
        if announced is None:
            return
        self.limit = announced.limit
        if announced.remaining is None:
            return
        self._forget(now)
        own = self._running + self._ended_amount
        self._foreign = max(0, announced.limit - announced.remaining - own)
        reset = announced.reset_seconds
        self._foreign_until = now + (self._seconds if reset is None else reset)

    def _used(self, now: float) -> int:
        foreign = self._foreign if now < self._foreign_until else 0
        return self._running + self._ended_amount + foreign

    def _forget(self, now: float) -> None:
        until = now - self._seconds
        while self._ended and self._ended[0].ended_at <= until:
            self._ended_amount -= self._ended.popleft().amount
