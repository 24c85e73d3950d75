"""The server's clock: real time × scale + what tests moved it on by."""

import time


class Clock:
    """Seconds since 1970, as the server sees them."""

    def __init__(self) -> None:
        self._then = time.time()
        self._since = time.monotonic()
        self._scale = 1.0

    def now(self) -> float:
        """Return the time."""
        return self._then + (time.monotonic() - self._since) * self._scale

    def advance(self, seconds: float) -> None:
        """Move on; a clock does not go back."""
        self._then += max(0.0, seconds)

    def rescale(self, scale: float) -> None:
        """Go faster or slower from now on."""
        self._then, self._since, self._scale = self.now(), time.monotonic(), scale
