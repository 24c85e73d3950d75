"""`resonare batch` against the fake server: split, submit, collect, ls, cancel."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.cli.batch_files import ids, line, lines, made, put, ran, rows
from tests.cli.command import Resonare
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Rule, Script


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        (project / ".env").write_text(
            f"BASE_URL={running.url}\nAPI_KEY=dummy\nRESONARE_BATCH_POLL_SECONDS=0.02\n"
        )
        yield running
        running.advance(1e6)  # what is under way ends, and lets go of its files
        running.batches()


def fate(*rules: FateRule, **more: object) -> Script:
    return Script(batches=BatchScript(fates=rules, **more))  # type: ignore[arg-type]


SLOW = Script(batches=BatchScript(running_seconds=3600))


# Splitting


def test_split_keeps_lines_as_they_are_and_one_model_and_url_a_file(
    resonare: Resonare, project: Path
) -> None:
    mixed = [line(n, model="gpt-4o" if n % 3 == 0 else "gpt-4o-mini") for n in range(10)]
    mixed.append(line(10, url="/v1/responses"))
    source = put(project / "in.jsonl", mixed)
    done = resonare("batch", "split", "in.jsonl", "-o", "parts", "--max-lines", "3", "--json")
    assert done.code == 0, done.err
    files = done.json["files"]
    names = [f"parts/in_split_{number}.jsonl" for number in range(1, len(files) + 1)]
    assert [file["path"] for file in files] == names
    assert sorted(p.name for p in (project / "parts").iterdir()) == sorted(
        Path(name).name for name in names
    )
    parted = []
    for file in files:
        content = (project / file["path"]).read_bytes()
        found = content.splitlines()
        assert (file["lines"], file["bytes"]) == (len(found), len(content))
        assert file["lines"] <= 3
        assert {(json.loads(t)["url"], json.loads(t)["body"]["model"]) for t in found} == {
            (file["url"], file["model"])
        }
        assert file["tokens"] > 0
        assert file["cost_usd"] > 0
        parted += found
    assert sorted(parted) == sorted(source.read_bytes().splitlines())


@pytest.mark.parametrize("limit", ["--max-bytes", "--max-tokens"])
def test_split_holds_the_limits_on_bytes_and_tokens(
    resonare: Resonare, project: Path, limit: str
) -> None:
    put(project / "in.jsonl", lines(12))
    whole = resonare("batch", "split", "in.jsonl", "-o", "whole", "--json").json["files"]
    assert len(whole) == 1
    field = limit.removeprefix("--max-")
    most = whole[0][field] // 3
    files = resonare("batch", "split", "in.jsonl", limit, str(most), "--json").json["files"]
    assert len(files) > 2
    assert all(file[field] <= most for file in files)
    assert sum(file[field] for file in files) == whole[0][field]
    assert [name for file in files for name in ids(project / file["path"])] == ids(
        project / "in.jsonl"
    )


WITHOUT_BODY = {"custom_id": "x", "response": None, "error": {"code": "e"}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([line(1), "{no"], "in.jsonl, line 2: no JSON"),
        ([line(1), line(2), line(1)], "line 3: the custom_id 'r1' stands in line 1 too"),
        ([line(1, custom_id="")], "line 1: it has an unusable custom_id"),
        ([line(1, custom_id=7)], "line 1: it has an unusable custom_id"),
        ([{"method": "POST"}], "line 1: it has no custom_id"),
        ([line(1, method="GET")], "line 1: its method is 'GET'"),
        ([line(1, url="/v1/threads")], "line 1: its url is '/v1/threads'"),
        ([line(1, body={"messages": []})], "line 1: it has no body.model"),
        ([line(1, body=[])], "line 1: it has no body"),
        ([[1]], "line 1: it is no JSON object"),
        ([WITHOUT_BODY], "line 1: it is a result, as output files hold"),
        ([{"messages": []}], "line 1: it is a record"),
        ([], "in.jsonl: no request in it"),
        (["", ""], "in.jsonl: no request in it"),
        ([line(1), "{", "[]", line(2), "1"], "(2 more lines are at fault: 3, 5)"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_file_that_is_none_is_refused_by_line_and_nothing_is_written_or_sent(
    resonare: Resonare, project: Path, found: list[object], said: str, server: Running
) -> None:
    put(project / "in.jsonl", found)
    before = {path.name for path in project.iterdir()}
    for command in (("split",), ("submit",)):
        done = resonare("batch", *command, "in.jsonl")
        assert done.code == 1
        assert said in done.err
    assert {path.name for path in project.iterdir()} - before <= {"data"}
    assert server.files() == []


def test_split_refuses_to_leave_files_of_an_earlier_split_beside_its_own(
    resonare: Resonare, project: Path
) -> None:
    put(project / "in.jsonl", lines(4))
    assert resonare("batch", "split", "in.jsonl", "--max-lines", "1").code == 0
    done = resonare("batch", "split", "in.jsonl", "--max-lines", "2")
    assert done.code == 1
    assert "in_split_3.jsonl and 1 more" in done.err
    assert ids(project / "in_split_1.jsonl") == ["r0"]
    assert resonare("batch", "split", "in.jsonl", "--max-lines", "1").code == 0


# Submitting and collecting


def test_results_come_in_the_order_of_the_input_byte_for_byte(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(
        Script(
            batches=BatchScript(
                rules=(
                    Rule(fault=Fault.INVALID, contains="question 3"),
                    Rule(fault=Fault.SERVER, contains="question 5"),
                ),
                fates=(FateRule(fate=Fate.LINES_SHUFFLED),),
            )
        )
    )
    put(project / "in.jsonl", ["", *lines(10)])
    done = resonare("batch", "submit", "in.jsonl", "--json")
    assert done.code == 0, done.err
    remote = done.json["files"][0]["batches"][0]["remote"]
    assert [one["id"] for one in server.batches()] == [remote]
    done = resonare("batch", "collect", "--json")
    assert done.code == 1  # two have no answer
    result = done.json["results"][0]
    assert (result["answers"], result["failed"], result["retry"]) == (
        8,
        {"invalid": 1, "server": 1},
        1,
    )
    assert result["cost_usd"] > 0
    assert ids(project / "in.output.jsonl") == [f"r{n}" for n in range(10) if n not in (3, 5)]
    for text_ in (project / "in.output.jsonl").read_text().splitlines():
        assert json.loads(text_)["id"].startswith("batch_req_")
    failed = rows(project / "in.failed.jsonl")
    assert [(row["custom_id"], row["line"], row["reason"]) for row in failed] == [
        ("r3", 5, "invalid"),
        ("r5", 7, "server"),
    ]
    assert [row["result"]["response"]["status_code"] for row in failed] == [400, 500]
    asked = (project / "in.jsonl").read_text().splitlines()
    assert (project / "in.retry.jsonl").read_text().splitlines() == [asked[6]]
    assert server.files() == []


def test_the_providers_lines_are_copied_as_they_are(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_COMPLETIONS__BATCH_DELETE_FILES", "false")
    put(project / "in.jsonl", lines(5))
    assert resonare("batch", "submit", "in.jsonl", "--wait").code == 0
    batch = server.batches()[0]
    assert (project / "in.output.jsonl").read_bytes() == _content(server, batch["output_file_id"])
    assert {path.name for path in project.iterdir()} & {
        "in.failed.jsonl",
        "in.retry.jsonl",
    } == set()


def _content(server: Running, file: str) -> bytes:
    from openai import OpenAI

    with OpenAI(base_url=server.url, api_key="dummy") as client:
        return client.files.content(file).content


def test_a_file_that_is_too_large_goes_in_several_batches_and_comes_back_as_one(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_COMPLETIONS__BATCH_LINES", "3")
    put(project / "in.jsonl", [line(n, model=f"gpt-4o{'-mini' * (n % 2)}") for n in range(20)])
    done = resonare("batch", "submit", "in.jsonl", "--wait", "-o", "results")
    assert done.code == 0, done.err
    assert ids(project / "results" / "in.output.jsonl") == [f"r{n}" for n in range(20)]
    assert made(server) == 8
    assert len(ran(server)) == len(set(ran(server))) == 20
    assert not list((project / "data" / "batches").iterdir())


def test_the_same_file_is_asked_once_unless_it_is_wanted_again(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(SLOW)
    put(project / "in.jsonl", lines(2))
    assert resonare("batch", "submit", "in.jsonl").code == 0
    (project / "copy.jsonl").write_bytes((project / "in.jsonl").read_bytes())
    for name in ("in.jsonl", "copy.jsonl"):
        done = resonare("batch", "submit", name)
        assert done.code == 1
        assert "the same file is under way, as batch_" in done.err
    server.advance(7200)
    done = resonare("batch", "submit", "in.jsonl")
    assert "has ended, and waits to be collected" in done.err
    assert resonare("batch", "collect").code == 0
    done = resonare("batch", "submit", "in.jsonl")
    assert "asked already" in done.err
    assert done.code == 1
    assert made(server) == 1
    server.use(Script())
    assert resonare("batch", "submit", "in.jsonl", "--again", "--wait").code == 0
    assert made(server) == 2


@pytest.mark.parametrize(
    ("rule", "told", "answers"),
    [
        (FateRule(fate=Fate.LINES_REPEATED), {"repeated": 8}, 8),
        (FateRule(fate=Fate.UNKNOWN_IDS, count=3), {"unknown": 3}, 8),
        (FateRule(fate=Fate.LINES_HALVED), {"malformed": 8}, 0),
        (FateRule(fate=Fate.LINES_LOST), {}, 0),
        (FateRule(fate=Fate.OUTPUT_VANISHES), {}, 0),
        (FateRule(fate=Fate.OUTPUT_LATE, count=2), {}, 8),
        (FateRule(fate=Fate.DOWNLOAD_BROKEN), {}, 8),
        (FateRule(fate=Fate.ERROR_WITHIN), {}, 0),
        (FateRule(fate=Fate.NO_CHOICES), {}, 8),
        (FateRule(fate=Fate.VANISHES, count=1), {}, 0),
        (FateRule(fate=Fate.LINES_FAIL, fault=Fault.RATE), {}, 0),
    ],
    ids=lambda value: value.fate.value if isinstance(value, FateRule) else "",
)
def test_whatever_becomes_of_lines_each_request_is_told_of_once(
    resonare: Resonare,
    project: Path,
    server: Running,
    rule: FateRule,
    told: dict[str, int],
    answers: int,
) -> None:
    server.use(fate(rule))
    put(project / "in.jsonl", lines(8))
    done = resonare("batch", "submit", "in.jsonl", "--wait", "--json")
    result = done.json["results"][0]
    odd = {name: result[name] for name in ("repeated", "unknown", "malformed") if result[name]}
    assert odd == told
    assert result["answers"] == answers
    assert done.code == (0 if answers == 8 else 1)
    if answers < 8:
        assert ids(project / "in.failed.jsonl") == ids(project / "in.jsonl")
        assert ids(project / "in.retry.jsonl") == ids(project / "in.jsonl")
    else:
        assert ids(project / "in.output.jsonl") == ids(project / "in.jsonl")


@pytest.mark.parametrize(
    ("which", "reason"), [(Fate.EXPIRED, "expired"), (Fate.CANCELLED, "cancelled")]
)
def test_finished_lines_of_a_batch_that_broke_off_are_kept_and_the_rest_asked_again(
    resonare: Resonare, project: Path, server: Running, which: Fate, reason: str
) -> None:
    server.use(fate(FateRule(fate=which, share=0.5)))
    put(project / "in.jsonl", lines(6))
    done = resonare("batch", "submit", "in.jsonl", "--wait", "--json")
    assert done.json["results"][0]["failed"] == {reason: 3}
    assert ids(project / "in.output.jsonl") == ["r0", "r1", "r2"]
    server.use(Script())
    assert resonare("batch", "submit", "in.retry.jsonl", "--wait").code == 0
    assert ids(project / "in.retry.output.jsonl") == ["r3", "r4", "r5"]
    assert len(ran(server)) == 6


def test_of_a_file_that_fails_validation_the_line_at_fault_is_named_and_the_rest_may_go_again(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(fate(FateRule(fate=Fate.FAILS, code="invalid_json_line", times=1)))
    put(project / "in.jsonl", lines(4))
    done = resonare("batch", "submit", "in.jsonl", "--wait", "--json")
    assert done.code == 1
    assert done.json["results"][0]["failed"] == {"invalid": 1, "unsubmitted": 3}
    failed = rows(project / "in.failed.jsonl")
    assert failed[0]["custom_id"] == "r0"
    assert "invalid_json_line" in failed[0]["detail"]
    assert not failed[0]["may_be_asked_again"]
    assert ids(project / "in.retry.jsonl") == ["r1", "r2", "r3"]
    assert resonare("batch", "submit", "in.jsonl", "--wait").code == 0  # nothing of it ran


def test_of_a_line_that_was_submitted_twice_the_later_batch_tells_what_became_of_it(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(fate(FateRule(fate=Fate.FAILS, nth=1), FateRule(fate=Fate.LINES_LOST, nth=2)))
    put(project / "in.jsonl", lines(3))
    assert resonare("batch", "submit", "in.jsonl").code == 0
    done = resonare("batch", "submit", "in.jsonl", "--wait", "--json")
    assert done.json["results"][0]["failed"] == {"server": 3}
    assert made(server) == 2


def test_a_limit_that_a_refusal_tells_is_kept_by_smaller_parts(
    resonare: Resonare, project: Path, server: Running
) -> None:
    limits = {"gpt-4o-mini": 40}
    server.use(Script(batches=BatchScript(enqueued_tokens=limits)))
    put(project / "in.jsonl", lines(12))
    done = resonare("batch", "submit", "in.jsonl", "--wait", "--json")
    assert done.code == 0, done.out
    assert ids(project / "in.output.jsonl") == [f"r{n}" for n in range(12)]
    assert made(server) > 2
    assert len(ran(server)) == len(set(ran(server))) == 12


def test_what_has_no_room_is_not_submitted_and_goes_with_the_same_command_later(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.use(SLOW)
    monkeypatch.setenv("RESONARE_COMPLETIONS__BATCH_ENQUEUED_TOKENS", "50")
    put(project / "in.jsonl", lines(9))
    done = resonare("batch", "submit", "in.jsonl")
    assert done.code == 1
    assert "not submitted 1 batch" in done.out
    assert made(server) == 1
    again = resonare("batch", "submit", "in.jsonl")
    assert again.code == 1
    assert made(server) == 1
    assert not (project / "in.output.jsonl").exists()
    server.advance(7200)
    assert resonare("batch", "submit", "in.jsonl").code == 0
    server.advance(7200)
    assert resonare("batch", "collect").code == 0
    assert ids(project / "in.output.jsonl") == [f"r{n}" for n in range(9)]
    assert len(ran(server)) == len(set(ran(server))) == 9


@pytest.mark.parametrize(
    "rule",
    [
        FateRule(fate=Fate.CREATE_BROKEN, times=1),
        FateRule(fate=Fate.CREATE_FAILED_MADE, times=1),
        FateRule(fate=Fate.CREATE_FAILED, times=1),
        FateRule(fate=Fate.UPLOAD_UNANSWERED, times=1),
        FateRule(fate=Fate.UPLOAD_BROKEN, times=1),
    ],
    ids=lambda rule: rule.fate.value,
)
def test_a_submission_that_breaks_is_neither_lost_nor_made_twice(
    resonare: Resonare, project: Path, server: Running, rule: FateRule
) -> None:
    server.use(fate(rule))
    put(project / "in.jsonl", lines(3))
    first = resonare("batch", "submit", "in.jsonl")
    assert first.code == 0 or "not known yet" in first.out
    assert resonare("batch", "collect", "--wait").code == 0
    assert made(server) == 1
    assert ids(project / "in.output.jsonl") == ["r0", "r1", "r2"]


def test_results_that_cannot_be_had_now_are_had_later(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(fate(FateRule(fate=Fate.DOWNLOAD_BROKEN, count=1, nth=1)))
    put(project / "in.jsonl", lines(2))
    put(project / "other.jsonl", lines(3))
    assert resonare("batch", "submit", "in.jsonl", "other.jsonl").code == 0
    done = resonare("batch", "collect")
    assert done.code == 1
    assert "not reached" in done.err
    assert not (project / "in.output.jsonl").exists()
    assert ids(project / "other.output.jsonl") == ["r0", "r1", "r2"]
    assert resonare("batch", "collect").code == 0
    assert ids(project / "in.output.jsonl") == ["r0", "r1"]
    assert server.files() == []


def test_a_file_of_several_batches_that_changed_keeps_its_results_waiting_until_it_is_back(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_COMPLETIONS__BATCH_LINES", "2")
    source = put(project / "in.jsonl", lines(3))
    other = put(project / "other.jsonl", lines(2))
    assert resonare("batch", "submit", "in.jsonl", "other.jsonl").code == 0
    content = source.read_bytes()
    source.write_bytes(content.replace(b"r1", b"r9"))
    done = resonare("batch", "collect", "--wait")
    assert done.code == 1
    assert "the file has changed since it was submitted" in done.err
    assert not (project / "in.output.jsonl").exists()
    assert ids(project / "other.output.jsonl") == ids(other)
    source.unlink()
    assert "is gone" in resonare("batch", "collect").err
    source.write_bytes(content)
    assert resonare("batch", "collect").code == 0
    assert ids(project / "in.output.jsonl") == ["r0", "r1", "r2"]
    assert "nothing waits" in resonare("batch", "collect").out
    assert len(ran(server)) == 5


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_of_one_batch_that_changed_is_read_from_the_providers_copy(
    resonare: Resonare, project: Path, server: Running, *, is_gone: bool
) -> None:
    server.use(fate(FateRule(fate=Fate.LINES_SHUFFLED), FateRule(fate=Fate.LINES_LOST, share=0.5)))
    source = put(project / "in.jsonl", ["", *lines(9)])
    content = source.read_text()
    assert resonare("batch", "submit", "in.jsonl").code == 0
    source.unlink() if is_gone else put(source, lines(2))
    done = resonare("batch", "collect", "--wait", "--json").json["results"][0]
    assert done["is_by_copy"]
    found = ids(project / "in.output.jsonl")
    lost = ids(project / "in.retry.jsonl")
    assert found
    assert lost
    assert sorted([*found, *lost]) == [f"r{n}" for n in range(9)]
    assert (found, lost) == (sorted(found), sorted(lost))
    assert set((project / "in.retry.jsonl").read_text().splitlines()) <= set(content.splitlines())


def test_a_fill_in_batches_leaves_what_was_submitted_by_hand_to_be_collected(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project / "in.jsonl", lines(3))
    assert resonare("batch", "submit", "in.jsonl").code == 0
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]
    put(project / "records.jsonl", [{"messages": turns}])
    done = resonare("fill", "records.jsonl", "-o", "filled.jsonl", "--batch")
    assert done.code == 0, done.err
    assert made(server) == 2
    assert resonare("batch", "collect").code == 0
    assert ids(project / "in.output.jsonl") == ["r0", "r1", "r2"]


def test_what_a_killed_process_has_staged_is_submitted_with_the_same_command(
    resonare: Resonare, project: Path, server: Running
) -> None:
    from tests.cli.staging import stage_and_die

    put(project / "in.jsonl", lines(3))
    stage_and_die(project)
    _let_owners_die(project)
    assert resonare("batch", "submit", "in.jsonl", "--wait").code == 0
    assert made(server) == 1
    assert ids(project / "in.output.jsonl") == ["r0", "r1", "r2"]
    assert not list((project / "data" / "batches").iterdir())


def _let_owners_die(project: Path) -> None:
    engine = create_engine(f"sqlite:///{project / 'data' / 'completions.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE owners SET alive_until = 0"))
    engine.dispose()


# Listing and cancelling


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


# What cannot be


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
