"""What was spent on whose account: caps that hold over processes, and after a crash.

An account is a run, or all runs that nobody started. Before a process sends anything it *draws* an
amount from each account that it spends on, which is refused if a cap would not hold; what answers
cost is written down in the transaction that stores them, and takes the place of what was drawn.
What a killed process had drawn stays drawn, as nobody knows whether it was spent, for as long as
its account looks back. Nothing here begins or ends a transaction.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.cache.connecting import Lock, dialect_of, lock_others_out
from resonare_pipeline.completions.cache.tables import DRAWINGS, OWNERS, SPENDINGS

MINUTE_SECONDS = 60.0
DRAW_SHARE = 0.01  # of a cap, at least: a draw is a commit to disk
DRIFT_USD = 1e-9  # sums of floats drift by less


def used_usd(connection: Connection, account: Account, now: float) -> float:
    """Return what is spent on an account or drawn from it."""
    since = 0.0 if account.seconds is None else now - account.seconds
    spent = select(func.sum(SPENDINGS.c.cost_usd)).where(
        SPENDINGS.c.account == account.name, SPENDINGS.c.minute_at >= since
    )
    alive = select(OWNERS.c.owner).where(OWNERS.c.alive_until > now)
    drawn = select(func.sum(DRAWINGS.c.left_usd)).where(
        DRAWINGS.c.account == account.name,
        or_(DRAWINGS.c.drawn_at >= since, DRAWINGS.c.owner.in_(alive)),
    )
    sums = (connection.execute(statement).scalar_one() for statement in (spent, drawn))
    return sum(float(amount or 0.0) for amount in sums)


def draw(
    connection: Connection,
    accounts: Sequence[Account],
    owner: str,
    *,
    left_usd: float,
    wanted_usd: float,
    now: float,
    share: float = DRAW_SHARE,
) -> float:
    """Draw an amount from all accounts, and return how much: more than is wanted, or nothing.

    Args:
        left_usd: What the owner has drawn and not spent.
        share: Of a cap, that is drawn at least.
    """
    # Two that add up at the same time would both find room for themselves.
    lock_others_out(connection, Lock.ACCOUNTS)
    room = min(account.cap_usd - used_usd(connection, account, now) for account in accounts)
    if wanted_usd > room + DRIFT_USD:
        return 0.0
    least = share * min(account.cap_usd for account in accounts)
    drawn = max(wanted_usd, min(least, room))
    _set_left(connection, accounts, owner, left_usd + drawn, now)
    return drawn


def spend(
    connection: Connection,
    accounts: Sequence[Account],
    owner: str,
    *,
    left_usd: float,
    cost_usd: float,
    now: float,
) -> None:
    """Write down what was spent.

    Args:
        left_usd: What is still drawn after that.
    """
    if cost_usd:
        minute_at = now - now % MINUTE_SECONDS
        connection.execute(
            _add_statement(connection),
            [
                {"account": a.name, "owner": owner, "minute_at": minute_at, "cost_usd": cost_usd}
                for a in accounts
            ],
        )
    _set_left(connection, accounts, owner, left_usd, now)


def spend_drawn(connection: Connection, owner: str, *, cost_usd: float, now: float) -> None:
    """Write down what was spent of what an owner has drawn, on the accounts it was drawn from."""
    if not cost_usd:
        return
    minute_at = now - now % MINUTE_SECONDS
    mine = select(DRAWINGS.c.account, DRAWINGS.c.left_usd).where(DRAWINGS.c.owner == owner)
    rows = connection.execute(mine).all()
    for account, left in rows:
        spent = {"account": account, "owner": owner, "minute_at": minute_at, "cost_usd": cost_usd}
        connection.execute(_add_statement(connection), spent)
        own = (DRAWINGS.c.owner == owner) & (DRAWINGS.c.account == account)
        rest = max(0.0, float(left) - cost_usd)
        connection.execute(update(DRAWINGS).where(own).values(left_usd=rest, drawn_at=now))


def give_back(connection: Connection, owner: str) -> None:
    """Give back what an owner has drawn and not spent."""
    connection.execute(delete(DRAWINGS).where(DRAWINGS.c.owner == owner))


def _set_left(
    connection: Connection, accounts: Sequence[Account], owner: str, left_usd: float, now: float
) -> None:
    statement = dialect_of(connection).insert(DRAWINGS)
    changed = {name: statement.excluded[name] for name in ("left_usd", "drawn_at")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["account", "owner"], set_=changed),
        [
            {"account": account.name, "owner": owner, "left_usd": left_usd, "drawn_at": now}
            for account in accounts
        ],
    )


def _add_statement(connection: Connection) -> Any:
    statement = dialect_of(connection).insert(SPENDINGS)
    total = SPENDINGS.c.cost_usd + statement.excluded.cost_usd
    return statement.on_conflict_do_update(
        index_elements=["account", "owner", "minute_at"], set_={"cost_usd": total}
    )
