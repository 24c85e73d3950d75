"""When the next request may go out: one gate for all of an endpoint's limits.

Concurrency falls by half when the endpoint says that there is too much, and rises by one for each
round of answers. `Retry-After` stops everything until then, unless that is too long to wait. Until
the first answer has told the endpoint's limits, one request goes ahead alone.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from resonare_pipeline.completions.limits import Announcement, Window
from resonare_pipeline.completions.settings import CompletionsSettings

AHEAD_SECONDS = 10.0  # an answer that takes longer tells of a slow model, not of a small limit
LONGEST_RETRY_AFTER_SECONDS = 600.0  # who says more than that means a day's quota
LONGEST_NAP_SECONDS = 5.0  # a clock that was set back must not stop a run


@dataclass(slots=True)
class Pass:
    """Leave to send one request, which must be given back."""

    tokens: int
    sent_at: float


class Gate:
    """Lets requests out, one after the other in the order in which they came.

    Attributes:
        running: Requests under way.
        concurrency: Most of them at a time, at present.
    """

    def __init__(self, settings: CompletionsSettings) -> None:
        self.running = 0
        self.concurrency = float(settings.concurrency)
        self._most = settings.concurrency
        window = settings.window_seconds
        self._requests = Window(window, settings.requests_per_minute)
        self._tokens = Window(window, settings.tokens_per_minute)
        self._given = (settings.requests_per_minute, settings.tokens_per_minute)
        self._knows = settings.requests_per_minute is not None
        self._first_sent_at: float | None = None
        self._paused_until = 0.0
        self._cut_at = 0.0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._is_open = False

    async def enter(self, count_tokens: Callable[[], int]) -> Pass:
        """Wait until a request may go out, or until the gate is thrown open.

        Args:
            count_tokens: Counts the request's tokens; called only where tokens are limited.
        """
        async with self._turn:
            tokens = 0
            now = time.monotonic()
            while not self._is_open:
                if not tokens and self._tokens.limit is not None:
                    tokens = count_tokens()
                now = time.monotonic()
                seconds = self._wait_seconds(tokens, now)
                if seconds == 0:
                    break
                self._changed.clear()
                await self._nap(seconds)
            if self._first_sent_at is None:
                self._first_sent_at = now
            self.running += 1
            self._requests.begin(1)
            self._tokens.begin(tokens)
            return Pass(tokens=tokens, sent_at=now)

    async def _nap(self, seconds: float | None) -> None:
        longest = LONGEST_NAP_SECONDS if seconds is None else min(seconds, LONGEST_NAP_SECONDS)
        try:
            async with asyncio.timeout(longest):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _wait_seconds(self, tokens: int, now: float) -> float | None:
        """Return seconds to wait, 0 for none, None until something ends."""
        if self.running >= max(1, int(self.concurrency)):
            return None
        if not self._knows and self.running and self._first_sent_at is not None:
            left = self._first_sent_at + AHEAD_SECONDS - now
            if left > 0:
                return left
        if now < self._paused_until:
            return self._paused_until - now
        waits = (self._requests.wait_seconds(1, now), self._tokens.wait_seconds(tokens, now))
        return None if None in waits else max(wait for wait in waits if wait is not None)

    def throw_open(self) -> None:
        """Hold nobody back any more: nothing will be sent, and who waits shall hear of it."""
        self._is_open = True
        self._changed.set()

    def pause(self, seconds: float) -> None:
        """Let nothing out for a while."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def leave(
        self,
        given: Pass,
        announced: Announcement | None,
        *,
        tokens: int = 0,
        throttled: bool = False,
    ) -> None:
        """Give a pass back.

        Args:
            given: The pass.
            announced: What the answer's headers say; None if no answer came.
            tokens: What was billed.
            throttled: The endpoint said that there is too much.
        """
        now = time.monotonic()
        self.running -= 1
        if announced is not None:
            self._learn(announced, now)
        self._requests.end(1, 1, now)
        self._tokens.end(given.tokens, tokens, now)
        if throttled:
            self._cut(given, now)
        elif announced is not None:
            self.concurrency = min(self._most, self.concurrency + 1 / self.concurrency)
        self._changed.set()

    def _learn(self, announced: Announcement, now: float) -> None:
        self._knows = True
        self._requests.learn(announced.requests, now)
        self._tokens.learn(announced.tokens, now)
        for window, given in zip((self._requests, self._tokens), self._given, strict=True):
            if given is not None:
                window.limit = min(given, window.limit or given)
        if announced.retry_after_seconds is not None and not is_too_long(announced):
            self.pause(announced.retry_after_seconds)

    def _cut(self, given: Pass, now: float) -> None:
        # Requests that went out before the last cut tell nothing new.
        if given.sent_at >= self._cut_at:
            self.concurrency = max(1.0, self.concurrency / 2)
            self._cut_at = now


def is_too_long(announced: Announcement | None) -> bool:
    """Tell whether an endpoint wants to be left alone for longer than a run can wait."""
    return announced is not None and announced.rest_seconds > LONGEST_RETRY_AFTER_SECONDS
