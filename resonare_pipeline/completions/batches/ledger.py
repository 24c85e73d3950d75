"""The ledger: which batches there are, how far each has come, and which requests are in it.

The one place that reads and writes it. Everything here blocks. What is sent to the provider is
written here first, and what the provider tells after that, so that a process which dies in between
leaves a row from which another goes on. A request that is in a batch is claimed in the cache by
that batch; so nobody asks for it, online or in a second batch, until its answer is there or lost.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.campaigns import LIVE, Campaign, read_batches
from resonare_pipeline.completions.batches.setbacks import Setback, SettledCache, set_back
from resonare_pipeline.completions.batches.tables import BATCHES
from resonare_pipeline.completions.cache import spending
from resonare_pipeline.completions.cache.store import (
    ALIVE_SECONDS,
    BATCH_PREFIX,
    Answered,
    answer_row,
    release_claims,
    slices,
)
from resonare_pipeline.completions.cache.tables import CLAIMS, OWNERS
from resonare_pipeline.completions.requests import Failure

FOR_EVER = 1e12  # seconds since 1970: a batch under way owns its requests until it is settled
STEPS = frozenset({"state", "remote", "creating_at"})
"""Columns that tell what was asked of the provider; two processes must not write them over."""

_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)


class MovedError(Exception):
    """Another process has taken a batch on meanwhile, so what was to be written does not hold."""


class Ledger(Campaign):
    """The ledger as one process uses it.

    Args:
        cache: The cache whose database it lives in.
        endpoint: Name of the endpoint; batches of others are not seen.
        clock: Tells the time, in seconds since 1970.
    """

    def __init__(
        self, cache: SettledCache, endpoint: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(cache)
        self.endpoint = endpoint
        self.clock = clock
        self._added: set[str] = set()

    def add(self, *batches: Batch, beside: Callable[[Connection], None] | None = None) -> None:
        """Write new batches down; each owns what it claims while this process shows it is alive.

        Args:
            batches: None of which is there yet.
            beside: What is done in the same transaction, before; if it raises, none is added.
        """

        def put(connection: Connection) -> None:
            if beside is not None:
                beside(connection)
            for batch in batches:
                row = msgspec.to_builtins(batch) | {"driver": self.cache.owner}
                connection.execute(insert(BATCHES), row)
                self._own(connection, batch.batch, self.cache.now(connection) + ALIVE_SECONDS)

        self.cache.run(put)
        self._added.update(batch.batch for batch in batches)

    def sweep(self) -> None:
        """Forget claims of processes that are not alive, and of batches that are not there."""
        self.cache.sweep()
        known = select(BATCHES.c.batch).where(BATCHES.c.state.in_(LIVE))
        lost = and_(OWNERS.c.owner.like(f"{BATCH_PREFIX}%"), OWNERS.c.owner.not_in(known))

        def clear(connection: Connection) -> None:
            owners = connection.execute(select(OWNERS.c.owner).where(lost)).scalars().all()
            for owner in owners:
                connection.execute(delete(CLAIMS).where(CLAIMS.c.owner == owner))
                connection.execute(delete(OWNERS).where(OWNERS.c.owner == owner))

        self.cache.run(clear)

    def is_own(self, batch: Batch) -> bool:
        """Tell whether this process has written a batch down, and so has its file."""
        return batch.batch in self._added

    def claim(self, batch: str, keys: Sequence[str]) -> tuple[set[str], int]:
        """Take requests into a batch.

        Returns:
            The keys that are in it now and were not before, and how many others are being asked
            by somebody.
        """
        if not keys:
            return set(), 0
        before = self.cache.run(
            lambda connection: self._held(connection, batch, keys), reading=True
        )
        own, found = self.cache.claim(
            [key for key in keys if key not in before], since=self.cache.since, owner=batch
        )
        under_way = sum(record.failure is Failure.BATCHED for record in found.values())
        return own, under_way + len(set(keys) - before - own - found.keys())

    def change(self, batch: Batch, **values: Any) -> Batch:
        """Write down how far a batch has come.

        Raises:
            MovedError: If a step is taken that another process has taken already.
        """
        changed = msgspec.structs.replace(batch, **values)
        is_back = batch.is_begun and not changed.is_begun and changed.state.is_live

        def put(connection: Connection) -> None:
            self._update(connection, batch, values)
            if is_back:  # nothing of it is under way; should this process die, others may ask
                until = self.cache.now(connection) + ALIVE_SECONDS
                self._own(connection, batch.batch, until)

        self.cache.run(put, durable=True)
        return changed

    def begin(self, batch: Batch) -> Batch | None:
        """Write down that a batch is about to be made.

        Returns:
            The batch; None if others have taken requests of it, since this process seemed dead.

        Raises:
            MovedError: If another process has taken this step already.
        """
        values = {"creating_at": self.clock(), "looks": 0}
        owned = select(func.count()).where(CLAIMS.c.owner == batch.batch)

        def put(connection: Connection) -> bool:
            if not batch.source and connection.execute(owned).scalar_one() < batch.lines:
                return False
            self._update(connection, batch, values)
            self._own(connection, batch.batch, FOR_EVER)
            return True

        has_all = self.cache.run(put, durable=True)
        return msgspec.structs.replace(batch, **values) if has_all else None

    def store(
        self, batch: Batch, answers: Sequence[Answered], setbacks: Sequence[Setback], tries: int
    ) -> tuple[int, float, int]:
        """Store what lines brought, and give their claims back.

        A line whose request is not in the batch, or not any more, is passed over: it is unknown, or
        a repetition.

        Args:
            batch: The batch.
            answers: In the cache when this returns.
            setbacks: What brought none.
            tries: So often is a request asked before its failure is final.

        Returns:
            Answers that were new, what they cost, and how many have no known price.
        """

        def put(connection: Connection) -> tuple[int, float, int]:
            keys = [*(item.key for item in answers), *(item.key for item in setbacks)]
            held = self._held(connection, batch.batch, keys)
            new = list({item.key: item for item in reversed(answers) if item.key in held}.values())
            if new:
                now = time.time()
                rows = [answer_row(item, now) for item in new]
                connection.execute(self.cache.put_statement, rows)
            answered = {item.key for item in new}
            back = {s.key: s for s in setbacks if s.key in held and s.key not in answered}
            set_back(connection, batch.campaign, list(back.values()), tries)
            release_claims(connection, sorted(held), batch.batch)
            spending.spend_drawn(
                connection,
                batch.batch,
                cost_usd=sum(item.charged_usd for item in new),
                now=self.cache.now(connection),
            )
            cost = sum(item.cost_usd or 0.0 for item in new)
            unpriced = sum(item.cost_usd is None for item in new)
            counted = {
                "answered": BATCHES.c.answered + len(new),
                "cost_usd": BATCHES.c.cost_usd + cost,
                "unpriced": BATCHES.c.unpriced + unpriced,
            }
            connection.execute(
                update(BATCHES).where(BATCHES.c.batch == batch.batch).values(**counted)
            )
            return len(new), cost, unpriced

        return self.cache.run(put, durable=True)

    def settle(self, batch: Batch, lacking: Setback, tries: int, **values: Any) -> int:
        """End a batch: what it still owns brought nothing.

        Args:
            batch: The batch.
            lacking: What that is put down to.
            tries: So often is a request asked before its failure is final.
            values: The columns that change.

        Returns:
            How many requests brought nothing.

        Raises:
            MovedError: If another process has ended it already.
        """

        def put(connection: Connection) -> int:
            self._update(connection, batch, values)
            owned = CLAIMS.c.owner == batch.batch
            keys = sorted(connection.execute(select(CLAIMS.c.key).where(owned)).scalars())
            if lacking.failure is not None:
                back = [msgspec.structs.replace(lacking, key=key) for key in keys]
                set_back(connection, batch.campaign, back, tries)
            if lacking.may_be_billed and keys:
                self._charge(connection, batch, len(keys))
            connection.execute(delete(CLAIMS).where(owned))
            connection.execute(delete(OWNERS).where(OWNERS.c.owner == batch.batch))
            spending.give_back(connection, batch.batch)
            if values.get("state") is State.DROPPED:  # an empty one tells nobody anything
                empty = and_(BATCHES.c.batch == batch.batch, BATCHES.c.lines == 0)
                connection.execute(delete(BATCHES).where(empty))
            return len(keys)

        return self.cache.run(put, durable=True)

    def batches(self, *, live: bool = False, batch: str = "") -> list[Batch]:
        """Return batches, the oldest first.

        Args:
            live: Only those with something left to be done.
            batch: Only that one, by its id or the provider's.
        """
        query = select(BATCHES).where(BATCHES.c.endpoint == self.endpoint)
        if live:
            query = query.where(BATCHES.c.state.in_(LIVE))
        if batch:
            query = query.where(or_(BATCHES.c.batch == batch, BATCHES.c.remote == batch))
        query = query.order_by(BATCHES.c.staged_at, BATCHES.c.batch)
        return read_batches(self.cache, query)

    def take(self) -> list[Batch]:
        """Return the live batches that are this process's to work on: nobody else does."""
        alive = select(OWNERS.c.owner)

        def lease(connection: Connection) -> None:
            now = self.cache.now(connection)
            free = or_(
                BATCHES.c.driver.is_(None),
                BATCHES.c.driver.not_in(alive.where(OWNERS.c.alive_until > now)),
            )
            mine = and_(BATCHES.c.endpoint == self.endpoint, BATCHES.c.state.in_(LIVE), free)
            connection.execute(update(BATCHES).where(mine).values(driver=self.cache.owner))

        self.cache.run(lease)
        return [batch for batch in self.batches(live=True) if batch.driver == self.cache.owner]

    def leave(self) -> None:
        """Work on nothing any more."""
        mine = BATCHES.c.driver == self.cache.owner

        def put(connection: Connection) -> None:
            connection.execute(update(BATCHES).where(mine).values(driver=None))

        self.cache.run(put)

    def beat(self) -> None:
        """Show that this process is alive, and so what it has staged."""
        self.cache.beat()
        staged = select(BATCHES.c.batch).where(
            BATCHES.c.driver == self.cache.owner,
            BATCHES.c.state.in_((State.STAGED, State.UPLOADED)),
            BATCHES.c.creating_at.is_(None),
        )

        def show(connection: Connection) -> None:
            until = self.cache.now(connection) + ALIVE_SECONDS
            later = and_(OWNERS.c.owner.in_(staged), OWNERS.c.alive_until < until)
            connection.execute(update(OWNERS).where(later).values(alive_until=until))

        self.cache.run(show)

    def _update(self, connection: Connection, batch: Batch, values: dict[str, Any]) -> None:
        """Change a row; where a step is taken, only if the batch still stands where it was seen."""
        which = [BATCHES.c.batch == batch.batch]
        if not STEPS.isdisjoint(values):
            which += [
                BATCHES.c.state == batch.state,
                BATCHES.c.remote.is_not_distinct_from(batch.remote),
                BATCHES.c.creating_at.is_not_distinct_from(batch.creating_at),
            ]
        if not connection.execute(update(BATCHES).where(*which).values(**values)).rowcount:
            raise MovedError(f"another process goes on with {batch.batch}")

    def _charge(self, connection: Connection, batch: Batch, lines: int) -> None:
        """Count lines that may have been billed as the most that they can cost."""
        upper = batch.reserved_usd / max(1, batch.lines) * lines
        spending.spend_drawn(
            connection, batch.batch, cost_usd=upper, now=self.cache.now(connection)
        )
        own = update(BATCHES).where(BATCHES.c.batch == batch.batch)
        connection.execute(own.values(unpriced=BATCHES.c.unpriced + lines))

    def _own(self, connection: Connection, batch: str, until: float) -> None:
        connection.execute(self.cache.show_statement, {"owner": batch, "alive_until": until})

    def _held(self, connection: Connection, batch: str, keys: Iterable[str]) -> set[str]:
        held: set[str] = set()
        for some in slices(list(dict.fromkeys(keys))):
            held.update(connection.execute(_HELD, {"wanted": some, "owner": batch}).scalars())
        return held


_HELD = select(CLAIMS.c.key).where(CLAIMS.c.key.in_(_WANTED), CLAIMS.c.owner == bindparam("owner"))
