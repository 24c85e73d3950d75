"""Answers by key, and who is asking what: the one place that reads and writes the cache.

Everything here blocks, and belongs on a thread. Many keys are handled in one transaction. A process
that wants to ask *claims* the key first; another then waits for the answer instead of asking too.
Claims hold while their owner shows that it is alive (`beat`), and are taken over after that; at
once if its process is seen to be gone.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, extract, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.cache import spending
from resonare_pipeline.completions.cache.connecting import (
    DURABLE,
    READING,
    dialect_of,
    explained,
    is_passing,
    open_database,
)
from resonare_pipeline.completions.cache.processes import is_gone, new_name
from resonare_pipeline.completions.cache.tables import ANSWERS, CLAIMS, OWNERS
from resonare_pipeline.completions.requests import Completion, Failure

Result = TypeVar("Result")

ALIVE_SECONDS = 60.0  # a process that was stopped for longer may find its requests asked by others
KEYS_AT_A_TIME = 500  # SQLite takes 32,766 parameters, older ones 999
BATCH_PREFIX = "batch-"  # of owners that are no process; their claims hold for a day and more
TRIES = 10
LONGEST_PAUSE_SECONDS = 3.0  # ten tries take some fifteen seconds, as a restart of the server does
_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a request that was answered."""

    completion: Completion | None = None
    failure: Failure | None = None
    detail: str = ""


_BATCHED = "it is in a batch; --batch or `resonare batch collect` takes its answer when that ends"
_IN_A_BATCH = Record(failure=Failure.BATCHED, detail=_BATCHED)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A record on its way into the cache, with what people may look it up by.

    Attributes:
        charged_usd: What counts against caps: its cost, or the most that it can have cost.
    """

    key: str
    record: Record
    provider: str
    endpoint: str
    cost_usd: float | None
    charged_usd: float = 0.0


class Cache:
    """The cache as one process uses it.

    Args:
        url: Of the database.
        accounts: On which answers are spent.
    """

    def __init__(self, url: URL, accounts: Sequence[Account] = ()) -> None:
        self.url = url
        self.accounts = tuple(accounts)
        self._drawn_usd = 0.0
        self.owner = new_name()
        self._engine = open_database(url)
        dialect = dialect_of(self._engine)
        self.put_statement = _put_statement(dialect)
        self._claim = _claim_statement(dialect)
        self.show_statement = _show_statement(dialect)
        self._decoder = msgspec.json.Decoder(Record)

    def find(self, keys: Sequence[str], *, since: float = 0.0) -> dict[str, Record]:
        """Return what is stored of some keys.

        Args:
            keys: Any number.
            since: Older answers do not count (seconds since 1970).
        """

        def look(connection: Connection) -> dict[str, Record]:
            return self._find(connection, keys, since)

        return self.run(look, reading=True)

    def claim(
        self, keys: Sequence[str], *, since: float = 0.0, owner: str | None = None
    ) -> tuple[set[str], dict[str, Record]]:
        """Claim keys that are not answered.

        Args:
            keys: Any number.
            since: Older answers do not count (seconds since 1970).
            owner: Whose they become; None: this process's.

        Returns:
            The keys that are the owner's to ask, and records of those answered meanwhile, or that
            are in a batch. What is in neither is being asked by another process.
        """
        ordered = sorted(keys)  # in one order, lest two processes wait for one another
        owner = owner or self.owner

        def take(connection: Connection) -> tuple[set[str], dict[str, Record]]:
            now = self.now(connection)
            connection.execute(
                self._claim, [{"key": key, "owner": owner, "now": now} for key in ordered]
            )
            own: set[str] = set()
            for some in slices(ordered):
                rows = connection.execute(_OWN_CLAIMS, {"wanted": some, "owner": owner})
                own.update(rows.scalars())
            # An answer and the end of its claim are one transaction, so it is seen here at last.
            found = self._find(connection, sorted(own), since)
            if found:
                release_claims(connection, list(found), owner)
            if others := [key for key in ordered if key not in own]:
                _forget_gone(connection)  # for those who wait, and will claim again
            return own - found.keys(), found | _batched(connection, others)

        return self.run(take)

    def store(self, answered: Sequence[Answered], released: Sequence[str] = ()) -> None:
        """Put answers in, and give claims back: theirs, and those of `released`."""
        charged = sum(item.charged_usd for item in answered)

        def put(connection: Connection) -> None:
            if answered:
                now = time.time()
                connection.execute(self.put_statement, [answer_row(item, now) for item in answered])
            release_claims(connection, [*(item.key for item in answered), *released], self.owner)
            self._spend(connection, charged)

        self.run(put, durable=bool(answered))
        self._drawn_usd -= charged

    def draw(self, wanted_usd: float) -> float:
        """Draw an amount from all accounts; see `spending.draw`."""

        def take(connection: Connection) -> float:
            return spending.draw(
                connection,
                self.accounts,
                self.owner,
                left_usd=max(0.0, self._drawn_usd),
                wanted_usd=wanted_usd,
                now=self.now(connection),
            )

        drawn = self.run(take, durable=True)
        self._drawn_usd += drawn
        return drawn

    def used_usd(self) -> list[float]:
        """Return what is spent on each account or drawn from it."""

        def add(connection: Connection) -> list[float]:
            now = self.now(connection)
            return [spending.used_usd(connection, account, now) for account in self.accounts]

        return self.run(add, reading=True)

    def _spend(self, connection: Connection, cost_usd: float) -> None:
        if self.accounts and cost_usd:
            spending.spend(
                connection,
                self.accounts,
                self.owner,
                left_usd=max(0.0, self._drawn_usd - cost_usd),
                cost_usd=cost_usd,
                now=self.now(connection),
            )

    def beat(self) -> None:
        """Show that this process is alive, for another `ALIVE_SECONDS`."""

        def show(connection: Connection) -> None:
            until = self.now(connection) + ALIVE_SECONDS
            connection.execute(self.show_statement, {"owner": self.owner, "alive_until": until})

        self.run(show)

    def sweep(self) -> None:
        """Forget claims of processes that are not alive."""

        def clear(connection: Connection) -> None:
            _forget_gone(connection)
            alive = select(OWNERS.c.owner).where(OWNERS.c.alive_until > self.now(connection))
            connection.execute(delete(CLAIMS).where(CLAIMS.c.owner.not_in(alive)))
            connection.execute(delete(OWNERS).where(OWNERS.c.owner.not_in(alive)))

        self.run(clear)

    def count(self) -> int:
        """Return how many answers there are."""
        statement = select(func.count()).select_from(ANSWERS)
        return self.run(lambda connection: connection.execute(statement).scalar_one(), reading=True)

    def close(self, *, held_usd: float = 0.0) -> None:
        """Give back all claims, and what was drawn and not spent, and close the database.

        Args:
            held_usd: What requests without an answer may have cost; it counts as spent.
        """

        def leave(connection: Connection) -> None:
            self._spend(connection, held_usd)
            spending.give_back(connection, self.owner)
            connection.execute(delete(CLAIMS).where(CLAIMS.c.owner == self.owner))
            connection.execute(delete(OWNERS).where(OWNERS.c.owner == self.owner))

        try:
            self.run(leave)
        finally:
            self._engine.dispose()

    def run(
        self,
        work: Callable[[Connection], Result],
        *,
        reading: bool = False,
        durable: bool = False,
    ) -> Result:
        """Do some work in one transaction, again if it met another one.

        Args:
            work: Is given the connection; it must be such that it can be done again.
            reading: It changes nothing.
            durable: What it changes is on the disk when this returns.
        """
        with explained(self.url):
            for left in reversed(range(TRIES)):
                try:
                    with self._engine.connect() as connection:
                        connection.execution_options(**{READING: reading, DURABLE: durable})
                        with connection.begin():
                            return work(connection)
                except DBAPIError as error:
                    if not left or not is_passing(error):
                        raise
                    time.sleep(min(LONGEST_PAUSE_SECONDS, 0.05 * 2 ** (TRIES - left)))
        raise AssertionError("unreachable")  # the last try returns or raises

    def _find(self, connection: Connection, keys: Sequence[str], since: float) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for some in slices(keys):
            rows = connection.execute(_FIND, {"wanted": some, "since": since})
            found.update((key, self._decoder.decode(record)) for key, record in rows)
        return found

    def now(self, connection: Connection) -> float:
        """Return the time by the clock that all who share the database see."""
        if connection.dialect.name == "sqlite":
            return time.time()
        return float(connection.execute(_DATABASE_TIME).scalar_one())


_FIND = select(ANSWERS.c.key, ANSWERS.c.record).where(
    ANSWERS.c.key.in_(_WANTED), ANSWERS.c.answered_at >= bindparam("since")
)
_OWN_CLAIMS = select(CLAIMS.c.key).where(
    CLAIMS.c.key.in_(_WANTED), CLAIMS.c.owner == bindparam("owner")
)
_OWNERS_OF = select(CLAIMS.c.key, CLAIMS.c.owner).where(CLAIMS.c.key.in_(_WANTED))
_DATABASE_TIME = select(extract("epoch", func.clock_timestamp()))
_RELEASE = delete(CLAIMS).where(CLAIMS.c.key.in_(_WANTED), CLAIMS.c.owner == bindparam("own"))


def _batched(connection: Connection, keys: Sequence[str]) -> dict[str, Record]:
    """Return records of the keys that are in a batch: nobody waits hours for these."""
    held: list[str] = []
    for some in slices(keys):
        rows = connection.execute(_OWNERS_OF, {"wanted": some})
        held += [key for key, owner in rows if owner.startswith(BATCH_PREFIX)]
    return dict.fromkeys(held, _IN_A_BATCH)


def _put_statement(dialect: Any) -> Any:
    statement = dialect.insert(ANSWERS)
    values = {
        column.name: statement.excluded[column.name] for column in ANSWERS.c if column.name != "key"
    }
    return statement.on_conflict_do_update(index_elements=["key"], set_=values)


def _claim_statement(dialect: Any) -> Any:
    alive = select(OWNERS.c.owner).where(OWNERS.c.alive_until > bindparam("now"))
    statement = dialect.insert(CLAIMS).values(key=bindparam("key"), owner=bindparam("owner"))
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"owner": statement.excluded.owner},
        where=CLAIMS.c.owner.not_in(alive),
    )


def _show_statement(dialect: Any) -> Any:
    statement = dialect.insert(OWNERS)
    return statement.on_conflict_do_update(
        index_elements=["owner"], set_={"alive_until": statement.excluded.alive_until}
    )


def release_claims(connection: Connection, keys: Sequence[str], owner: str) -> None:
    """Give claims of an owner back, within a transaction."""
    for some in slices(keys):
        connection.execute(_RELEASE, {"wanted": some, "own": owner})


def _forget_gone(connection: Connection) -> None:
    """Forget who cannot come back, so that their claims are free."""
    gone = [
        owner for owner in connection.execute(select(OWNERS.c.owner)).scalars() if is_gone(owner)
    ]
    if gone:
        connection.execute(delete(OWNERS).where(OWNERS.c.owner.in_(gone)))


def answer_row(item: Answered, now: float) -> dict[str, Any]:
    """Return an answer as a row of `ANSWERS`."""
    completion = item.record.completion
    return {
        "key": item.key,
        "record": msgspec.json.encode(item.record),
        "provider": item.provider,
        "endpoint": item.endpoint,
        "model": completion.model if completion else "",
        "input_tokens": completion.usage.input_tokens if completion else 0,
        "output_tokens": completion.usage.output_tokens if completion else 0,
        "cost_usd": item.cost_usd,
        "answered_at": now,
    }


def slices(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield keys in numbers that one statement takes."""
    return (keys[at : at + KEYS_AT_A_TIME] for at in range(0, len(keys), KEYS_AT_A_TIME))
