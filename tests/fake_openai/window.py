"""Sliding windows as endpoints enforce them, with the headers that announce them."""

from collections import deque

from tests.fake_openai.script import Limits


class Window:
    """What arrived within the last seconds; what was refused does not count."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._arrived: deque[tuple[float, int]] = deque()
        self._tokens = 0
        self.fullest = 0
        self.refused = 0

    def take(self, now: float, tokens: int) -> float | None:
        """Count a request, or return after how many seconds one would be let in."""
        if self.limits.requests is None and self.limits.tokens is None:
            return None
        self._forget(now)
        most, most_tokens = self.limits.requests, self.limits.tokens
        too_many = most is not None and len(self._arrived) >= most
        too_long = most_tokens is not None and self._tokens + tokens > most_tokens
        if too_many or too_long:
            self.refused += 1
            first = self._arrived[0][0] if self._arrived else now
            return max(0.001, first + self.limits.window_seconds - now)
        self._arrived.append((now, tokens))
        self._tokens += tokens
        self.fullest = max(self.fullest, len(self._arrived))
        return None

    def _forget(self, now: float) -> None:
        until = now - self.limits.window_seconds
        while self._arrived and self._arrived[0][0] <= until:
            self._tokens -= self._arrived.popleft()[1]

    def headers(self, now: float) -> dict[str, str]:
        """Return the headers, with OpenAI's names and forms."""
        limits = self.limits
        if not limits.announced or (limits.requests is None and limits.tokens is None):
            return {}
        self._forget(now)
        last = self._arrived[-1][0] if self._arrived else now - limits.window_seconds
        reset = _duration(max(0.0, last + limits.window_seconds - now))
        found = {}
        for name, most, used in (
            ("requests", limits.requests, len(self._arrived)),
            ("tokens", limits.tokens, self._tokens),
        ):
            if most is not None:
                found[f"x-ratelimit-limit-{name}"] = str(most)
                found[f"x-ratelimit-remaining-{name}"] = str(max(0, most - used))
                found[f"x-ratelimit-reset-{name}"] = reset
        return found


def _duration(seconds: float) -> str:
    """Write seconds as OpenAI does: 6m0s, 1.5s, 12ms."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.3f}s" if minutes else f"{rest:.3f}s"
