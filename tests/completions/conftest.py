"""The cache on each kind of database, and requests to ask."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from resonare_pipeline.completions.cache.places import cache_url
from tests.postgres import serving


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with serving() as url:
        yield url


def postgres_database(server: str) -> URL:
    """Return the URL of a new database."""
    url = cache_url({"RESONARE_DB": server}, Path())
    name = f"cache_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty database of each kind in turn."""
    if request.param == "postgres":
        return postgres_database(request.getfixturevalue("postgres_server"))
    return make_url(f"sqlite:///{tmp_path / 'deep' / 'cache.db'}")
