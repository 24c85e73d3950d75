"""`resonare batch submit`: limits, broken connections, changed files, killed processes."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.cli.batch_files import SLOW, fate, ids, lines, made, put, ran
from tests.cli.command import Resonare
from tests.fake_openai.running import Running
from tests.fake_openai.script import BatchScript, Fate, FateRule, Script


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
