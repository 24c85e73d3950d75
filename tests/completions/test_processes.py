"""Several processes on one cache: nothing is asked twice, and no lock is an error."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from resonare_pipeline.completions.cache.store import Cache
from tests.completions.asking import ask, engine, requests
from tests.fake_openai.running import Running, serving_apart
from tests.fake_openai.script import Fault, Rule, Script
from tests.processes import clean_environment, wait_for

ROOT = Path(__file__).parents[2]
COUNT = 300


def start(server: Running, database: URL, count: int = COUNT) -> subprocess.Popen[str]:
    place = database.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.completions.sharing", server.url, place, str(count)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> list[int]:
    """Return sent, answered, cached and failed."""
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [int(word) for word in printed.split()]


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_start_together_ask_nothing_twice(processes: int, database: URL) -> None:
    with serving_apart(Script(latency_seconds=0.01)) as server:
        started = [start(server, database) for _ in range(processes)]
        for process in started:
            begin(process)
        done = [finish(process) for process in started]
        asked = Counter(entry.body for entry in server.journal())
    assert len(asked) == COUNT
    assert set(asked.values()) == {1}
    assert sum(sent for sent, *_ in done) == COUNT
    assert all(answered + cached == COUNT for _, answered, cached, _ in done)
    assert all(failed == 0 for *_, failed in done)


def test_a_process_that_is_killed_leaves_its_answers_and_frees_its_claims(database: URL) -> None:
    # What hangs is claimed by the process that is killed; nobody else would ever be answered.
    rules = (Rule(fault=Fault.HANG, contains="question 7", times=1),)
    with serving_apart(Script(rules=rules)) as server:
        process = start(server, database, 20)
        begin(process)
        wait_for("all but one", lambda: _stored(database) == 19 or None)
        process.kill()
        process.communicate()
        outcomes, tally = ask(engine(server.url, database), requests(20))
    assert [outcome.failure for outcome in outcomes] == [None] * 20
    assert tally.sent == 1


def test_whoever_waits_for_a_process_that_is_killed_takes_over(database: URL) -> None:
    rules = (Rule(fault=Fault.HANG, contains="question 0", times=1),)
    with serving_apart(Script(rules=rules)) as server:
        hanging, waiting = start(server, database, 1), start(server, database, 2)
        begin(hanging)
        wait_for("a request", lambda: len(server.journal()) == 1 or None)
        begin(waiting)
        wait_for("the other one", lambda: _stored(database) == 1 or None)
        hanging.kill()
        hanging.communicate()
        assert finish(waiting) == [2, 2, 0, 0]


def test_claims_of_another_machine_hold_until_it_shows_no_sign_of_life(database: URL) -> None:
    elsewhere = "p0123456789" + "7" * 21
    cache, other = Cache(database), Cache(database)
    other.owner = elsewhere
    other.beat()
    assert other.claim(["k"]) == ({"k"}, {})
    cache.sweep()
    assert cache.claim(["k"]) == (set(), {})
    database_engine = create_engine(database)
    with database_engine.begin() as connection:  # the database's clock cannot be moved
        connection.execute(text("UPDATE owners SET alive_until = 0"))
    database_engine.dispose()
    assert cache.claim(["k"]) == ({"k"}, {})
    cache.close()
    other.close()


def _stored(database: URL) -> int:
    cache = Cache(database)
    try:
        return cache.count()
    finally:
        cache.close()
