import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.databases import compact, count_in, databases, delete_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE events (id INTEGER, event TEXT)")
        connection.execute("INSERT INTO events VALUES (1, 'hidden words'), (2, 'others')")
        connection.commit()
    return path


def test_texts_are_counted_by_table_and_column(database: Path) -> None:
    assert count_in(database, lambda text: text.count("d")) == {"events.event": 3}
    assert count_in(database, lambda text: text.count("z")) == {}


def test_deleted_rows_are_gone_from_the_bytes_only_once_it_is_compact(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")  # as most builds of SQLite have it
        connection.execute("DELETE FROM events WHERE id = 1")
        connection.commit()
    assert b"hidden words" in database.read_bytes()

    assert compact(database)
    assert not any(b"hidden words" in path.read_bytes() for path in database.parent.iterdir())
    assert count_in(database, len) == {"events.event": 6}


def test_a_database_that_another_holds_is_said_not_to_be_compact(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonare_pipeline.artifacts.databases.WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not compact(database)


def test_a_database_goes_with_all_its_files(database: Path) -> None:
    assert list(databases(database.parent)) == [database]
    delete_database(database)
    assert list(database.parent.iterdir()) == []
