"""`resonare fill` in a process of its own, stopped in several ways."""

import json
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Fault, Rule, Script
from tests.processes import clean_environment, script, wait_for

COUNT = 20
COMMAND = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl"]


@pytest.fixture
def server() -> Iterator[Running]:
    with serving() as server:
        yield server


@contextmanager
def filling(folder: Path, server: Running, *options: str) -> Iterator[subprocess.Popen[str]]:
    environ = clean_environment(BASE_URL=server.url, API_KEY="dummy", MODEL="m")
    lines = (
        json.dumps({"messages": [{"role": "user", "content": f"q{n}."}, {"role": "assistant"}]})
        for n in range(COUNT)
    )
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for line in lines))
    with subprocess.Popen(
        [*COMMAND, *options], cwd=folder, env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def asked(server: Running) -> Counter[str]:
    return Counter(entry.body for entry in server.journal())


def stored(folder: Path) -> int:
    path = folder / "data" / "completions.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=60)) as database:
        try:
            return int(database.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are not made yet
            return 0


def end(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate(timeout=120)
    return said


def test_fresh_answers_go_on_after_a_kill_and_are_asked_for_once(
    tmp_path: Path, server: Running
) -> None:
    with filling(tmp_path, server) as process:
        end(process)
    assert set(asked(server).values()) == {1}
    server.use(Script(rules=(Rule(fault=Fault.HANG, contains="q7.", times=1),)))
    seen = len(server.journal())
    with filling(tmp_path, server, "--fresh-answers") as process:
        wait_for("the others", lambda: newest(tmp_path) == COUNT - 1 or None)
        process.kill()
    for expected in (1, COUNT):  # what hung; and, as that run was whole, all of them
        before = len(server.journal())
        with filling(tmp_path, server, "--fresh-answers") as process:
            said = end(process)
        assert process.returncode == 0, said
        assert ("goes on with the fresh answers" in said) == (expected == 1)
        assert len(server.journal()) - before == expected
    assert seen == COUNT


def test_the_first_interruption_keeps_what_is_under_way_and_sends_nothing_more(
    tmp_path: Path, server: Running
) -> None:
    server.use(Script(latency_seconds=0.5))
    with filling(tmp_path, server, "--concurrency", "4") as process:
        wait_for("the first answers", lambda: server.journal())
        process.send_signal(signal.SIGINT)
        said = end(process)
    assert process.returncode == 130, said
    assert "Ctrl-C again ends at once" in said
    answered = len(server.journal())
    assert stored(tmp_path) == answered < COUNT
    assert not (tmp_path / "out.jsonl").exists()
    server.use(Script())
    with filling(tmp_path, server) as process:
        said = end(process)
    assert process.returncode == 0, said
    assert len(asked(server)) == COUNT
    assert set(asked(server).values()) == {1}


def test_the_second_interruption_ends_at_once(tmp_path: Path, server: Running) -> None:
    server.use(Script(rules=(Rule(fault=Fault.HANG),)))
    with filling(tmp_path, server) as process:
        wait_for("requests", lambda: server.journal())
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert "stopping" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = end(process)
    assert process.returncode == 130, said
    assert "The same command goes on" in said


def test_a_termination_waits_for_answers_but_not_for_ever(tmp_path: Path, server: Running) -> None:
    server.use(Script(latency_seconds=1, rules=(Rule(fault=Fault.HANG, contains="q7."),)))
    with filling(tmp_path, server) as process:
        wait_for("what hangs", lambda: [e for e in server.journal() if e.outcome == Fault.HANG])
        process.send_signal(signal.SIGTERM)
        said = end(process)
    assert process.returncode == 130, said
    assert 1 < stored(tmp_path) == len(server.journal()) - 1


def newest(folder: Path) -> int:
    """Return how many answers were stored since the mark was set."""
    with closing(sqlite3.connect(folder / "data" / "completions.sqlite", timeout=60)) as database:
        rows = "SELECT count(*) FROM answers, marks WHERE answered_at >= marked_at"
        return int(database.execute(rows).fetchone()[0])
