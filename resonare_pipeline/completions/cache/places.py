"""Where the cache is: a SQLAlchemy URL, from `RESONARE_DB` or a file's path."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from resonare_pipeline.errors import SettingsError

VARIABLE = "RESONARE_DB"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""Schemes that are taken, and what SQLAlchemy calls the one driver that is used for each."""


def cache_url(environ: Mapping[str, str], default: Path) -> URL:
    """Return the cache's URL.

    Args:
        environ: Variables, those of `.env` included.
        default: SQLite file where `RESONARE_DB` is not set.

    Raises:
        SettingsError: For a URL that cannot be used.
    """
    text = environ.get(VARIABLE, "").strip()
    if not text:
        return URL.create("sqlite", database=str(default))
    expected = "sqlite:///path or postgresql://user@host/database"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        # The text may hold a password, so neither it nor what is said of it is shown.
        raise SettingsError("not a database URL", where=VARIABLE, expected=expected) from None
    if url.drivername not in DRIVERS:
        raise SettingsError(
            f"{url.drivername!r} is not supported", where=VARIABLE, expected=expected
        )
    return url.set(drivername=DRIVERS[url.drivername])
