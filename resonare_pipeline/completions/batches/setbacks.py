"""Requests that brought no answer in a batch, and the cache that knows of them.

A setback holds for its campaign. It is final if asking again cannot help, or was tried often
enough; then it stands for an answer, so that nothing goes round in circles.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, or_, select
from sqlalchemy.engine import URL

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.batches.tables import SETBACKS
from resonare_pipeline.completions.cache.connecting import dialect_of
from resonare_pipeline.completions.cache.store import Cache, Record, slices
from resonare_pipeline.completions.requests import Failure

ASKED_AGAIN = (
    Failure.RATE,
    Failure.SERVER,
    Failure.NETWORK,
    Failure.EXPIRED,
)
"""What the next batch may mend. A key, a model, a credit or a cancelled batch is somebody's to
mend first, and what is refused for what it says will be refused again."""


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request has no answer; no failure: it was never run, and no try is counted.

    Attributes:
        may_be_billed: It may have run, so under a cap it counts as the dearest that it can be.
    """

    key: str = ""
    failure: Failure | None
    detail: str = ""
    may_be_billed: bool = False

    @property
    def may_be_asked_again(self) -> bool:
        """Whether another batch may bring an answer."""
        return self.failure in ASKED_AGAIN


class SettledCache(Cache):
    """The cache, with a campaign's final setbacks among what is found in it.

    Args:
        url: Of the database.
        accounts: On which answers are spent.
        campaign: What the batches are for.
        since: Older answers do not count (seconds since 1970).
    """

    def __init__(
        self, url: URL, accounts: Sequence[Account] = (), *, campaign: str, since: float = 0.0
    ) -> None:
        super().__init__(url, accounts)
        self.campaign = campaign
        self.since = since

    def _find(self, connection: Connection, keys: Sequence[str], since: float) -> dict[str, Record]:
        found = super()._find(connection, keys, max(since, self.since))
        for some in slices([key for key in keys if key not in found]):
            given = {"wanted": some, "campaign": self.campaign}
            for key, failure, detail in connection.execute(_FINAL, given):
                found[key] = Record(failure=Failure(failure), detail=detail)
        return found


def set_back(connection: Connection, campaign: str, setbacks: list[Setback], tries: int) -> None:
    """Count a try for each; which may be the last one."""
    if not setbacks:
        return
    statement = dialect_of(connection).insert(SETBACKS)
    new = statement.excluded
    done = SETBACKS.c.tries + 1
    statement = statement.on_conflict_do_update(
        index_elements=["campaign", "key"],
        set_={
            "tries": done,
            "failure": new.failure,
            "detail": new.detail,
            "is_final": or_(new.is_final, done >= tries),
        },
    )
    rows = [
        {
            "campaign": campaign,
            "key": setback.key,
            "tries": 1,
            "failure": str(setback.failure),
            "detail": setback.detail.replace("\0", ""),  # PostgreSQL takes none
            "is_final": not setback.may_be_asked_again or tries <= 1,
        }
        for setback in setbacks
    ]
    connection.execute(statement, rows)


_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_FINAL = select(SETBACKS.c.key, SETBACKS.c.failure, SETBACKS.c.detail).where(
    SETBACKS.c.campaign == bindparam("campaign"),
    SETBACKS.c.key.in_(_WANTED),
    SETBACKS.c.is_final,
)
