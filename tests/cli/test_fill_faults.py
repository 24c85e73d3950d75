"""An endpoint that fails now and then, and that allows only so much."""

import random
import subprocess
from collections import Counter
from pathlib import Path

from tests.cli.records import put, record, rows
from tests.fake_openai.running import serving_apart
from tests.fake_openai.script import Fault, Limits, Rule, Script
from tests.processes import clean_environment, script

RECORDS = 400
MOST_IN_WINDOW = 150
WINDOW_SECONDS = 2.0
FAULTS = (Fault.RATE, Fault.SERVER, Fault.DISCONNECT)


def test_an_endpoint_that_fails_one_in_ten_fills_all_within_its_announced_limits(
    tmp_path: Path,
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    behaviour = Script(
        seed=seed,
        latency_seconds=0.02,
        rules=tuple(Rule(fault=fault, share=0.1 / len(FAULTS)) for fault in FAULTS),
        limits=Limits(requests=MOST_IN_WINDOW, window_seconds=WINDOW_SECONDS),
    )
    put(tmp_path, [record(number) for number in range(RECORDS)])
    with serving_apart(behaviour) as server:
        done = subprocess.run(
            [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl", "--concurrency", "64"],
            cwd=tmp_path,
            env=clean_environment(
                BASE_URL=server.url,
                API_KEY="dummy",
                MODEL="m",
                RESONARE_COMPLETIONS__WINDOW_SECONDS=str(WINDOW_SECONDS),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        state, journal = server.state(), server.journal()
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "out.jsonl")
    assert [row["uuid"] for row in found] == [f"u{number}" for number in range(RECORDS)]
    assert all(row["messages"][1]["content"] for row in found)
    outcomes = Counter(entry.outcome for entry in journal)
    assert outcomes["ok"] == RECORDS
    assert all(outcomes[fault] for fault in FAULTS)  # each has struck
    assert len(journal) <= 1.3 * RECORDS
    assert state["refused_by_window"] == 0
    assert state["fullest_window"] <= MOST_IN_WINDOW


def test_records_that_fail_for_now_are_asked_again_by_the_same_command_and_no_others(
    tmp_path: Path,
) -> None:
    put(tmp_path, [record(number) for number in range(60)])
    command = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl"]
    broken = Script(rules=(Rule(fault=Fault.SERVER, contains="q7"),))
    with serving_apart(broken) as server:
        environ = clean_environment(
            BASE_URL=server.url, API_KEY="dummy", MODEL="m", RESONARE_COMPLETIONS__RETRIES="0"
        )
        first = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
        assert first.returncode == 1
        assert b"The same command asks again" in first.stderr
        assert len(rows(tmp_path / "out.jsonl")) == 59
        (left,) = rows(tmp_path / "out.jsonl.dropped.jsonl")
        assert (left["reason"], left["record"]) == ("server", record(7))
        server.use(Script())
        before = len(server.journal())
        again = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
        assert again.returncode == 0, again.stderr.decode()
        assert len(server.journal()) == before + 1
    assert len(rows(tmp_path / "out.jsonl")) == 60
    assert not list(tmp_path.glob("*.dropped.jsonl"))
