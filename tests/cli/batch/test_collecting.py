"""`resonare batch collect`: what comes back of files, whatever happened to them."""

import json
from pathlib import Path

import pytest

from tests.cli.batch_files import SLOW, fate, ids, line, lines, made, put, ran, rows
from tests.cli.command import Resonare
from tests.fake_openai.running import Running
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Rule, Script


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
