"""When runs that ask for fresh answers began, so that one that was stopped goes on where it was.

A mark is set by the first run of its name, taken up by those after it, and taken away when one of
them has all its answers.
"""

import time

from sqlalchemy import Connection, delete, select

from resonare_pipeline.completions.cache.connecting import dialect_of
from resonare_pipeline.completions.cache.store import Cache
from resonare_pipeline.completions.cache.tables import MARKS


def set_mark(cache: Cache, name: str) -> float:
    """Set a mark unless it is set, and return when that was (seconds since 1970)."""

    def put(connection: Connection) -> float:
        statement = dialect_of(connection).insert(MARKS).values(name=name, marked_at=time.time())
        connection.execute(statement.on_conflict_do_nothing())
        return _found(connection, name) or 0.0

    return cache.run(put)


def find_mark(cache: Cache, name: str) -> float | None:
    """Return when a mark was set (seconds since 1970), or None if there is none."""
    return cache.run(lambda connection: _found(connection, name), reading=True)


def take_mark_away(cache: Cache, name: str) -> None:
    """Take a mark away, if it is there."""
    cache.run(lambda connection: connection.execute(delete(MARKS).where(MARKS.c.name == name)))


def _found(connection: Connection, name: str) -> float | None:
    statement = select(MARKS.c.marked_at).where(MARKS.c.name == name)
    at = connection.execute(statement).scalar_one_or_none()
    return None if at is None else float(at)
