"""`resonare batch ls` and `cancel`, and what no command can do."""

from pathlib import Path

import pytest

from tests.cli.batch_files import SLOW, ids, line, lines, made, put, rows
from tests.cli.command import Resonare
from tests.fake_openai.running import Running
from tests.fake_openai.script import Script


def test_ls_shows_what_is_under_way_and_asks_the_provider_first(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(SLOW)
    put(project / "in.jsonl", lines(4))
    resonare("batch", "submit", "in.jsonl")
    server.advance(1800)
    offline = resonare("batch", "ls", "--offline", "--json").json
    assert (offline[0]["status"], offline[0]["completed"]) == ("validating", 0)
    found = resonare("batch", "ls", "--json").json
    assert len(found) == 1
    assert (found[0]["status"], found[0]["completed"], found[0]["lines"]) == ("in_progress", 2, 4)
    assert found[0]["file"] == str(project / "in.jsonl")
    shown = resonare("batch", "ls").out
    assert found[0]["remote"] in shown
    assert "2 of 4 lines done" in shown
    server.advance(7200)
    assert "to be collected" not in resonare("batch", "ls").out  # nobody has looked at it yet
    resonare("batch", "collect")
    assert resonare("batch", "ls", "--json").json == []
    done = resonare("batch", "ls", "--all", "--json").json[0]
    assert (done["state"], done["status"], done["completed"]) == ("settled", "completed", 4)
    assert done["cost_usd"] > 0


def test_ls_shows_batches_that_another_ledger_has_made(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(SLOW)
    put(project / "in.jsonl", lines(1))
    resonare("batch", "submit", "in.jsonl")
    for path in (project / "data").glob("completions.sqlite*"):
        path.unlink()
    found = resonare("batch", "ls", "--json").json
    assert [row["is_known"] for row in found] == [False]
    assert "not in this ledger" in resonare("batch", "ls").out


def test_a_cancelled_batch_keeps_what_was_done(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(SLOW)
    put(project / "in.jsonl", lines(4))
    remote = resonare("batch", "submit", "in.jsonl", "--json").json["files"][0]["batches"][0]
    server.advance(1800)
    done = resonare("batch", "cancel", remote["remote"])
    assert done.code == 0
    assert "asked to end it" in done.out
    assert resonare("batch", "collect", remote["id"], "--wait").code == 1
    assert ids(project / "in.output.jsonl") == ["r0", "r1"]
    assert {row["reason"] for row in rows(project / "in.failed.jsonl")} == {"cancelled"}
    assert "has ended already" in resonare("batch", "cancel", remote["id"]).out


def test_cancelling_all_needs_a_yes(resonare: Resonare, project: Path, server: Running) -> None:
    server.use(SLOW)
    put(project / "one.jsonl", lines(1))
    put(project / "two.jsonl", lines(2))
    resonare("batch", "submit", "one.jsonl", "two.jsonl")
    refused = resonare("batch", "cancel", "--all")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert {batch["status"] for batch in server.batches()} == {"in_progress"}
    assert resonare("batch", "cancel", "--all", "--yes").code == 0
    assert {batch["status"] for batch in server.batches()} == {"cancelled"}
    assert resonare("batch", "cancel").code == 2


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("command", ["split", "submit", "import"])
def test_a_file_that_is_not_there_is_named(resonare: Resonare, command: str) -> None:
    done = resonare("batch", command, "absent.jsonl")
    assert done.code == 1
    assert "absent.jsonl: no such file" in done.err


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("command", ["collect", "cancel"])
def test_an_unknown_id_is_a_usage_error(resonare: Resonare, command: str) -> None:
    done = resonare("batch", command, "batch_none")
    assert done.code == 2
    assert "'batch_none' is no batch of" in done.err


def test_a_wrong_key_is_told_of_and_nothing_is_left(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(keys=("right",)))
    put(project / "in.jsonl", lines(1))
    done = resonare("batch", "submit", "in.jsonl")
    assert done.code == 1
    assert "the endpoint refuses the key: HTTP 401" in done.err
    assert "Check API_KEY" in done.err
    server.use(Script())
    assert resonare("batch", "ls", "--json").json == []
    assert resonare("batch", "submit", "in.jsonl", "--wait").code == 0


def test_an_endpoint_without_batches_is_told_of(
    resonare: Resonare, project: Path, server: Running
) -> None:
    (project / "other.env").write_text(f"BASE_URL={server.url}/elsewhere\nAPI_KEY=dummy\n")
    put(project / "in.jsonl", lines(1))
    done = resonare("batch", "submit", "in.jsonl", "--env", "other.env")
    assert done.code == 1
    assert "the endpoint makes no batch: HTTP 404" in done.err


def test_a_part_that_the_provider_refuses_stops_no_other_one(
    resonare: Resonare, project: Path, server: Running
) -> None:
    mixed = [line(n, url="/v1/responses" if n % 2 else "/v1/chat/completions") for n in range(4)]
    put(project / "in.jsonl", mixed)
    done = resonare("batch", "submit", "in.jsonl")
    assert done.code == 1
    assert "the endpoint makes no batch: HTTP 400" in done.err
    assert "not submitted 1 batch" in done.out
    assert made(server) == 1
    done = resonare("batch", "collect", "--wait", "--json")
    assert done.json["results"][0]["failed"] == {"unsubmitted": 2}
    assert ids(project / "in.output.jsonl") == ["r0", "r2"]
    assert ids(project / "in.retry.jsonl") == ["r1", "r3"]
    assert server.files() == []


def test_an_endpoint_that_is_not_there_leaves_nothing_submitted(
    resonare: Resonare, project: Path
) -> None:
    (project / ".env").write_text(
        "BASE_URL=http://127.0.0.1:9/v1\nAPI_KEY=dummy\nRESONARE_BATCH_POLL_SECONDS=0.01\n"
    )
    put(project / "in.jsonl", lines(1))
    done = resonare("batch", "submit", "in.jsonl")
    assert done.code == 1
    assert "not reached" in done.out
    assert resonare("batch", "ls", "--offline", "--json").json == []


def test_a_cap_refuses_before_anything_is_sent(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_COMPLETIONS__MAX_COST_USD", "0.000001")
    put(project / "in.jsonl", lines(50))
    done = resonare("batch", "submit", "in.jsonl")
    assert done.code == 1
    assert "is the cap; nothing was sent" in done.err
    assert server.files() == []


@pytest.mark.usefixtures("server")
def test_a_provider_without_batches_is_refused(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_LLM_PROVIDER", "mock")
    put(project / "in.jsonl", lines(1))
    for command in (("submit", "in.jsonl"), ("import", "in.jsonl")):
        done = resonare("batch", *command)
        assert done.code == 2
        assert "mock" in done.err
