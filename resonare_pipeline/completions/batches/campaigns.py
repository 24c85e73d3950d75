"""What a campaign has done and paid so far: the requests of one input, over all its rounds."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, select, update

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.setbacks import SettledCache
from resonare_pipeline.completions.batches.tables import BATCHES, SETBACKS
from resonare_pipeline.completions.cache import spending
from resonare_pipeline.completions.cache.store import Cache

LIVE = tuple(state.value for state in State if state.is_live)


class Campaign:
    """A campaign as the ledger has it.

    Args:
        cache: The cache in whose database the ledger lives.
    """

    def __init__(self, cache: SettledCache) -> None:
        self.cache = cache
        self.campaign = cache.campaign

    def used_usd(self, accounts: Sequence[Account]) -> list[float]:
        """Return what is spent on each account or drawn from it."""

        def add(connection: Connection) -> list[float]:
            now = self.cache.now(connection)
            return [spending.used_usd(connection, account, now) for account in accounts]

        return self.cache.run(add, reading=True) if accounts else []

    def draw(self, batch: str, accounts: Sequence[Account], upper_usd: float) -> bool:
        """Draw the most that a batch can cost from all accounts; False if it is not there."""
        if not accounts or not upper_usd:
            return True

        def take(connection: Connection) -> float:
            now = self.cache.now(connection)
            return spending.draw(
                connection,
                accounts,
                batch,
                left_usd=0.0,
                wanted_usd=upper_usd,
                now=now,
                share=0.0,
            )

        return self.cache.run(take, durable=True) > 0

    def spent_usd(self) -> float:
        """Return what the campaign has cost, and can cost with what is under way."""
        own = and_(BATCHES.c.campaign == self.campaign, BATCHES.c.is_closed.is_(False))
        live = BATCHES.c.state.in_(LIVE)
        unknown = (
            BATCHES.c.reserved_usd
            * BATCHES.c.unpriced
            / case((BATCHES.c.lines > 0, BATCHES.c.lines), else_=1)
        )
        paid = BATCHES.c.cost_usd + unknown

        def look(connection: Connection) -> float:
            sums = [
                connection.execute(select(func.sum(column)).where(own, which)).scalar_one()
                for column, which in ((paid, ~live), (BATCHES.c.reserved_usd, live))
            ]
            return sum(float(dollars or 0.0) for dollars in sums)

        return self.cache.run(look, reading=True)

    def paid(self) -> tuple[float, int]:
        """Return what the campaign's answers have cost, and how many have no known price."""
        query = select(func.sum(BATCHES.c.cost_usd), func.sum(BATCHES.c.unpriced)).where(
            BATCHES.c.campaign == self.campaign, BATCHES.c.is_closed.is_(False)
        )
        cost, unpriced = self.cache.run(
            lambda connection: connection.execute(query).one(), reading=True
        )
        return float(cost or 0.0), int(unpriced or 0)

    def has_run(self) -> bool:
        """Tell whether a batch of the campaign has come to its end."""
        return self._is_any(BATCHES.c.state == State.SETTLED)

    def is_open(self) -> bool:
        """Tell whether the campaign has begun and not ended."""
        return self._is_any(BATCHES.c.state != State.DROPPED)

    def _is_any(self, condition: ColumnElement[bool]) -> bool:
        query = select(BATCHES.c.batch).where(
            BATCHES.c.campaign == self.campaign, BATCHES.c.is_closed.is_(False), condition
        )
        first = self.cache.run(
            lambda connection: connection.execute(query.limit(1)).first(), reading=True
        )
        return first is not None

    def finish(self) -> None:
        """End the campaign: the next run of the same input asks again for what brought nothing."""
        own = BATCHES.c.campaign == self.campaign

        def put(connection: Connection) -> None:
            connection.execute(delete(SETBACKS).where(SETBACKS.c.campaign == self.campaign))
            connection.execute(update(BATCHES).where(own).values(is_closed=True))

        self.cache.run(put)


def read_batches(cache: Cache, query: Select[Any]) -> list[Batch]:
    """Return the rows of a query over all columns of `BATCHES`."""
    rows = cache.run(lambda connection: connection.execute(query).all(), reading=True)
    return [msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), Batch) for row in rows]


_COLUMNS = [str(column.name) for column in BATCHES.c]
