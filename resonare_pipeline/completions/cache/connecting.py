"""Connections to the cache's database, and what each kind of database needs to be told.

SQLite: a write-ahead log, so that readers never wait; writers take their lock at the beginning and
wait for it. A commit of answers is on disk before it returns, for they cost money; one of claims
need not be. PostgreSQL: the driver is an extra (`resonare-pipeline[postgres]`).
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from resonare_pipeline.completions.cache.tables import METADATA
from resonare_pipeline.errors import CacheError, SettingsError

LOCK_WAIT_SECONDS = 60.0  # other processes hold the lock for milliseconds
OPENING_SECONDS = 30.0
READING = "resonare_reading"
DURABLE = "resonare_durable"


class Lock(Enum):
    """Advisory locks of PostgreSQL: any numbers of the project's own, each for one purpose."""

    TABLES = 7_240_118  # who makes tables
    ACCOUNTS = 7_240_119  # who draws from accounts
    BY_HAND = 7_240_120  # who submits a file by hand


def open_database(url: URL) -> Engine:
    """Open the database, and make its tables if they are missing.

    Raises:
        SettingsError: If the driver is not installed.
        CacheError: If it cannot be opened.
    """
    try:
        is_file = url.get_backend_name() == "sqlite"
        engine = _sqlite(url) if is_file else create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the driver {error.name} is not installed",
            where="RESONARE_DB",
            remedy="pip install 'resonare-pipeline[postgres]'",
        ) from error
    with explained(url):
        _make_tables(engine)
    return engine


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CacheError(
                f"its folder cannot be made: {error.strerror}", where=url.database
            ) from error
    engine = create_engine(
        url, connect_args={"timeout": LOCK_WAIT_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins
    cursor = connection.cursor()
    until = time.monotonic() + OPENING_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except connection.OperationalError:
            # Another process is changing the mode; SQLite does not wait for that.
            if time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.01, 0.05))  # noqa: S311  # only to part two processes
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes fails at once if another wrote in between.
    options = connection.get_execution_options()
    if options.get(READING):
        connection.exec_driver_sql("BEGIN")
        return
    level = "FULL" if options.get(DURABLE) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_tables(engine: Engine) -> None:
    with engine.connect().execution_options(**{READING: True}) as connection:
        known = set(engine.dialect.get_table_names(connection))
    if known >= set(METADATA.tables):
        return
    with engine.begin() as connection:
        # Two processes that make one table at the same time would both fail.
        lock_others_out(connection, Lock.TABLES)
        METADATA.create_all(connection)


def lock_others_out(connection: Connection, lock: Lock) -> None:
    """Let nobody else who takes the same lock go on before this transaction ends.

    SQLite has but one writer at a time, and needs no lock for that.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({lock.value})"))


def dialect_of(bind: Connection | Engine) -> Any:
    """Return SQLAlchemy's dialect, whose `insert` knows what to do on a conflict."""
    return postgresql if bind.dialect.name == "postgresql" else sqlite


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raise what goes wrong with the database as an error that says where.

    Raises:
        CacheError: For anything that SQLAlchemy raises.
    """
    try:
        yield
    except SQLAlchemyError as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        said = " ".join(str(original).split())
        raise CacheError(
            f"the cache of answers cannot be used: {said}",
            where=url.render_as_string(hide_password=True),
            remedy="Nothing that was stored is lost; run again when the database can be reached",
        ) from error


def is_passing(error: DBAPIError) -> bool:
    """Tell whether a transaction failed since it met another one, or its connection was lost."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlstate", "")
    if code in ("40001", "40P01"):  # serialization failure, deadlock
        return True
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
