"""`resonare fill --batch`, by itself and in turn with online."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Resonare
from tests.completions.batches.campaigns import SHOWN_DIGITS
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Rule, Script
from tests.processes import clean_environment, script, wait_for


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        lines = (
            f"BASE_URL={running.url}",
            "API_KEY=dummy",
            "MODEL=gpt-4o-mini",
            "RESONARE_BATCH_POLL_SECONDS=0.05",
        )
        (project / ".env").write_text("\n".join(lines))
        put(project, range(12))
        yield running


def put(project: Path, numbers: range, name: str = "in.jsonl") -> None:
    turns = {
        n: [{"role": "user", "content": f"q{n}."}, {"role": "assistant", "content": ""}]
        for n in numbers
    }
    rows = [{"uuid": f"u{n}", "messages": turns[n]} for n in numbers]
    (project / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def rows(project: Path, name: str = "out.jsonl") -> list[Any]:
    return [json.loads(line) for line in (project / name).read_text().splitlines()]


def answers(project: Path, name: str = "out.jsonl") -> dict[str, str]:
    return {row["uuid"]: row["messages"][-1]["content"] for row in rows(project, name)}


def asked(server: Running) -> Counter[tuple[str, str]]:
    """Return how often each body was asked, online and in batches."""
    entries = [entry for entry in server.journal() if entry.kind in ("line", "chat")]
    return Counter((entry.kind, entry.body[:SHOWN_DIGITS]) for entry in entries)


def bodies(server: Running) -> Counter[str]:
    return Counter(body for _, body in asked(server).elements())


def test_batches_fill_what_online_fills_and_pay_half(
    resonare: Resonare, project: Path, server: Running
) -> None:
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch")
    assert done.code == 0, done.err
    found = answers(project)
    assert list(found) == [f"u{n}" for n in range(12)]
    again = resonare("fill", "in.jsonl", "-o", "again.jsonl")
    assert again.code == 0
    assert answers(project, "again.jsonl") == found
    assert {answer.removeprefix("answer ") for answer in found.values()} == set(bodies(server))
    assert {kind for kind, _ in asked(server)} == {"line"}
    assert set(bodies(server).values()) == {1}


def test_batches_go_on_where_online_has_stopped(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, range(5), "few.jsonl")
    assert resonare("fill", "few.jsonl", "-o", "few.out.jsonl").code == 0
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch").code == 0
    assert Counter(kind for kind, _ in asked(server).elements()) == {"chat": 5, "line": 7}
    assert set(bodies(server).values()) == {1}


def test_what_is_in_a_batch_is_said_to_be_and_online_asks_for_the_rest(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(batches=BatchScript(running_seconds=3600.0)))
    put(project, range(5), "few.jsonl")
    command = [script("resonare"), "fill", "few.jsonl", "-o", "few.out.jsonl", "--batch"]
    with subprocess.Popen(command, cwd=project, env=clean_environment()) as process:
        try:
            wait_for("a batch", lambda: [b for b in server.batches() if b["status"] != "failed"])
        finally:
            process.kill()
    online = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert online.code == 1
    assert list(answers(project)) == [f"u{n}" for n in range(5, 12)]
    dropped = rows(project, "out.jsonl.dropped.jsonl")
    assert [row["reason"] for row in dropped] == ["batched"] * 5
    server.advance(3600.0)
    with_owner_dead = "UPDATE owners SET alive_until = 0 WHERE alive_until < 1e11"
    subprocess.run(
        ["python3", "-c", _SQL, str(project / "data/completions.sqlite"), with_owner_dead],
        check=True,
    )
    assert resonare("fill", "few.jsonl", "-o", "few.out.jsonl", "--batch").code == 0
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    assert len(answers(project)) == 12
    assert set(bodies(server).values()) == {1}


def test_online_takes_in_what_batches_of_the_same_input_have_brought(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(batches=BatchScript(running_seconds=3600.0)))
    command = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl", "--batch"]
    with subprocess.Popen(command, cwd=project, env=clean_environment()) as process:
        try:
            # Looked at, so it is known to have been made.
            wait_for("a look at the batch", lambda: server.state()["retrievals"])
            process.send_signal(signal.SIGINT)
        finally:
            assert process.wait() == 130
    server.advance(3600.0)
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    assert len(answers(project)) == 12
    assert {kind for kind, _ in asked(server)} == {"line"}
    assert set(bodies(server).values()) == {1}


def test_an_output_that_cannot_be_is_refused_before_anything_is_paid_for(
    resonare: Resonare, server: Running
) -> None:
    done = resonare("fill", "in.jsonl", "-o", "nowhere/out.jsonl", "--batch")
    assert done.code == 1
    assert "its folder is not there" in done.err
    assert server.batches() == []


_SQL = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"


def test_two_fillings_of_one_input_at_once_ask_each_request_once(
    project: Path, server: Running
) -> None:
    server.use(Script(batches=BatchScript(running_seconds=0.5)))
    processes = [
        subprocess.Popen(
            [script("resonare"), "fill", "in.jsonl", "-o", f"{n}.jsonl", *mode],
            cwd=project,
            env=clean_environment(),
        )
        for n, mode in enumerate((["--batch"], ["--batch"]))
    ]
    try:
        assert [process.wait(200) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert answers(project, "0.jsonl") == answers(project, "1.jsonl")
    assert len(bodies(server)) == 12
    assert set(bodies(server).values()) == {1}


def test_lines_that_are_refused_are_left_out_with_the_reason(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(rules=(Rule(fault=Fault.INVALID, contains="q3."),)))
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch")
    assert done.code == 1
    assert "u3" not in answers(project)
    assert [row["reason"] for row in rows(project, "out.jsonl.dropped.jsonl")] == ["invalid"]


def test_after_a_model_was_refused_the_same_command_asks_again(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(models=("another",)))
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch").code == 1
    server.use(Script())  # somebody has been given access
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch")
    assert done.code == 0, done.err
    assert len(answers(project)) == 12


def test_after_the_credit_was_used_up_the_same_command_asks_again(
    resonare: Resonare, project: Path, server: Running
) -> None:
    fate = FateRule(fate=Fate.FAILS, code="billing_hard_limit_reached")
    server.use(Script(batches=BatchScript(fates=(fate,))))
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch").code == 1
    assert {row["reason"] for row in rows(project, "out.jsonl.dropped.jsonl")} == {"budget"}
    server.use(Script())
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch").code == 0
    assert len(answers(project)) == 12


def test_a_cap_below_the_estimate_is_refused_before_anything_is_sent(
    resonare: Resonare, server: Running
) -> None:
    done = resonare("fill", "in.jsonl", "--batch", "--max-cost-usd", "0.000001")
    assert done.code == 1
    assert "nothing was sent" in done.err
    assert server.journal() == []


def test_the_last_few_are_asked_online_when_that_is_set(
    resonare: Resonare, project: Path, server: Running
) -> None:
    (project / "resonare.toml").write_text('[completions]\nbatch_tail = "online"\n')
    server.use(Script(batches=BatchScript(fates=(FateRule(fate=Fate.LINES_LOST, share=0.3),))))
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch")
    assert done.code == 0, done.err
    assert len(answers(project)) == 12
    kinds = Counter(kind for kind, _ in asked(server).elements())
    assert kinds["line"] == 12
    assert 0 < kinds["chat"] < 12


def test_the_cap_holds_for_batches_and_for_what_is_asked_online_after_them_together(
    resonare: Resonare, project: Path, server: Running
) -> None:
    (project / "resonare.toml").write_text(
        """[completions]
        batch_tail = "online"
        max_tokens = 12
        input_usd_per_million = 0
        output_usd_per_million = 1e6
        """
    )
    server.use(Script(batches=BatchScript(fates=(FateRule(fate=Fate.LINES_LOST, share=0.4),))))
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--batch", "--max-cost-usd", "72")
    assert done.code == 1, done.err
    kinds = Counter(kind for kind, _ in asked(server).elements())
    lost = 12 - len(answers(project)) + kinds["chat"]
    assert lost > 2
    assert (12 - lost) * 6 + kinds["chat"] * 12 <= 72
    assert {row["reason"] for row in rows(project, "out.jsonl.dropped.jsonl")} == {"budget"}
