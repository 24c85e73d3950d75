"""SQLite files of an event log: looked through column by column, and rid of what was deleted.

Deleted rows stay in a file's free pages until it is written anew. Which rows go, is not decided
here.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

WAIT_SECONDS = 10.0  # for another process that writes
_SUFFIXES = ("", "-wal", "-shm", "-journal")


def databases(folder: Path) -> Iterator[Path]:
    """Yield the SQLite files below a folder, in order of name."""
    yield from sorted(folder.rglob("*.db"))


def count_in(path: Path, count: Callable[[str], int]) -> dict[str, int]:
    """Return how much is found in each `table.column` of a database.

    Args:
        path: The database.
        count: Counts in a text.
    """
    found: dict[str, int] = {}
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda content: content.decode(errors="replace")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # from the file
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, str) and (hits := count(value)):
                        place = f"{table}.{column}"
                        found[place] = found.get(place, 0) + hits
    return found


def compact(path: Path) -> bool:
    """Write a database anew without what was deleted; False if another process holds it."""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not busy


def delete_database(path: Path) -> None:
    """Delete a database with the files that belong to it."""
    for suffix in _SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
