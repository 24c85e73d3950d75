"""A cap on what a run may cost, that holds while many requests are under way.

Before a request is sent, the most that it can cost is reserved; when it is answered, its cost takes
the reservation's place. A request whose reservation does not fit waits while others are under way,
and is refused when none is. What broke after it was sent may have been billed: it stays held.
"""

import asyncio


class Budget:
    """Dollars that one run may spend, or no cap at all.

    Attributes:
        cap_usd: None: nothing is held back.
        spent_usd: What answers have cost.
        held_usd: The most that requests of unknown fate can have cost.
    """

    def __init__(self, cap_usd: float | None) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = 0.0
        self.held_usd = 0.0
        self._reserved_usd = 0.0
        self._reservations = 0
        self._changed = asyncio.Event()

    async def reserve(self, upper_usd: float) -> bool:
        """Set aside the most that a request can cost; False if that will never fit."""
        if self.cap_usd is None:
            return True
        while not self._fits(upper_usd, self.cap_usd):
            if not self._reservations:
                return False
            self._changed.clear()
            await self._changed.wait()
        self._reserved_usd += upper_usd
        self._reservations += 1
        return True

    def _fits(self, upper_usd: float, cap_usd: float) -> bool:
        # Sums of floats drift by less than a billionth of a dollar.
        return self.spent_usd + self.held_usd + self._reserved_usd + upper_usd <= cap_usd + 1e-9

    def spend(self, cost_usd: float) -> None:
        """Count what an answer has cost, whether or not there is a cap."""
        self.spent_usd += cost_usd

    def hold(self, upper_usd: float) -> bool:
        """Count what may have been billed for a request that broke.

        Returns:
            Whether its reservation, which still stands, fits for another try.
        """
        if self.cap_usd is None:
            return True
        self.held_usd += upper_usd
        return self._fits(0.0, self.cap_usd)

    def release(self, upper_usd: float) -> None:
        """Give a reservation back."""
        if self.cap_usd is None:
            return
        self._reserved_usd -= upper_usd
        self._reservations -= 1
        self._changed.set()
