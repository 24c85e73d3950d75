"""What is paid for once: the same input, several processes on one cache, several endpoints."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.records import put, record, rows
from tests.completions.conftest import postgres_database
from tests.fake_openai.running import Running, serving_apart
from tests.fake_openai.script import Script
from tests.postgres import serving as serving_postgres
from tests.processes import clean_environment, script

RECORDS = 200
SLOW = Script(latency_seconds=0.02)  # so that processes meet


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with serving_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty cache, as a person sets it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cache' / 'shared.sqlite'}"
    url = postgres_database(request.getfixturevalue("postgres"))
    return url.render_as_string(hide_password=False).replace("+psycopg", "")


@pytest.fixture
def own_cache(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'own.sqlite'}"


@pytest.fixture(scope="module")
def apart() -> Iterator[Running]:
    with serving_apart(SLOW) as server:
        yield server


def starting(
    folder: Path, server: Running, cache: str, *options: str, **environ: str
) -> subprocess.Popen[bytes]:
    names = {"BASE_URL": server.url, "API_KEY": "dummy", "MODEL": "m", "RESONARE_DB": cache}
    return subprocess.Popen(
        [script("resonare"), "fill", *options],
        cwd=folder,
        env=clean_environment(**{**names, **environ}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> str:
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def fill(folder: Path, server: Running, cache: str, *options: str, **environ: str) -> str:
    with starting(folder, server, cache, *options, **environ) as process:
        return ended(process)


def times_asked(server: Running, since: int) -> list[int]:
    """Return how often each body was sent after so many requests."""
    return sorted(Counter(entry.body for entry in server.journal()[since:]).values())


def made(offset: int, count: int = RECORDS) -> list[dict[str, Any]]:
    return [record(offset + number) for number in range(count)]


def test_the_same_input_asks_nothing_and_a_changed_record_asks_once(
    tmp_path: Path, apart: Running, cache: str
) -> None:
    put(tmp_path, made(0))
    since = len(apart.journal())
    fill(tmp_path, apart, cache, "in.jsonl", "-o", "one.jsonl")
    assert times_asked(apart, since) == [1] * RECORDS
    since = len(apart.journal())
    fill(tmp_path, apart, cache, "in.jsonl", "-o", "two.jsonl")
    assert times_asked(apart, since) == []
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    changed = made(0)
    changed[77]["messages"][0]["content"] = "another question"
    put(tmp_path, changed)
    fill(tmp_path, apart, cache, "in.jsonl", "-o", "three.jsonl")
    assert times_asked(apart, since) == [1]
    one, three = rows(tmp_path / "one.jsonl"), rows(tmp_path / "three.jsonl")
    assert [n for n in range(RECORDS) if one[n] != three[n]] == [77]


def test_processes_at_once_on_one_cache_ask_nothing_twice_and_all_fill_everything(
    tmp_path: Path, apart: Running, cache: str
) -> None:
    put(tmp_path, made(10_000))
    put(tmp_path, list(reversed(made(10_000))), "reversed.jsonl")
    since = len(apart.journal())
    inputs = ("in.jsonl", "reversed.jsonl", "in.jsonl")
    processes = [
        starting(tmp_path, apart, cache, name, "-o", f"{number}.jsonl")
        for number, name in enumerate(inputs)
    ]
    said = [ended(process) for process in processes]
    assert times_asked(apart, since) == [1] * RECORDS
    assert not any("lock" in text.lower() for text in said)
    outputs = [rows(tmp_path / f"{number}.jsonl") for number in range(3)]
    assert outputs[0] == outputs[2] == list(reversed(outputs[1]))
    assert all(row["messages"][1]["content"] for row in outputs[0])


def test_what_two_inputs_have_in_common_is_paid_for_once(
    tmp_path: Path, apart: Running, own_cache: str
) -> None:
    put(tmp_path, made(20_000, 30))
    put(tmp_path, made(20_020, 30), "other.jsonl")
    since = len(apart.journal())
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "one.jsonl")
    fill(tmp_path, apart, own_cache, "other.jsonl", "-o", "two.jsonl")
    assert times_asked(apart, since) == [1] * 50


def test_endpoints_share_nothing_unless_they_have_one_name(
    tmp_path: Path, apart: Running, own_cache: str
) -> None:
    put(tmp_path, made(30_000, 5))
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "one.jsonl")
    with serving_apart() as other:
        fill(tmp_path, other, own_cache, "in.jsonl", "-o", "two.jsonl")
        assert times_asked(other, 0) == [1] * 5
        name = apart.url.removeprefix("http://")
        named = {"RESONARE_COMPLETIONS__ENDPOINT_ID": name}
        fill(tmp_path, other, own_cache, "in.jsonl", "-o", "three.jsonl", **named)
        assert times_asked(other, 0) == [1] * 5


def test_a_mock_is_given_nothing_of_a_model_and_leaves_nothing_to_one(
    tmp_path: Path, apart: Running, own_cache: str
) -> None:
    put(tmp_path, made(40_000, 5))
    mock = {"DEFAULT_LLM_PROVIDER": "mock"}
    since = len(apart.journal())
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "mock.jsonl", **mock)
    assert times_asked(apart, since) == []
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "real.jsonl")
    assert times_asked(apart, since) == [1] * 5
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "again.jsonl", **mock)
    contents = {
        name: [row["messages"][1]["content"] for row in rows(tmp_path / f"{name}.jsonl")]
        for name in ("mock", "real", "again")
    }
    assert all(text.startswith("Mock") for text in contents["mock"])
    assert all(text.startswith("answer ") for text in contents["real"])
    assert contents["again"] == contents["mock"]


def test_identical_records_in_one_input_are_asked_for_once(
    tmp_path: Path, apart: Running, own_cache: str
) -> None:
    put(tmp_path, [record(50_000, n=number) for number in range(40)])
    since = len(apart.journal())
    fill(tmp_path, apart, own_cache, "in.jsonl", "-o", "out.jsonl")
    assert times_asked(apart, since) == [1]
    found = rows(tmp_path / "out.jsonl")
    assert [row["n"] for row in found] == list(range(40))
    assert len({json.dumps(row["messages"]) for row in found}) == 1
