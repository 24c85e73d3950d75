import random
from typing import Any

import pytest

from resonare_pipeline.completions.requests import CompletionRequest, Failure
from resonare_pipeline.errors import StageError
from resonare_pipeline.records import filling
from tests.records.answering import Answers, Reply, echo
from tests.records.making import fill_bytes, lines, prompt

TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_records_come_out_in_input_order_whatever_order_answers_come_in() -> None:
    slow_first = Answers(patience=lambda number: 200 - number)
    content = lines(*(prompt(f"q{number}") for number in range(100)))
    done = fill_bytes(content, slow_first)
    assert [row["messages"][1]["content"] for row in done.rows] == [
        f"answer to q{number}" for number in range(100)
    ]
    assert slow_first.most_at_once > 50


def test_later_turns_see_earlier_answers() -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": None},
    ]
    done = fill_bytes(lines({"messages": turns}))
    asked = [[message["content"] for message in request.messages] for request in done.answers.asked]
    assert asked == [["one"], ["one", "answer to one", "two"]]
    assert done.rows[0]["messages"][3]["content"] == "answer to two"


def test_a_turn_that_is_answered_already_is_context_and_stays() -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "said", "weight": 0, "reasoning_content": "thought"},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": ""},
    ]
    done = fill_bytes(lines({"messages": turns}))
    assert done.answers.asked[0].messages[1] == {"role": "assistant", "content": "said"}
    assert done.rows[0]["messages"][:3] == turns[:3]


def test_skip_existing_lets_records_with_any_answer_through_untouched() -> None:
    some = prompt("one")
    some["messages"] += [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "there"},
    ]
    content = lines(some, prompt("two"))
    done = fill_bytes(content, skip_existing=True)
    assert done.out.splitlines()[0] == content.splitlines()[0]
    assert len(done.answers.asked) == 1


def test_tools_are_sent_and_a_call_is_stored_as_one() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    answers = Answers(lambda _: {"content": None, "tool_calls": [TOOL_CALL]})
    done = fill_bytes(lines(prompt(tools=tools)), answers)
    assert list(answers.asked[0].tools) == tools
    assert done.rows[0]["messages"][1]["tool_calls"] == [TOOL_CALL]
    assert done.rows[0]["tools"] == tools


def test_a_turn_that_calls_tools_is_not_empty() -> None:
    record = prompt()
    record["messages"][1]["tool_calls"] = [TOOL_CALL]
    done = fill_bytes(lines(record))
    assert not done.answers.asked
    assert done.rows == [record]


def test_reasoning_is_kept_beside_the_answer_and_not_sent_back() -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": ""},
    ]
    answers = Answers(lambda _: {"content": "said", "reasoning_content": "thought"})
    done = fill_bytes(lines({"messages": turns}), answers)
    assert done.rows[0]["messages"][1] == {
        "role": "assistant",
        "content": "said",
        "reasoning_content": "thought",
    }
    assert answers.asked[1].messages[1] == {"role": "assistant", "content": "said"}


def test_a_call_without_a_result_ends_the_record_before_its_next_turn() -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": ""},
    ]
    answers = Answers(lambda _: {"content": None, "tool_calls": [TOOL_CALL]})
    done = fill_bytes(lines({"messages": turns}), answers)
    assert done.reasons == {"tool_result_missing": 1}
    assert len(answers.asked) == 1


def test_results_that_stand_in_the_record_answer_a_call() -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": ""},
    ]

    def reply(request: CompletionRequest) -> Reply:
        is_first = len(request.messages) == 1
        return {"content": None, "tool_calls": [TOOL_CALL]} if is_first else "it is 42"

    done = fill_bytes(lines({"messages": turns}), Answers(reply))
    assert done.answers.asked[1].messages[2]["tool_call_id"] == "c1"
    assert done.rows[0]["messages"][3]["content"] == "it is 42"


THOUGHT = {"type": "thinking", "thinking": "look it up", "signature": "c2ln"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [([THOUGHT], [THOUGHT]), ([], None), ("a text", None), ([THOUGHT, "no block"], None)],
)
def test_blocks_of_thinking_go_back_with_a_call_of_tools_and_into_no_record(
    given: Any, sent: Any
) -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": ""},
    ]

    def reply(request: CompletionRequest) -> Reply:
        is_first = len(request.messages) == 1
        calls = {"tool_calls": [TOOL_CALL]} if is_first else {}
        return {"content": "said", "thinking_blocks": given, **calls}

    done = fill_bytes(lines({"messages": turns}), Answers(reply))
    assert [request.messages[1].get("thinking_blocks") for request in done.answers.asked[1:]] == [
        sent,
        sent,
    ]
    assert "thinking_blocks" not in done.answers.asked[2].messages[3]
    assert b"thinking_blocks" not in done.out


def test_a_failed_record_is_left_out_whole_and_the_others_go_on() -> None:
    def reply(request: CompletionRequest) -> Reply:
        return Failure.FILTERED if request.messages[0]["content"] == "bad" else echo(request)

    done = fill_bytes(lines(prompt("a"), prompt("bad", uuid="u"), prompt("c")), Answers(reply))
    assert len(done.rows) == 2
    assert done.dropped == [
        {
            "number": 1,
            "place": "line 2",
            "reason": "filtered",
            "detail": "scripted",
            "record": prompt("bad", uuid="u"),
        }
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": "no conversation"}, "no_messages"),
        ({"messages": "hello"}, "messages_not_list"),
        ({"messages": {"role": "user"}}, "messages_not_list"),
        ({"messages": ["hello"]}, "bad_turn"),
        ({"messages": [{"role": "user", "content": 5}]}, "bad_turn"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "unknown_role"),
        ({"messages": [{"content": "x"}]}, "unknown_role"),
        ({"messages": [{"role": "assistant", "content": ""}]}, "no_context"),
        ({**prompt(), "tools": "no JSON"}, "bad_tools"),
        ({**prompt(), "tools": [{"parameters": {}}]}, "bad_tools"),
        ({"conversations": [{"from": "crowd", "value": "x"}]}, "unknown_role"),
        ({"conversations": [{"from": "human", "value": 3}]}, "bad_turn"),
        ({"responses_create_params": {}}, "no_messages"),
        ({"responses_create_params": {"input": [{"type": "riddle"}]}}, "bad_turn"),
        ({"instruction": "x", "output": 3}, "bad_turn"),
        ([1, 2], "not_an_object"),
    ],
)
def test_records_that_cannot_be_used_are_left_out_with_the_reason(
    record: object, reason: str
) -> None:
    done = fill_bytes(lines({"messages": []}, record, prompt()))
    assert done.reasons == {reason: 1}
    assert done.dropped[0]["record"] == record
    assert len(done.rows) == 2


def test_a_refused_key_ends_the_run_at_once() -> None:
    answers = Answers(lambda _: Failure.UNAUTHORISED)
    with pytest.raises(StageError, match="refuses the key"):
        fill_bytes(lines(*(prompt(str(number)) for number in range(5000))), answers)
    assert len(answers.asked) < 5000


def test_an_endpoint_that_never_answers_ends_the_run() -> None:
    answers = Answers(lambda _: Failure.NETWORK)
    with pytest.raises(StageError, match="cannot be reached"):
        fill_bytes(lines(*(prompt(str(number)) for number in range(5000))), answers)


def test_a_broken_connection_among_answers_ends_nothing() -> None:
    chance = random.Random(7)  # noqa: S311  # nothing secret is drawn
    answers = Answers(lambda r: Failure.NETWORK if chance.random() < 0.1 else echo(r))
    done = fill_bytes(lines(*(prompt(str(number)) for number in range(2000))), answers)
    assert done.report.filled + done.reasons["network"] == 2000
    assert done.reasons["network"] > 100
    assert done.report.retryable == done.reasons


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({"first": 2}, [2, 3, 4]),
        ({"last": 2}, [0, 1]),
        ({"first": 1, "last": 3}, [1, 2]),
        ({"first": 9}, []),
    ],
)
def test_ranges_count_records_from_zero_without_their_end(
    choices: dict[str, Any], expected: list[int]
) -> None:
    done = fill_bytes(lines(*(prompt(n=number) for number in range(5))), **choices)
    assert [row["n"] for row in done.rows] == expected


def test_no_more_records_are_held_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "FEWEST_HELD", 8)
    answers = Answers(patience=lambda number: 500 if number == 0 else 0)
    done = fill_bytes(lines(*(prompt(str(n)) for n in range(100))), answers, concurrency=0)
    assert len(done.rows) == 100
    assert answers.most_at_once <= 9


def test_an_error_that_nobody_foresaw_leaves_out_one_record_and_says_its_kind() -> None:
    def reply(request: CompletionRequest) -> Reply:
        if request.messages[0]["content"] == "bad":
            raise KeyError(request.messages[0]["content"])
        return echo(request)

    done = fill_bytes(lines(prompt("a"), prompt("bad"), prompt("c")), Answers(reply))
    assert len(done.rows) == 2
    assert [(item["reason"], item["detail"]) for item in done.dropped] == [
        ("unexpected", "KeyError")
    ]


def test_a_key_that_is_refused_after_answers_came_costs_that_record_alone() -> None:
    def reply(request: CompletionRequest) -> Reply:
        is_bad = request.messages[0]["content"] == "bad"
        return Failure.UNAUTHORISED if is_bad else echo(request)

    content = lines(prompt("a"), prompt("bad"), prompt("c"))
    done = fill_bytes(content, Answers(reply))
    assert done.reasons == {"unauthorised": 1}
    assert len(done.rows) == 2
    with pytest.raises(StageError, match="refuses the key"):
        fill_bytes(lines(prompt("bad"), prompt("a")), Answers(reply))
