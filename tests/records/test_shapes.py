import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.completions.requests import CompletionRequest
from tests.records.answering import Answers, Reply
from tests.records.making import fill_bytes, lines, prompt

CALL = {
    "id": "call_9",
    "type": "function",
    "function": {"name": "lookup", "arguments": '{"q": "x", "n": 1}'},
}
CALLING: Reply = {"content": None, "tool_calls": [CALL]}
TOOL = {"name": "lookup", "description": "d", "parameters": {"type": "object"}}
NESTED = {"type": "function", "function": TOOL}


def filled(record: dict[str, Any], reply: Reply = "said") -> tuple[dict[str, Any], Answers]:
    answers = Answers(lambda _: reply)
    (row,) = fill_bytes(lines(record), answers).rows
    return row, answers


def sharegpt(*turns: tuple[str, str | None], **more: Any) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": what} for who, what in turns], **more}


def test_sharegpt_keeps_its_keys_and_asks_in_openai_roles() -> None:
    record = sharegpt(("system", "s"), ("human", "q"), ("gpt", ""), id=3)
    row, answers = filled(record)
    assert row == sharegpt(("system", "s"), ("human", "q"), ("gpt", "said"), id=3)
    assert [m["role"] for m in answers.asked[0].messages] == ["system", "user"]


def test_sharegpt_calls_and_observations_become_calls_and_results() -> None:
    call = '{"name": "lookup", "arguments": {"q": "x"}}'
    record = sharegpt(
        ("human", "q"),
        ("function_call", call),
        ("observation", "42"),
        ("gpt", ""),
        tools=json.dumps([TOOL]),
        system="be brief",
    )
    row, answers = filled(record)
    asked = answers.asked[0]
    assert row["conversations"][3] == {"from": "gpt", "value": "said"}
    assert asked.tools == (NESTED,)
    assert asked.messages[0] == {"role": "system", "content": "be brief"}
    (called,) = asked.messages[2]["tool_calls"]
    assert json.loads(called["function"]["arguments"]) == {"q": "x"}
    assert asked.messages[3] == {"role": "tool", "content": "42", "tool_call_id": called["id"]}


def test_sharegpt_stores_a_call_as_a_turn_of_its_own_kind() -> None:
    row, _ = filled(sharegpt(("human", "q"), ("gpt", None)), CALLING)
    turn = row["conversations"][1]
    assert turn["from"] == "function_call"
    assert json.loads(turn["value"]) == {"name": "lookup", "arguments": {"q": "x", "n": 1}}


def test_conversations_of_role_and_content_are_filled_as_messages_are() -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]
    row, _ = filled({"conversations": turns})
    assert row == {"conversations": [turns[0], {"role": "assistant", "content": "said"}]}


def responses(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"responses_create_params": {"input": list(items), **more}, "uuid": "u"}


def test_responses_items_are_asked_as_messages_and_tools_nested() -> None:
    record = responses(
        {"role": "user", "content": [{"type": "input_text", "text": "q"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "lookup", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "message", "role": "assistant", "content": ""},
        tools=[{"type": "function", **TOOL}],
        instructions="be brief",
    )
    row, answers = filled(record)
    asked = answers.asked[0]
    assert [m["role"] for m in asked.messages] == ["system", "user", "assistant", "tool"]
    assert asked.messages[1]["content"] == [{"type": "text", "text": "q"}]
    assert asked.messages[3]["tool_call_id"] == "c"
    assert asked.tools == (NESTED,)
    expected = json.loads(json.dumps(record))
    expected["responses_create_params"]["input"][4]["content"] = "said"
    assert row == expected


def test_responses_store_a_call_as_an_item() -> None:
    record = responses({"role": "user", "content": "q"}, {"role": "assistant", "content": None})
    row, _ = filled(record, CALLING)
    assert row["responses_create_params"]["input"][1] == {
        "type": "function_call",
        "call_id": "call_9",
        "name": "lookup",
        "arguments": CALL["function"]["arguments"],  # type: ignore[index]
    }


def test_alpaca_fills_output_after_history_and_system() -> None:
    record = {
        "instruction": "do",
        "input": "this",
        "output": "",
        "system": "s",
        "history": [["q", "a"]],
    }
    row, answers = filled(record)
    assert row == {**record, "output": "said"}
    assert [m["content"] for m in answers.asked[0].messages] == ["s", "q", "a", "do\nthis"]


def test_alpaca_keeps_a_call_beside_its_output_and_is_filled_then() -> None:
    row, _ = filled({"instruction": "do", "output": ""}, CALLING)
    assert row["tool_calls"] == [CALL]
    again, answers = filled(row)
    assert again == row
    assert not answers.asked


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "said"),
        (None, "said"),
        ([], [{"type": "text", "text": "said"}]),
        ([{"type": "text", "text": ""}], [{"type": "text", "text": "said"}]),
    ],
)
def test_each_way_to_say_nothing_is_filled_in_its_own_manner(content: Any, expected: Any) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": content}]
    row, _ = filled({"messages": turns})
    assert row["messages"][1]["content"] == expected


def test_content_in_parts_is_sent_in_parts() -> None:
    parts = [
        {"type": "text", "text": "what is it"},
        {"type": "image_url", "image_url": {"url": "x"}},
    ]
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": ""}]
    _, answers = filled({"messages": turns})
    assert answers.asked[0].messages[0]["content"] == parts


def test_a_refusal_is_an_answer() -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "refusal": "no"}]
    _, answers = filled({"messages": turns})
    assert not answers.asked


def test_only_the_turn_changes_in_a_line_whatever_stands_around_it() -> None:
    before = (
        b'{"n":1.0, "big" : 123456789012345678901234567890,"e":"\\u00e9\\/", "e":2 ,'
        b'"messages":[ {"role":"user","content":"a\\tb"},{"content":"" , "role":"assistant"}],'
        b'"x":NaN,"z":1E5}\r\n'
    )
    done = fill_bytes(before, Answers(lambda _: 'é"\n'))
    assert done.out == before.replace(b'"content":"" ,', '"content":"é\\"\\n" ,'.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    more=st.dictionaries(st.text().filter(lambda key: key not in ("messages", "tools")), JSON),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
    answer=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_any_record_is_changed_only_where_it_is_filled(
    more: dict[str, Any], indent: int | None, ascii_only: bool, answer: str
) -> None:
    for key in ("functions", "conversations", "responses_create_params", "instruction"):
        more.pop(key, None)
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]
    record = {**more, "messages": turns, "license": "l"}
    text = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    done = fill_bytes(b"[" + content + b"]", Answers(lambda _: answer))
    turns[1]["content"] = answer
    assert done.rows == [record]
    assert list(done.rows[0]) == list(record)


OWN = {"functions", "conversations", "responses_create_params", "instruction", "input", "output"}
"""Keys by which a record may be of another shape, or hold tools that are none."""


@given(
    st.lists(
        st.dictionaries(st.text().filter(lambda key: key not in OWN), JSON), min_size=1, max_size=5
    ),
    st.booleans(),
)
def test_lines_without_empty_turns_come_out_byte_for_byte(
    others: list[dict[str, Any]], ascii_only: bool
) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    records = [{**other, "messages": turns, "tools": None} for other in others]
    texts = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    content = "".join(f"{text}\n" for text in texts).encode(errors="replace")
    assert fill_bytes(content).out == content


@pytest.mark.parametrize(
    "calls",
    [5, "no JSON", [{"id": "c"}], [{"id": "c", "function": {}}], [None], {"function": "f"}],
)
@pytest.mark.parametrize("shape", ["messages", "sharegpt", "responses", "alpaca"])
def test_calls_that_are_none_leave_their_record_out_and_the_others_go_on(
    shape: str, calls: Any
) -> None:
    records = {
        "messages": prompt("bad"),
        "sharegpt": sharegpt(("human", "bad"), ("gpt", "")),
        "responses": {
            "responses_create_params": {
                "input": [{"role": "user", "content": "bad"}, {"role": "assistant", "content": ""}]
            }
        },
        "alpaca": {"instruction": "bad", "output": ""},
    }

    def reply(request: CompletionRequest) -> Reply:
        is_bad = request.messages[0]["content"] == "bad"
        return {"content": None, "tool_calls": calls} if is_bad else "said"

    done = fill_bytes(lines(prompt("a"), records[shape], prompt("b")), Answers(reply))
    assert done.reasons == {"bad_answer": 1}
    assert len(done.rows) == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"arguments": {"q": 1}}, '{"q":1}'), ({}, "{}"), ({"arguments": None}, "{}")],
)
@pytest.mark.parametrize("is_list", [True, False])
def test_arguments_that_are_no_text_become_one_and_a_call_without_an_id_gets_one(
    arguments: dict[str, Any], text: str, *, is_list: bool
) -> None:
    call = {"function": {"name": "lookup", **arguments}}
    reply: Reply = {"content": None, "tool_calls": [call] if is_list else call}
    items = [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]
    row, _ = filled({"responses_create_params": {"input": items}}, reply)
    (item,) = row["responses_create_params"]["input"][1:]
    assert item == {
        "type": "function_call",
        "call_id": "call_1_0",
        "name": "lookup",
        "arguments": text,
    }


@pytest.mark.parametrize(
    ("record", "turn"),
    [
        (sharegpt(("human", "q"), ("gpt", "")), lambda row: row["conversations"][1]["value"]),
        ({"instruction": "q", "output": ""}, lambda row: row["output"]),
    ],
)
def test_content_in_parts_is_one_text_where_only_text_has_a_place(record: Any, turn: Any) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    row, _ = filled(record, {"content": parts})
    assert turn(row) == "ab"


def test_calls_that_are_an_empty_text_are_none() -> None:
    record = prompt()
    record["messages"][1]["tool_calls"] = ""
    row, _ = filled(record)
    assert row["messages"][1]["content"] == "said"
