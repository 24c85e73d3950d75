"""`resonare fill` in a process of its own, stopped in several ways."""

import json
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


def newest(folder: Path) -> int:
    """Return how many answers were stored since the mark was set."""
    with closing(sqlite3.connect(folder / "data" / "completions.sqlite", timeout=60)) as database:
        rows = "SELECT count(*) FROM answers, marks WHERE answered_at >= marked_at"
        return int(database.execute(rows).fetchone()[0])
