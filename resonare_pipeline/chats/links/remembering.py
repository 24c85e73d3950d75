"""What is known of links, in the database of the completions cache.

An outcome that asking again cannot change is kept for good. Of a failure that may pass only is kept
how often and when it came: the link is asked for again after an hour, then after 4, 16 and 64, and
is `unreachable` when that fails too. No address is kept, only its hash.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Double,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    or_,
    select,
)
from sqlalchemy.engine import URL

from resonare_pipeline.chats.links.contents import LinkContent, link_line
from resonare_pipeline.chats.links.failures import OF_SETTINGS, LinkFailure
from resonare_pipeline.completions.cache.connecting import dialect_of
from resonare_pipeline.completions.cache.store import Cache, slices
from resonare_pipeline.completions.cache.tables import METADATA

MOST_TRIES = 5  # runs in which a link may fail in a way that may pass
FIRST_REST = dt.timedelta(hours=1)
REST_FACTOR = 4

LINK_CONTENTS = Table(
    "link_contents",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("outcome", LargeBinary),  # JSON of `Outcome`; null while there is none
    Column("failure", String(32)),  # of the outcome, or of the last try
    Column("tries", Integer, nullable=False),  # that failed
    Column("failed_at", Double),  # seconds since 1970, UTC, as all times here
    Column("retry_at", Double),
    Column("fetched_at", Double),  # when there was an outcome
)
"""One row per page or post that was asked for."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What asking again cannot change.

    Attributes:
        content: What the link says, uncut; None if it says nothing.
        failure: Why not.
        allowed: The private networks that were allowed, where a private address is the reason.
    """

    content: LinkContent | None = None
    failure: LinkFailure | None = None
    allowed: tuple[str, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a link.

    Attributes:
        outcome: None if it failed in ways that may pass.
        failure: How it failed last.
        tries: How often.
        retry_at: When it may be asked for again.
    """

    outcome: Outcome | None
    failure: LinkFailure | None
    tries: int
    retry_at: dt.datetime | None


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a link came to in this run.

    Attributes:
        tries: How often it has failed in ways that may pass, this time included.
        at: When.
    """

    key: str
    outcome: Outcome | None
    failure: LinkFailure | None
    tries: int
    at: dt.datetime

    @property
    def retry_at(self) -> dt.datetime | None:
        """When it may be asked for again; None if there is an outcome."""
        return None if self.outcome else self.at + rest_after(self.tries)


def rest_after(tries: int) -> dt.timedelta:
    """Return how long a link is left alone after so many failures."""
    return FIRST_REST * float(REST_FACTOR ** (tries - 1))


def failed_try(key: str, failure: LinkFailure, earlier: Known | None, at: dt.datetime) -> News:
    """Return what one more failure that may pass makes of a link: it may be the last."""
    tries = (earlier.tries if earlier else 0) + 1
    if tries < MOST_TRIES:
        return News(key=key, outcome=None, failure=failure, tries=tries, at=at)
    given_up = LinkFailure.UNREACHABLE
    outcome = Outcome(failure=given_up)
    return News(key=key, outcome=outcome, failure=given_up, tries=tries, at=at)


class Memory:
    """The table, as one process uses it. Everything here blocks."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._decoder = msgspec.json.Decoder(Outcome)

    def find(self, keys: Sequence[str]) -> dict[str, Known]:
        """Return what is known of links, by key.

        Raises:
            CacheError: If the database cannot be read.
        """

        def look(connection: Connection) -> dict[str, Known]:
            rows = (
                row for some in slices(keys) for row in connection.execute(_FIND, {"wanted": some})
            )
            return {row.key: self._known(row) for row in rows}

        return self._cache.run(look, reading=True)

    def keep(self, news: Iterable[News]) -> None:
        """Write down what links came to; an outcome that is there already stays.

        Raises:
            CacheError: If the database cannot be written.
        """
        # In one order, lest two processes wait for one another.
        rows = [_row(item) for item in sorted(news, key=lambda item: item.key)]
        if not rows:
            return

        def put(connection: Connection) -> None:
            connection.execute(_put_statement(dialect_of(connection)), rows)

        self._cache.run(put)

    def forget(self, pattern: re.Pattern[str]) -> int:
        """Delete what links say wherever a pattern is found in it; return how many links that were.

        Raises:
            CacheError: If the database cannot be read or written.
        """

        def take(connection: Connection) -> int:
            rows = connection.execute(_OUTCOMES)
            found = [row.key for row in rows if self._says(row.outcome, pattern)]
            for some in slices(found):
                connection.execute(_DELETE, {"wanted": some})
            return len(found)

        return self._cache.run(take, durable=True)

    def _says(self, outcome: bytes, pattern: re.Pattern[str]) -> bool:
        content = self._decoder.decode(outcome).content
        # As messages are given it, so that the same is found.
        return content is not None and pattern.search(link_line(content)) is not None

    def _known(self, row: Any) -> Known:
        return Known(
            outcome=None if row.outcome is None else self._decoder.decode(row.outcome),
            failure=None if row.failure is None else LinkFailure(row.failure),
            tries=row.tries,
            retry_at=None
            if row.retry_at is None
            else dt.datetime.fromtimestamp(row.retry_at, dt.UTC),
        )


@contextmanager
def open_memory(url: URL) -> Iterator[Memory]:
    """Open what is remembered; the table is made if it is missing.

    Raises:
        SettingsError: If the database's driver is not installed.
        CacheError: If it cannot be opened.
    """
    cache = Cache(url)
    try:
        yield Memory(cache)
    finally:
        cache.close()


_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_FIND = select(LINK_CONTENTS).where(LINK_CONTENTS.c.key.in_(_WANTED))
_OUTCOMES = select(LINK_CONTENTS.c.key, LINK_CONTENTS.c.outcome).where(
    LINK_CONTENTS.c.outcome.is_not(None)
)
_DELETE = delete(LINK_CONTENTS).where(LINK_CONTENTS.c.key.in_(_WANTED))


def _row(news: News) -> dict[str, Any]:
    retry_at = news.retry_at
    at = news.at.timestamp()
    return {
        "key": news.key,
        "outcome": None if news.outcome is None else msgspec.json.encode(news.outcome),
        "failure": None if news.failure is None else news.failure.value,
        "tries": news.tries,
        "failed_at": None if news.failure is None else at,
        "retry_at": None if retry_at is None else retry_at.timestamp(),
        "fetched_at": None if news.outcome is None else at,
    }


def _put_statement(dialect: Any) -> Any:
    statement = dialect.insert(LINK_CONTENTS)
    columns = (column.name for column in LINK_CONTENTS.c if column.name != "key")
    new = statement.excluded
    table = LINK_CONTENTS.c
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={name: new[name] for name in columns},
        # An outcome stays, unless settings have changed since. Of two processes that fail at a
        # time only one counts: that more tries are known than the other knew tells it.
        where=or_(
            *(table.failure == failure.value for failure in sorted(OF_SETTINGS)),
            table.outcome.is_(None) & (new.outcome.is_not(None) | (new.tries > table.tries)),
        ),
    )
