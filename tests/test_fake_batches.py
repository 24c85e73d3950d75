"""Batches of the fake server when nothing is scripted to go wrong, and what validation refuses."""

import socket
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from tests.fake_batch_client import DAY_SECONDS, URL, Line, batching, line, lines, talking, written
from tests.fake_openai.running import serving_apart
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Rule, Script

SLOW: dict[str, Any] = {
    "validating_seconds": 10.0,
    "running_seconds": 1000.0,
    "finalizing_seconds": 10.0,
    "cancelling_seconds": 60.0,
}


def test_a_batch_goes_through_all_its_states_as_the_clock_goes_on() -> None:
    with batching(**SLOW) as client:
        batch = client.create(lines(10))
        assert (batch.status, batch.request_counts and batch.request_counts.total) == (
            "validating",
            0,
        )
        seen = [client.look(batch, after) for after in (11, 500, 500, 10)]
        rows = client.rows(seen[-1].output_file_id)
    assert [one.status for one in seen] == ["in_progress", "in_progress", "finalizing", "completed"]
    assert [one.request_counts.completed for one in seen if one.request_counts] == [0, 5, 10, 10]
    done = seen[-1]
    times = (batch.created_at, done.in_progress_at, done.finalizing_at, done.completed_at)
    assert None not in times
    assert [int(time or 0) - batch.created_at for time in times] == [0, 10, 1010, 1020]
    assert (done.metadata, done.model, done.error_file_id) == ({"run": "7"}, "m", None)
    assert done.expires_at == batch.created_at + DAY_SECONDS
    assert [row["custom_id"] for row in rows] == [f"id-{number}" for number in range(10)]
    assert done.usage
    assert done.usage.total_tokens == sum(
        row["response"]["body"]["usage"]["total_tokens"] for row in rows
    )


def test_a_question_has_one_answer_and_one_hash_online_and_in_a_batch() -> None:
    asked = line(1)["body"]
    with batching() as client:
        online = client.sdk.chat.completions.create(**asked)
        batch = client.look(client.create([line(1)]))
        [row] = client.rows(batch.output_file_id)
        entries = client.server.journal()
    assert row["response"]["body"]["choices"][0]["message"]["content"] == (
        online.choices[0].message.content
    )
    by_kind = {entry.kind: entry for entry in entries}
    assert by_kind["chat"].body == by_kind["line"].body
    assert by_kind["chat"].tokens == by_kind["line"].tokens > 0
    assert by_kind["line"].batch == by_kind["create"].batch == batch.id


def test_a_batch_expires_when_a_day_of_the_clock_is_over_and_tells_what_is_undone() -> None:
    with batching(running_seconds=2.0 * DAY_SECONDS) as client:
        batch = client.create(lines(10))
        done = client.look(batch, after=DAY_SECONDS + 1)
        output, errors = client.rows(done.output_file_id), client.rows(done.error_file_id)
        ran = [entry for entry in client.server.journal() if entry.kind == "line"]
    assert (done.status, done.completed_at) == ("expired", None)
    assert done.expired_at == batch.expires_at
    assert [row["custom_id"] for row in output + errors] == [f"id-{n}" for n in range(10)]
    assert len(output) == len(ran) == 5
    assert {(row["error"]["code"], row["response"]) for row in errors} == {("batch_expired", None)}


def test_a_cancelled_batch_keeps_what_it_has_done_and_runs_no_more() -> None:
    with batching(**SLOW) as client:
        batch = client.create(lines(10))
        client.look(batch, after=11)
        client.server.advance(500)
        cancelling = client.sdk.batches.cancel(batch.id)
        done = client.look(batch, after=61)
        output, errors = client.rows(done.output_file_id), client.rows(done.error_file_id)
        with pytest.raises(openai.BadRequestError, match="cancelled"):
            client.sdk.batches.cancel(batch.id)
    assert (cancelling.status, cancelling.output_file_id) == ("cancelling", None)
    assert (done.status, len(output), len(errors)) == ("cancelled", 5, 5)
    assert {row["error"]["code"] for row in errors} == {"batch_cancelled"}


@pytest.mark.parametrize(
    ("given", "code", "number", "param"),
    [
        (b"", "empty_file", None, None),
        (written([line(1)]) + b'{"custom_id": "id-', "invalid_json_line", 2, None),
        ([line(1), line(2), line(1)], "duplicate_custom_id", 3, "custom_id"),
        ([line(1), line(2, url="/v1/embeddings")], "url_mismatch", 2, "url"),
        (
            [line(1), line(2, body=line(2)["body"] | {"model": "n"})],
            "model_mismatch",
            2,
            "body.model",
        ),
        (lines(5), "too_many_tasks", None, None),
        ([line(1, body=line(1)["body"] | {"user": "u" * 2000})], "file_too_large", None, None),
        ([line(1, custom_id=None)], "missing_required_parameter", 1, "custom_id"),
        ([line(1, body={"messages": []})], "missing_required_parameter", 1, "body.model"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_a_batch_that_has_failed(
    given: list[Line] | bytes, code: str, number: int | None, param: str | None
) -> None:
    with batching(validating_seconds=5.0, max_lines=4, max_bytes=2000) as client:
        batch = client.create(given)
        failed = client.look(batch, after=5)
        ran = [entry for entry in client.server.journal() if entry.kind == "line"]
    assert (batch.status, batch.errors) == ("validating", None)
    assert failed.status == "failed"
    assert failed.errors
    assert failed.errors.data
    [error] = failed.errors.data
    assert (error.code, error.line, error.param) == (code, number, param)
    assert (failed.output_file_id, failed.error_file_id, ran) == (None, None, [])
    assert failed.failed_at == batch.created_at + 5


def test_tokens_of_unfinished_batches_of_one_model_are_limited_until_one_is_done() -> None:
    with batching(running_seconds=100.0, enqueued_tokens={"m": 100}) as client:
        other = [line(1, body=line(1)["body"] | {"model": "n"})]
        first = client.create(lines(10))  # 60 tokens
        second = client.create(lines(10))
        free = client.create(other)
        refused, running = client.look(second), client.look(free)
        client.look(first, after=101)
        third = client.look(client.create(lines(10)))
        state = client.server.state()
    assert (refused.status, running.status, third.status) == (
        "failed",
        "in_progress",
        "in_progress",
    )
    assert refused.errors
    assert refused.errors.data
    assert refused.errors.data[0].code == "token_limit_exceeded"
    assert "for m in organization org-fake. Limit: 100 enqueued tokens." in (
        refused.errors.data[0].message or ""
    )
    assert state["fullest_enqueued:m"] == 120
    assert (state["batches_failed"], state["batches_completed"]) == (1, 2)


def test_a_batch_that_was_done_before_another_began_does_not_count_however_late_one_looks() -> None:
    with batching(validating_seconds=5, running_seconds=5, enqueued_tokens={"m": 100}) as client:
        client.create(lines(10))
        client.server.advance(6)
        second = client.create(lines(10))
        done = client.look(second, after=1000)
    assert done.status == "completed"


def test_lines_fail_one_by_one_with_their_message_in_the_body_of_the_response() -> None:
    rules = (
        Rule(fault=Fault.INVALID, contains="question 1"),
        Rule(fault=Fault.RATE, contains="question 2"),
        Rule(fault=Fault.SERVER, contains="question 3"),
    )
    everywhere = (Rule(fault=Fault.EMPTY, contains="question 4"), Rule(fault=Fault.HANG))
    with talking(Script(rules=everywhere, batches=BatchScript(rules=rules))) as client:
        done = client.look(client.create(lines(6)))
        output, errors = client.rows(done.output_file_id), client.rows(done.error_file_id)
        outcomes = Counter(entry.outcome for entry in client.server.journal())
    assert [(row["custom_id"], row["response"]["status_code"]) for row in errors] == [
        ("id-1", 400),
        ("id-2", 429),
        ("id-3", 500),
    ]
    assert all(row["error"] is None for row in errors)
    assert all(row["response"]["body"]["error"]["message"] for row in errors)
    assert {
        row["custom_id"]: row["response"]["body"]["choices"][0]["message"]["content"] == ""
        for row in output
    } == {"id-0": False, "id-4": True, "id-5": False}
    assert done.request_counts
    assert (done.request_counts.completed, done.request_counts.failed) == (3, 3)
    assert outcomes == {"ok": 4, "invalid": 1, "rate": 1, "server": 1, "empty": 1}


def test_a_seed_decides_what_goes_wrong_however_often_one_looks() -> None:
    def found(seed: int, steps: int) -> list[list[Line]]:
        batches = BatchScript(
            running_seconds=100.0,
            rules=(Rule(fault=Fault.SERVER, share=0.3),),
            fates=(FateRule(fate=Fate.LINES_LOST, share=0.3), FateRule(fate=Fate.LINES_SHUFFLED)),
        )
        with talking(Script(seed=seed, batches=batches)) as client:
            made = [client.create(lines(30)), client.create(lines(20))]
            for _ in range(steps):
                client.look(made[0], after=102 / steps)
            done = [client.look(batch) for batch in made]
            return [client.rows(one.output_file_id) for one in done] + [
                client.rows(one.error_file_id) for one in done
            ]

    assert found(1, 1) == found(1, 5) != found(2, 1)


def test_lists_show_the_newest_first_in_pages() -> None:
    with batching() as client:
        made = [client.create([line(number)]) for number in range(5)]
        page = client.sdk.batches.list(limit=2)
        following = client.sdk.batches.list(limit=2, after=page.data[-1].id)
        everything = [batch.id for batch in client.sdk.batches.list(limit=2)]
        inputs = [file.id for file in client.sdk.files.list(purpose="batch", limit=2)]
    newest_first = [batch.id for batch in reversed(made)]
    assert [batch.id for batch in [*page.data, *following.data]] == newest_first[:4]
    assert (page.has_more, everything) == (True, newest_first)
    assert inputs == [batch.input_file_id for batch in reversed(made)]


def test_an_input_deleted_after_the_batch_was_made_is_still_run() -> None:
    with batching(running_seconds=10.0) as client:
        batch = client.create(lines(3))
        assert client.sdk.files.delete(batch.input_file_id).deleted
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            client.sdk.files.retrieve(batch.input_file_id)
        done = client.look(batch, after=11)
        assert len(client.rows(done.output_file_id)) == 3


def test_what_is_unknown_or_not_allowed_is_refused_in_openais_shape() -> None:
    def create(**changed: Any) -> None:
        asked: dict[str, Any] = {"input_file_id": kept.id, "endpoint": URL}
        client.sdk.batches.create(**asked | {"completion_window": "24h"} | changed)

    with batching() as client:
        kept = client.upload(lines(1))
        with pytest.raises(openai.BadRequestError, match="No such File") as unknown:
            create(input_file_id="file-unknown")
        for wrong in (
            {"completion_window": "12h"},
            {"endpoint": "/v1/nothing"},
            {"metadata": {str(number): "" for number in range(17)}},
            {"metadata": {"k" * 65: ""}},
        ):
            with pytest.raises(openai.BadRequestError):
                create(**wrong)
        with pytest.raises(openai.NotFoundError):
            client.sdk.batches.retrieve("batch_unknown")
        with pytest.raises(openai.BadRequestError, match="fine-tune"):
            client.sdk.files.create(file=b"{}", purpose="fine-tune")
        assert client.server.batches() == []
    assert (unknown.value.param, unknown.value.type) == ("input_file_id", "invalid_request_error")


def test_files_and_batches_want_the_key_that_the_script_names() -> None:
    with (
        talking(Script(keys=("secret",))) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.sdk.batches.list()


def test_a_process_of_its_own_serves_batches_by_a_clock_that_goes_faster() -> None:
    script = Script(batches=BatchScript(running_seconds=3600.0, clock_scale=1_000_000.0))
    with (
        serving_apart(script) as server,
        openai.OpenAI(base_url=server.url, api_key="dummy", max_retries=0) as sdk,
    ):
        file = sdk.files.create(file=("in.jsonl", written(lines(3))), purpose="batch")
        made = sdk.batches.create(input_file_id=file.id, endpoint=URL, completion_window="24h")
        while sdk.batches.retrieve(made.id).status != "completed":
            pass
        assert [found["status"] for found in server.batches()] == ["completed"]
        assert [found["purpose"] for found in server.files()] == ["batch_output", "batch"]


def test_an_upload_whose_sender_dies_keeps_nothing() -> None:
    head = (
        "POST /v1/files HTTP/1.1\r\nHost: fake\r\nContent-Length: 100000\r\n"
        "Content-Type: multipart/form-data; boundary=abc\r\n\r\n"
        '--abc\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
    )
    with batching() as client:
        place = urlsplit(client.server.url)
        with socket.create_connection((place.hostname, place.port)) as sender:
            sender.sendall(head.encode() + b"x" * 5000)
        while not (entries := client.server.journal()):
            pass
        assert client.server.files() == []
    assert [(entry.kind, entry.status, entry.outcome) for entry in entries] == [
        ("upload", 0, "broken")
    ]
