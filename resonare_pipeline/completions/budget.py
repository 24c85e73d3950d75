"""A cap on what a run may cost, that holds while many requests are under way.

Before a request is sent, the most that it can cost is reserved; when it is answered, its cost takes
the reservation's place. A request whose reservation does not fit waits while others are under way,
and is refused when none is. What broke after it was sent may have been billed: it stays held.

Where others spend under the same cap, what is reserved here must have been drawn from there before.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable

Draw = Callable[[float], Awaitable[float]]
"""Draws at least so many dollars from what is shared with others; 0.0: so much is not there."""

DRIFT_USD = 1e-9  # sums of floats drift by less


class Budget:
    """Dollars that one run may spend, or no cap at all.

    Args:
        cap_usd: None: nothing is held back.
        draw: Draws from what is shared; None: nothing is.

    Attributes:
        spent_usd: What answers have cost.
        held_usd: The most that requests of unknown fate can have cost.
    """

    def __init__(self, cap_usd: float | None, draw: Draw | None = None) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = 0.0
        self.held_usd = 0.0
        self._draw = draw
        self._drawn_usd = 0.0
        self._refused_usd = math.inf  # the least that could not be drawn
        self._drawing = asyncio.Lock()
        self._reserved_usd = 0.0
        self._reservations = 0
        self._changed = asyncio.Event()

    async def reserve(self, upper_usd: float) -> bool:
        """Set aside the most that a request can cost; False if that will never fit."""
        if self.cap_usd is None:
            return True
        while not (self._fits(upper_usd, self.cap_usd) and await self._is_drawn(upper_usd)):
            if not self._reservations:
                return False
            self._changed.clear()
            await self._changed.wait()
        self._reserved_usd += upper_usd
        self._reservations += 1
        return True

    def _used_usd(self) -> float:
        return self.spent_usd + self.held_usd + self._reserved_usd

    def _fits(self, upper_usd: float, cap_usd: float) -> bool:
        return self._used_usd() + upper_usd <= cap_usd + DRIFT_USD

    def _lacking_usd(self, upper_usd: float) -> float:
        return self._used_usd() + upper_usd - self._drawn_usd

    async def _is_drawn(self, upper_usd: float) -> bool:
        """Tell whether an amount is drawn from what is shared, after drawing it if need be.

        Only the last look is followed by no other coroutine's turn, so that it counts.
        """
        if self._draw is None or self._lacking_usd(upper_usd) <= DRIFT_USD:
            return True
        async with self._drawing:
            lacking = self._lacking_usd(upper_usd)
            if lacking > DRIFT_USD and lacking < self._refused_usd:
                drawn = await self._draw(lacking)
                self._drawn_usd += drawn
                if not drawn:
                    self._refused_usd = lacking
        return self._lacking_usd(upper_usd) <= DRIFT_USD

    def spend(self, cost_usd: float) -> None:
        """Count what an answer has cost, whether or not there is a cap."""
        self.spent_usd += cost_usd

    def keep(self, upper_usd: float) -> None:
        """Count what may have been billed for a request that broke, for good."""
        if self.cap_usd is not None:
            self.held_usd += upper_usd

    async def hold(self, upper_usd: float) -> bool:
        """Count the same, and tell whether its reservation, which still stands, fits again."""
        self.keep(upper_usd)
        if self.cap_usd is None:
            return True
        return self._fits(0.0, self.cap_usd) and await self._is_drawn(0.0)

    def release(self, upper_usd: float) -> None:
        """Give a reservation back."""
        if self.cap_usd is None:
            return
        self._reserved_usd -= upper_usd
        self._reservations -= 1
        self._changed.set()
