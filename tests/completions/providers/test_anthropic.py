from pathlib import Path
from typing import Any

import msgspec
import pytest

from resonare_pipeline.completions.asking import Tally
from resonare_pipeline.completions.opening import open_engine
from resonare_pipeline.completions.providers.anthropic_bodies import (
    DEFAULT_MAX_TOKENS,
    messages_body,
)
from resonare_pipeline.completions.requests import (
    Completion,
    CompletionRequest,
    Failure,
    Outcome,
    Usage,
)
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.completions.asking import ask, request
from tests.fake_anthropic import FakeAnthropic, message, serving

MODEL = "claude-haiku-4-5"
TEXT = {"type": "text", "text": "hello"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "x"}}
TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
}


def body(*messages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return messages_body(CompletionRequest(model=MODEL, messages=messages, **changes))


def answers(
    fake: FakeAnthropic, folder: Path, *wanted: CompletionRequest, **settings: Any
) -> tuple[list[Outcome], Tally]:
    named = {"provider": "anthropic", "base_url": fake.url}
    made = CompletionsSettings.model_validate(named | settings)
    environ = {"ANTHROPIC_API_KEY": "sk-ant-test"}
    return ask(open_engine(made, environ, default_db=folder / "c.db"), wanted)


def completion(fake: FakeAnthropic, folder: Path) -> Completion:
    (outcome,), _ = answers(fake, folder, request(model=MODEL))
    assert outcome.completion
    return outcome.completion


def test_a_conversation_is_said_in_anthropics_form() -> None:
    call = {
        "id": "toolu_1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"at": "x"}'},
    }
    found = body(
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": "well",
            "tool_calls": [call],
            "thinking_blocks": [THOUGHT],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "seen"},
        {"role": "user", "content": [{"type": "text", "text": "and?"}]},
        tools=(TOOL,),
        parameters={"temperature": 0.5, "stop": "END", "tool_choice": "required", "max_tokens": 9},
    )
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
    assert found == {
        "model": MODEL,
        "system": "Be kind.",
        "max_tokens": 9,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "well"}, CALL]},
            {"role": "user", "content": [result, {"type": "text", "text": "and?"}]},
        ],
    }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"max_tokens": DEFAULT_MAX_TOKENS}),
        ({"max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
        ({"tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
            {"tool_choice": {"type": "tool", "name": "look"}},
        ),
        (
            {"parallel_tool_calls": False},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"reasoning_effort": "low", "max_tokens": 100},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1124},
        ),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
        ({"top_k": 5}, {"top_k": 5}),
    ],
)
def test_parameters_have_their_counterparts(
    parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = body({"role": "user", "content": "hi"}, parameters=parameters)
    assert {name: found[name] for name in expected} == expected
    unknown = {"reasoning_effort", "max_completion_tokens", "stop", "parallel_tool_calls", "n"}
    assert not unknown & found.keys()


def test_images_are_said_by_address_or_by_content() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    (turn,) = body({"role": "user", "content": parts})["messages"]
    assert [block["source"] for block in turn["content"]] == [
        {"type": "url", "url": "https://example.org/a.png"},
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
    ]


def test_an_answer_is_read_with_its_thoughts_its_calls_and_its_bill(tmp_path: Path) -> None:
    with serving() as fake:
        fake.enqueue(message(THOUGHT, TEXT, CALL, stop_reason="tool_use"))
        (outcome,), tally = answers(fake, tmp_path, request(model=MODEL))
        ((path, headers, _),) = fake.received
    assert path == "/v1/messages"
    assert "sk-ant-test" in (headers.get("x-api-key") or headers["authorization"])
    assert outcome.failure is None
    found = outcome.completion
    assert found
    function = {"name": "look", "arguments": '{"at":"x"}'}
    assert found.message == {
        "role": "assistant",
        "content": "hello",
        "tool_calls": [{"id": "toolu_1", "type": "function", "function": function}],
        "reasoning_content": "hm",
        "thinking_blocks": [THOUGHT],
    }
    assert found.finish_reason == "tool_calls"
    assert found.usage == Usage(
        input_tokens=150, output_tokens=8, cached_tokens=100, cache_write_tokens=30
    )
    million = 1_000_000
    expected = (20 * 1 + 100 * 0.1 + 30 * 1.25 + 8 * 5) / million
    assert outcome.cost_usd == pytest.approx(expected) == tally.cost_usd


@pytest.mark.parametrize(
    ("stop", "finish", "failure"),
    [
        ("end_turn", "stop", None),
        ("stop_sequence", "stop", None),
        ("max_tokens", "length", Failure.TRUNCATED),
        ("model_context_window_exceeded", "length", Failure.TRUNCATED),
        ("refusal", "stop", Failure.REFUSED),
        ("something_new", "stop", None),
    ],
)
def test_stop_reasons_are_told_in_openais_words(
    stop: str, finish: str, failure: Failure | None, tmp_path: Path
) -> None:
    with serving() as fake:
        fake.enqueue(message(TEXT, stop_reason=stop))
        (outcome,), _ = answers(fake, tmp_path, request(model=MODEL))
    assert outcome.completion
    assert (outcome.completion.finish_reason, outcome.failure) == (finish, failure)


def test_what_came_goes_back_as_it_came(tmp_path: Path) -> None:
    with serving() as fake:
        fake.enqueue(message(THOUGHT, TEXT, CALL, stop_reason="tool_use"))
        said = completion(fake, tmp_path).message
    turns = body({"role": "user", "content": "hi"}, said)["messages"]
    assert turns[1] == {"role": "assistant", "content": [THOUGHT, TEXT, CALL]}


def test_an_unknown_model_is_named_beside_those_that_are_offered(tmp_path: Path) -> None:
    error = {"type": "error", "error": {"type": "not_found_error", "message": f"model: {MODEL}"}}
    with serving() as fake:
        fake.models = ("claude-one", "claude-two")
        fake.enqueue(error, status=404)
        (bad,), _ = answers(fake, tmp_path, request(model=MODEL))
    assert bad.failure is Failure.UNKNOWN_MODEL
    assert "claude-one" in bad.detail
    assert "claude-two" in bad.detail
    assert MODEL in bad.detail


def test_a_wrong_key_and_an_overload_are_told_apart(tmp_path: Path) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    denied = {"type": "error", "error": {"type": "authentication_error", "message": "bad key"}}
    with serving() as fake:
        fake.enqueue(error, status=529, headers={"retry-after": "0.01"})
        fake.enqueue(message(TEXT))
        fake.enqueue(denied, status=401)
        (good,), tally = answers(fake, tmp_path, request(model=MODEL))
        (bad,), _ = answers(fake, tmp_path, request("other", model=MODEL))
    assert (good.failure, tally.sent) == (None, 2)
    assert bad.failure is Failure.UNAUTHORISED
    assert bad.detail == "HTTP 401: authentication_error, bad key"


@pytest.mark.parametrize(
    "bad",
    [
        {"role": "robot", "content": "hi"},
        {"role": "tool", "content": "no id"},
        {"role": "user", "content": [{"type": "input_audio"}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"arguments": "{"}}]},
    ],
)
def test_what_has_no_counterpart_is_refused_and_stops_no_other(
    bad: dict[str, Any], tmp_path: Path
) -> None:
    wanted = CompletionRequest(model=MODEL, messages=(bad,))
    with serving() as fake:
        fake.enqueue(message(TEXT))
        (refused, good), _ = answers(fake, tmp_path, wanted, request(model=MODEL))
        assert len(fake.received) == 1
    assert refused.failure is Failure.INVALID
    assert refused.detail.startswith("it has no form in Anthropic's API")
    assert good.failure is None


def test_what_is_no_message_may_be_asked_for_again(tmp_path: Path) -> None:
    with serving() as fake:
        fake.enqueue({"unexpected": True})
        fake.enqueue(message(TEXT))
        (outcome,), tally = answers(fake, tmp_path, request(model=MODEL))
    assert (outcome.failure, tally.sent) == (None, 2)


def test_a_cap_holds_though_no_maximum_is_given(tmp_path: Path) -> None:
    with serving() as fake:
        fake.enqueue(message(TEXT))
        outcomes, _ = answers(fake, tmp_path, request(model=MODEL), max_cost_usd=0.03)
        refused, _ = answers(fake, tmp_path, request("b", model=MODEL), max_cost_usd=0.01)
        assert len(fake.received) == 1
    assert outcomes[0].failure is None
    assert refused[0].failure is Failure.BUDGET


def test_a_cap_holds_though_the_model_thinks_first(tmp_path: Path) -> None:
    parameters = {"max_tokens": 100, "reasoning_effort": "high"}
    with serving() as fake:
        fake.enqueue(message(TEXT))
        wanted = request(model=MODEL, parameters=parameters)
        outcomes, _ = answers(fake, tmp_path, wanted, max_cost_usd=0.03)
        assert not fake.received
    assert outcomes[0].failure is Failure.BUDGET


def test_bodies_are_plain_json() -> None:
    found = body({"role": "user", "content": "hi"}, tools=(TOOL,))
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
