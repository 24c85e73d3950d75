import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from resonare_pipeline.completions.cache import store as store_module
from resonare_pipeline.completions.cache.places import cache_url
from resonare_pipeline.completions.cache.store import Answered, Cache, Record
from resonare_pipeline.completions.requests import Completion, Failure, Usage
from resonare_pipeline.errors import CacheError, SettingsError

KEYS = [f"{number:064x}" for number in range(1200)]
RECORD = Record(
    completion=Completion(
        message={"role": "assistant", "content": "grün \n \U0001f600 \x00"},
        finish_reason="stop",
        model="m-1",
        usage=Usage(input_tokens=7, output_tokens=3),
    )
)


def answered(key: str, record: Record = RECORD) -> Answered:
    return Answered(key=key, record=record, provider="openai", endpoint="e", cost_usd=None)


@pytest.fixture
def caches(database: URL) -> Iterator[tuple[Cache, Cache]]:
    """Two processes' views of one cache."""
    one, other = Cache(database), Cache(database)
    one.beat()
    other.beat()
    yield one, other
    one.close()
    other.close()


def test_what_one_stores_the_other_finds_whole(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    refused = Record(failure=Failure.FILTERED, detail="the filter")
    one.store([answered(KEYS[0]), answered(KEYS[1], refused)])
    assert other.find(KEYS[:3]) == {KEYS[0]: RECORD, KEYS[1]: refused}
    assert other.count() == 2


def test_thousands_of_keys_are_stored_claimed_and_found_at_once(
    caches: tuple[Cache, Cache],
) -> None:
    one, other = caches
    own, found = one.claim(KEYS)
    assert (len(own), found) == (len(KEYS), {})
    one.store([answered(key) for key in KEYS])
    assert len(other.find(KEYS)) == len(KEYS)
    assert other.claim(KEYS) == (set(), dict.fromkeys(KEYS, RECORD))


def test_a_key_is_claimed_by_one_alone_until_it_is_given_back(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    assert one.claim(KEYS[:2]) == (set(KEYS[:2]), {})
    assert other.claim(KEYS[1:3]) == ({KEYS[2]}, {})
    one.store([], released=[KEYS[1]])
    assert other.claim(KEYS[:2]) == ({KEYS[1]}, {})


def test_a_claim_after_the_answer_finds_the_answer_and_holds_nothing(
    caches: tuple[Cache, Cache],
) -> None:
    one, other = caches
    one.claim(KEYS[:1])
    one.store([answered(KEYS[0])])
    assert other.claim(KEYS[:1]) == (set(), {KEYS[0]: RECORD})
    assert one.claim(KEYS[:1]) == (set(), {KEYS[0]: RECORD})


def test_claims_of_a_process_that_is_gone_are_taken_over(
    caches: tuple[Cache, Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = caches
    one.claim(KEYS[:2])
    monkeypatch.setattr(store_module, "ALIVE_SECONDS", -1.0)
    one.beat()  # as if its last sign of life were long ago
    assert other.claim(KEYS[:1]) == ({KEYS[0]}, {})
    other.sweep()
    assert other.claim(KEYS[1:2]) == ({KEYS[1]}, {})


def test_answers_from_before_do_not_count_where_new_ones_are_wanted(
    caches: tuple[Cache, Cache],
) -> None:
    one, _ = caches
    one.store([answered(KEYS[0])])
    tomorrow = 4_102_444_800.0
    assert one.find(KEYS[:1], since=tomorrow) == {}
    assert one.claim(KEYS[:1], since=tomorrow) == ({KEYS[0]}, {})
    one.store([answered(KEYS[0], Record(detail="newer"))])
    assert one.find(KEYS[:1]) == {KEYS[0]: Record(detail="newer")}


def test_closing_gives_claims_back(database: URL) -> None:
    one = Cache(database)
    one.beat()
    one.claim(KEYS[:5])
    one.close()
    other = Cache(database)
    assert other.claim(KEYS[:5]) == (set(KEYS[:5]), {})
    other.close()


def test_sqlite_writes_a_log_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    cache = Cache(make_url(f"sqlite:///{tmp_path / 'cache.db'}"))
    with cache._engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
    cache.close()


def test_a_file_that_is_no_database_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_text("this is no database" * 100)
    with pytest.raises(CacheError, match=r"cache\.db.*not a database"):
        Cache(make_url(f"sqlite:///{path}"))
    assert path.read_text().startswith("this is")


def test_a_table_that_was_taken_away_is_an_error_that_says_where(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    cache = Cache(make_url(f"sqlite:///{path}"))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE answers")
    connection.close()
    with pytest.raises(CacheError, match=r"cache\.db.*no such table"):
        cache.find(KEYS[:1])
    cache.close()


def test_a_password_never_stands_in_an_error() -> None:
    url = cache_url({"RESONARE_DB": "postgres://me:s3cret@127.0.0.1:1/db"}, Path("x.db"))
    with pytest.raises(CacheError) as caught:
        Cache(url)
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_default_is_the_given_file() -> None:
    assert str(cache_url({"RESONARE_DB": ""}, Path("data/x.db"))) == "sqlite:///data/x.db"


@pytest.mark.parametrize("text", ["mysql://host/db", "no url at all"])
def test_a_url_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="RESONARE_DB"):
        cache_url({"RESONARE_DB": text}, Path("x.db"))
