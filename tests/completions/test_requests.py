from typing import Any

import pytest

from resonare_pipeline.completions.requests import CompletionRequest, Failure

PLAIN: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": ({"role": "user", "content": "hello"},),
    "parameters": {"temperature": 0.5},
}


def key(provider: str = "openai", endpoint: str = "api.openai.com/v1", **changes: Any) -> str:
    return CompletionRequest(**PLAIN | changes).key(provider, endpoint)


def test_a_key_stays_what_it_is_for_answers_are_found_by_it() -> None:
    assert key() == "d04adc892eec9d19f57ba667d43719d130a081f526745b77b37cb7a181c6fce1"


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "gpt-4o"},
        {"messages": ({"role": "system", "content": "hello"},)},
        {"messages": PLAIN["messages"] * 2},
        {"parameters": {}},
        {"parameters": {"temperature": 0.6}},
        {"tools": ({"type": "function", "function": {"name": "f"}},)},
        {"sample": 1},
        {"provider": "mock"},
        {"endpoint": "127.0.0.1:8000/v1"},
    ],
)
def test_whatever_decides_an_answer_changes_the_key(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


def test_the_order_of_parameters_does_not_change_the_key() -> None:
    one = {"temperature": 0.5, "max_tokens": 5}
    other = {"max_tokens": 5, "temperature": 0.5}
    assert key(parameters=one) == key(parameters=other)


def test_a_body_is_what_an_endpoint_takes() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    request = CompletionRequest(**PLAIN | {"tools": (tool,), "sample": 3})
    assert request.body() == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [tool],
        "temperature": 0.5,
    }
    assert "tools" not in CompletionRequest(**PLAIN).body()


def test_what_asking_again_can_change_is_retryable() -> None:
    final = {failure for failure in Failure if not failure.is_retryable}
    assert final == {
        Failure.INVALID,
        Failure.FORBIDDEN,
        Failure.EMPTY,
        Failure.TRUNCATED,
        Failure.FILTERED,
        Failure.REFUSED,
    }
