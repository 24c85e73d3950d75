from typing import Any

import msgspec
import pytest

from resonare_pipeline.completions.answers import (
    judge_body,
    judge_completion,
    judge_error,
    texts_of,
    without_texts,
)
from resonare_pipeline.completions.requests import Failure, Usage


def body(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    return {"model": "m-1", "choices": [choice]} | more


def test_an_answer_keeps_all_that_the_model_said_and_drops_nulls() -> None:
    said = {"content": "hi", "reasoning_content": "hm", "refusal": None, "tool_calls": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    usage_details = usage | {"prompt_tokens_details": {"cached_tokens": 5}}
    judged = judge_completion(body(said, usage=usage_details), requested_model="m")
    assert judged.failure is None
    assert judged.completion
    assert judged.completion.message == {
        "role": "assistant",
        "content": "hi",
        "reasoning_content": "hm",
    }
    assert judged.completion.usage == Usage(input_tokens=9, output_tokens=4, cached_tokens=5)
    assert judged.completion.model == "m-1"


def test_an_endpoint_that_tells_little_is_still_understood() -> None:
    found = {"choices": [{"message": {"role": "assistant", "content": "hi"}}]}
    judged = judge_completion(found, requested_model="m")
    assert judged.completion
    assert (judged.completion.finish_reason, judged.completion.model) == ("stop", "m")
    assert judged.completion.usage == Usage()
    assert not judged.is_counted


@pytest.mark.parametrize(
    "usage",
    [{}, [], {"prompt_tokens": 5}]
    + [{"prompt_tokens": count, "completion_tokens": 5} for count in (0, -5, "many", None)],
)
def test_tokens_that_cannot_be_counted_are_not_taken_for_none(usage: object) -> None:
    judged = judge_completion(body({"content": "hi"}, usage=usage), requested_model="m")
    assert judged.completion
    assert not judged.is_counted


@pytest.mark.parametrize(
    ("message", "finish", "failure"),
    [
        ({"content": "cut"}, "length", Failure.TRUNCATED),
        ({"content": None}, "content_filter", Failure.FILTERED),
        ({"content": None, "refusal": "no"}, "stop", Failure.REFUSED),
        ({"content": " \n"}, "stop", Failure.EMPTY),
        ({"content": None}, None, Failure.EMPTY),
        ({"content": [{"type": "text", "text": ""}]}, "stop", Failure.EMPTY),
        ({"content": [{"type": "text", "text": "hi"}]}, "stop", None),
        ({"content": "", "tool_calls": [{"id": "1"}]}, "tool_calls", None),
        ({"content": None, "function_call": {"name": "f"}}, "function_call", None),
    ],
)
def test_what_is_no_answer_is_told_from_what_is(
    message: dict[str, Any], finish: str | None, failure: Failure | None
) -> None:
    assert judge_completion(body(message, finish), requested_model="m").failure is failure


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b"null", b'{"choices": []}', b'"x"'])
def test_what_is_no_completion_may_be_asked_for_again(text: bytes) -> None:
    judged = judge_body(text, requested_model="m")
    assert (judged.completion, judged.failure) == (None, Failure.SERVER)
    assert judged.detail


def test_an_error_with_status_200_is_an_error() -> None:
    text = msgspec.json.encode({"error": {"message": "upstream died", "code": 502}})
    judged = judge_body(text, requested_model="m")
    assert (judged.failure, judged.detail) == (Failure.SERVER, "502, upstream died")


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (400, None, Failure.INVALID),
        (400, "context_length_exceeded", Failure.INVALID),
        (401, "invalid_api_key", Failure.UNAUTHORISED),
        (402, None, Failure.BUDGET),
        (403, None, Failure.FORBIDDEN),
        (404, "model_not_found", Failure.UNKNOWN_MODEL),
        (408, None, Failure.SERVER),
        (409, None, Failure.SERVER),
        (413, None, Failure.INVALID),
        (415, None, Failure.SERVER),
        (422, None, Failure.INVALID),
        (423, None, Failure.SERVER),
        (425, None, Failure.SERVER),
        (429, "rate_limit_exceeded", Failure.RATE),
        (429, "insufficient_quota", Failure.BUDGET),
        (499, None, Failure.SERVER),
        (500, None, Failure.SERVER),
        (529, "overloaded_error", Failure.SERVER),
    ],
)
def test_a_status_says_whether_to_ask_again(
    status: int, code: str | None, failure: Failure
) -> None:
    assert judge_error(status, {"error": {"message": "m", "code": code}}).failure is failure


@pytest.mark.parametrize(
    "found",
    [
        None,
        "<html>Not Found</html>",
        {"detail": "Not Found"},
        {"error": {"message": "Invalid URL (POST /chat/completions)", "code": None}},
    ],
)
def test_a_path_where_nothing_is_served_is_told_from_a_request_that_is_refused(
    found: object,
) -> None:
    judged = judge_error(404, found)
    assert judged.failure is Failure.NETWORK
    assert "/v1" in judged.detail
    assert judge_error(404, {"error": "model 'm' not found"}).failure is Failure.UNKNOWN_MODEL


def test_credit_that_is_low_is_no_fault_of_the_request() -> None:
    said = "Your credit balance is too low to access the Anthropic API."
    error = {"type": "invalid_request_error", "message": said}
    judged = judge_error(400, {"type": "error", "error": error})
    assert judged.failure is Failure.BUDGET


@pytest.mark.parametrize("found", [None, "text", [], {"error": None}, {"error": []}, {}])
def test_an_error_of_any_shape_is_described(found: object) -> None:
    assert judge_error(500, found).detail == "HTTP 500: no reason was given"


def test_an_error_shows_no_long_quotation_and_nothing_of_the_conversation() -> None:
    quoted = "x" * 60
    judged = judge_error(400, {"error": {"message": f"Invalid value '{quoted}' at 'messages'"}})
    assert judged.detail == "HTTP 400: Invalid value […] at 'messages'"
    assert without_texts("cannot read my secret plan", ["my secret plan"]) == "cannot read […]"
    assert without_texts("a name is wrong", ["name"]) == "a name is wrong"


def test_an_error_repeats_no_part_of_a_conversation_whatever_holds_it() -> None:
    arguments = '{"where": "the old mill"}'
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "first part\nsecond part"}]},
        {"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]},
    ]
    said = f"bad role assistant: first part second part, {arguments}, the old mill"
    assert without_texts(said, texts_of(messages)) == "bad role assistant: […], […], […]"


def test_a_key_is_taken_out_before_an_error_is_cut() -> None:
    said = "x" * 295 + "sk-secret"
    assert without_texts(said, (), secrets=("sk-secret",)) == "x" * 295 + "[…]"


def test_a_long_error_is_cut() -> None:
    judged = judge_error(500, {"error": {"message": "long " * 500}})
    assert len(without_texts(judged.detail, ())) < 350
