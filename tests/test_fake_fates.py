"""What the fake server's fates do to batches, and to which."""

import contextlib
import json
from collections import Counter

import openai
import pytest

from tests.fake_batch_client import Client, batching, line, lines
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Script


def ids(rows: list[dict[str, object]]) -> list[object]:
    """Return the custom ids of lines."""
    return [row["custom_id"] for row in rows]


def finished(client: Client, count: int = 20) -> list[dict[str, object]]:
    """Run a batch to its end and return its output."""
    return client.rows(client.look(client.create(lines(count))).output_file_id)


def test_a_batch_whose_lines_all_fail_completes_without_an_output_file() -> None:
    with batching(FateRule(fate=Fate.LINES_FAIL, nth=2)) as client:
        good, bad = (client.look(client.create(lines(3))) for _ in range(2))
        errors = client.rows(bad.error_file_id)
    assert good.output_file_id
    assert (bad.status, bad.output_file_id) == ("completed", None)
    assert bad.request_counts
    assert (bad.request_counts.completed, bad.request_counts.failed) == (0, 3)
    assert len(errors) == 3


def test_a_fate_strikes_batches_that_hold_a_text_as_often_as_it_says() -> None:
    rule = FateRule(fate=Fate.FAILS, contains="question 4", times=1, code="empty_file")
    with batching(rule) as client:
        spared = client.look(client.create(lines(3)))
        struck = client.look(client.create(lines(5)))
        again = client.look(client.create(lines(5)))
    assert [one.status for one in (spared, struck, again)] == ["completed", "failed", "completed"]
    assert struck.errors
    assert struck.errors.data
    assert struck.errors.data[0].code == "empty_file"


def test_a_refusal_for_tokens_tells_the_limit_as_openai_does() -> None:
    with batching(FateRule(fate=Fate.FAILS, code="token_limit_exceeded")) as client:
        failed = client.look(client.create(lines(1)))
    assert failed.errors
    assert failed.errors.data
    assert "Limit: 90,000 enqueued tokens." in (failed.errors.data[0].message or "")


def test_the_output_file_is_told_some_retrievals_late() -> None:
    with batching(FateRule(fate=Fate.OUTPUT_LATE, count=2)) as client:
        batch = client.create(lines(2))
        seen = [client.look(batch) for _ in range(3)]
    assert [one.status for one in seen] == ["completed"] * 3
    assert [bool(one.output_file_id) for one in seen] == [False, False, True]


@pytest.mark.parametrize("fate", [Fate.EXPIRED, Fate.CANCELLED])
def test_a_provider_ends_a_batch_when_a_share_is_done(fate: Fate) -> None:
    with batching(FateRule(fate=fate, share=0.4), running_seconds=10.0) as client:
        done = client.look(client.create(lines(10)), after=11)
        output, errors = client.rows(done.output_file_id), client.rows(done.error_file_id)
    assert done.status == fate
    assert (len(output), len(errors)) == (4, 6)


def test_a_batch_vanishes_from_retrievals_and_lists_and_is_still_known_to_tests() -> None:
    with batching(FateRule(fate=Fate.VANISHES, count=2)) as client:
        batch = client.create(lines(1))
        assert client.look(batch).id == batch.id
        with pytest.raises(openai.NotFoundError):
            client.look(batch)
        assert client.sdk.batches.list().data == []
        assert [found["id"] for found in client.server.batches()] == [batch.id]


@pytest.mark.parametrize("fate", [Fate.OUTPUT_VANISHES, Fate.ERRORS_VANISH])
def test_a_file_that_is_told_of_is_not_there(fate: Fate) -> None:
    some_fail = FateRule(fate=Fate.LINES_FAIL, share=0.5)
    with batching(FateRule(fate=fate), some_fail) as client:
        done = client.look(client.create(lines(20)))
        files = [done.output_file_id, done.error_file_id]
        gone, there = files if fate is Fate.OUTPUT_VANISHES else reversed(files)
        assert gone
        with pytest.raises(openai.NotFoundError):
            client.sdk.files.content(gone)
        assert client.rows(there)


def test_lines_are_lost_but_were_run_and_paid() -> None:
    with batching(FateRule(fate=Fate.LINES_LOST, share=0.5)) as client:
        rows = finished(client)
        ran = [entry for entry in client.server.journal() if entry.kind == "line"]
    assert 0 < len(rows) < 20 == len(ran)


def test_lines_come_twice() -> None:
    with batching(FateRule(fate=Fate.LINES_REPEATED, share=0.5)) as client:
        counts = Counter(ids(finished(client)))
    assert len(counts) == 20
    assert set(counts.values()) == {1, 2}


def test_lines_come_in_another_order_and_all_of_them() -> None:
    with batching(FateRule(fate=Fate.LINES_SHUFFLED)) as client:
        found = ids(finished(client))
    assert found != ids(lines(20))
    assert sorted(map(str, found)) == sorted(map(str, ids(lines(20))))


def test_lines_come_that_nobody_asked_for() -> None:
    with batching(FateRule(fate=Fate.UNKNOWN_IDS, count=2)) as client:
        found = ids(finished(client))
    assert found == [*ids(lines(20)), "unknown-0", "unknown-1"]


@pytest.mark.parametrize(
    "rule",
    [
        FateRule(fate=Fate.LINES_HALVED, share=0.5),
        FateRule(fate=Fate.LINES_FAIL, share=0.5, fault=Fault.MALFORMED),
    ],
)
def test_some_lines_are_half_a_json_text(rule: FateRule) -> None:
    whole = 0
    with batching(rule) as client:
        done = client.look(client.create(lines(20)))
        assert done.output_file_id
        rows = client.sdk.files.content(done.output_file_id).text.splitlines()
    for row in rows:
        with contextlib.suppress(json.JSONDecodeError):
            whole += bool(json.loads(row))
    assert 0 < whole < len(rows) == 20


def test_some_answers_of_200_hold_an_error_or_no_choices() -> None:
    rules = (
        FateRule(fate=Fate.ERROR_WITHIN, share=0.4),
        FateRule(fate=Fate.NO_CHOICES, share=0.4),
    )
    with batching(*rules) as client:
        done = client.look(client.create(lines(30)))
        rows = client.rows(done.output_file_id)
    assert {row["response"]["status_code"] for row in rows} == {200}
    kinds = {
        next(iter(set(row["response"]["body"]) & {"error", "choices", "output"})) for row in rows
    }
    assert kinds == {"error", "choices", "output"}


def test_a_status_that_nobody_knows_stays_for_ever() -> None:
    with batching(FateRule(fate=Fate.STATUS, code="paused")) as client:
        assert str(client.look(client.create(lines(1)), after=1_000_000).status) == "paused"


@pytest.mark.parametrize(
    ("fate", "raised", "made"),
    [
        (Fate.CREATE_BROKEN, openai.APIConnectionError, 1),
        (Fate.CREATE_FAILED_MADE, openai.InternalServerError, 1),
        (Fate.CREATE_FAILED, openai.InternalServerError, 0),
        (Fate.UPLOAD_BROKEN, openai.APIConnectionError, 0),
        (Fate.UPLOAD_UNANSWERED, openai.APIConnectionError, 0),
        (Fate.UPLOAD_FAILED, openai.InternalServerError, 0),
    ],
)
def test_an_answer_that_does_not_come_may_hide_a_batch_that_was_made(
    fate: Fate, raised: type[openai.APIError], made: int
) -> None:
    with batching(FateRule(fate=fate, nth=1)) as client:
        with pytest.raises(raised):
            client.create(lines(2))
        assert len(client.sdk.batches.list().data) == made
        kept = len(client.server.files())
        client.create(lines(2))
        outcomes = [entry.outcome for entry in client.server.journal() if entry.kind != "line"]
    assert outcomes.count(fate) == 1
    assert bool(kept) is (fate not in {Fate.UPLOAD_BROKEN, Fate.UPLOAD_FAILED})


def test_a_long_upload_that_breaks_midway_keeps_nothing_and_the_next_is_kept() -> None:
    with batching(FateRule(fate=Fate.UPLOAD_BROKEN, contains="question", times=1)) as client:
        with pytest.raises(openai.APIConnectionError):
            client.upload(lines(200_000))
        assert client.server.files() == []
        assert client.upload(lines(2)).bytes


def test_retrievals_fail_and_downloads_break_a_few_times() -> None:
    rules = (
        FateRule(fate=Fate.RETRIEVE_FAILS, count=2),
        FateRule(fate=Fate.DOWNLOAD_BROKEN, count=1),
    )
    with batching(*rules) as client:
        batch = client.create(lines(50))
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                client.look(batch)
        done = client.look(batch)
        with pytest.raises(openai.APIConnectionError):
            client.rows(done.output_file_id)
        assert len(client.rows(done.output_file_id)) == 50


def test_a_new_batch_is_listed_late() -> None:
    with batching(FateRule(fate=Fate.LISTED_LATE, nth=1, count=2)) as client:
        late, other = client.create([line(1)]), client.create([line(2)])
        seen = [[batch.id for batch in client.sdk.batches.list().data] for _ in range(3)]
    assert seen == [[other.id], [other.id], [other.id, late.id]]


def test_another_script_leaves_batches_as_they_are_and_counts_anew() -> None:
    first = BatchScript(running_seconds=10.0)
    second = BatchScript(fates=(FateRule(fate=Fate.FAILS, nth=1, code="empty_file"),))
    with batching(running_seconds=first.running_seconds) as client:
        running = client.create(lines(2))
        client.server.use(Script(batches=second))
        struck = client.look(client.create(lines(2)))
        assert (client.look(running).status, struck.status) == ("in_progress", "failed")
        assert client.look(running, after=11).status == "completed"
