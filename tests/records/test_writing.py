import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resonare_pipeline.errors import InputError
from resonare_pipeline.records.arrow_types import extend, fit
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.reasons import UnusableRecordError
from tests.records.answering import Answers, echo
from tests.records.making import fill_bytes, lines, prompt

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TURN = pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())])


def parquet(rows: list[dict[str, Any]], schema: pa.Schema) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), stream)
    return stream.getvalue()


def table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


def schema_of(*fields: tuple[str, pa.DataType], **metadata: str) -> pa.Schema:
    return pa.schema([("messages", pa.list_(TURN)), *fields], metadata=metadata or None)


def test_json_stays_json_with_each_record_as_it_is_laid_out() -> None:
    content = json.dumps([prompt("a", n=1.0), prompt("b")], indent=2).encode()
    done = fill_bytes(content, to=Format.JSON)
    expected = [prompt("a", n=1.0), prompt("b")]
    for record, said in zip(expected, "ab", strict=True):
        record["messages"][1]["content"] = f"answer to {said}"
    assert json.loads(done.out) == expected
    assert b'"n": 1.0' in done.out


def test_a_single_object_stays_one() -> None:
    done = fill_bytes(json.dumps(prompt(), indent=2).encode(), to=Format.JSON)
    assert json.loads(done.out)["messages"][1]["content"] == "answer to hello"


def test_nothing_left_is_an_empty_array() -> None:
    assert json.loads(fill_bytes(b"[{}]", to=Format.JSON).out) == []


def test_parquet_keeps_its_schema_rows_and_other_columns() -> None:
    schema = schema_of(("when", pa.timestamp("ns")), ("raw", pa.binary()), made_by="me")
    rows = [
        {**prompt(str(n)), "when": dt.datetime(2024, 1, 1), "raw": b"\xff\x00"}  # noqa: DTZ001
        for n in range(700)
    ]
    content = parquet(rows, schema)
    written = table(fill_bytes(content, to=Format.PARQUET).out)
    assert written.schema.equals(table(content).schema, check_metadata=True)
    assert written.drop_columns("messages").equals(table(content).drop_columns("messages"))
    assert [turns[1]["content"] for turns in written["messages"].to_pylist()] == [
        f"answer to {n}" for n in range(700)
    ]


def test_nulls_that_arrow_put_in_are_not_sent() -> None:
    tools = pa.list_(
        pa.struct([("name", pa.string()), ("parameters", pa.struct([("type", pa.string())]))])
    )
    rows = [{**prompt(), "tools": [{"name": "f", "parameters": None}]}]
    done = fill_bytes(parquet(rows, schema_of(("tools", tools))), to=Format.PARQUET)
    asked = done.answers.asked[0]
    assert asked.messages == ({"role": "user", "content": "hello"},)
    assert asked.tools == ({"type": "function", "function": {"name": "f"}},)


def test_parquet_gets_new_fields_only_where_answers_need_them() -> None:
    def reply(request: Any) -> Any:
        if request.messages[0]["content"] == "call":
            return {"content": None, "tool_calls": [CALL], "reasoning_content": "thought"}
        return echo(request)

    schema = schema_of(("n", pa.int64()), huggingface="{}", other="kept")
    rows = [prompt("say", n=1), prompt("call", n=2), {"messages": None, "n": 3}, prompt("x", n=4)]
    done = fill_bytes(parquet(rows, schema), Answers(reply), to=Format.PARQUET)
    written = table(done.out)
    assert written["n"].to_pylist() == [1, 2, 4]
    assert done.reasons == {"no_messages": 1}
    turn = written["messages"][1].as_py()[1]
    assert (turn["content"], turn["tool_calls"], turn["reasoning_content"]) == (
        "",
        [CALL],
        "thought",
    )
    assert written["messages"][0].as_py()[1]["tool_calls"] is None
    assert written.schema.metadata == {b"other": b"kept"}


def test_an_answer_without_a_place_in_its_column_leaves_the_record_out() -> None:
    turn = pa.struct(
        [("role", pa.string()), ("content", pa.string()), ("tool_calls", pa.list_(pa.int64()))]
    )
    schema = pa.schema([("messages", pa.list_(turn))])
    answers = Answers(lambda _: {"content": None, "tool_calls": [CALL]})
    done = fill_bytes(parquet([prompt()], schema), answers, to=Format.PARQUET)
    assert done.reasons == {"does_not_fit": 1}
    assert table(done.out).num_rows == 0


def test_parquet_becomes_json_lines_with_bytes_and_times_as_text() -> None:
    schema = schema_of(("when", pa.timestamp("us")), ("raw", pa.binary()))
    rows = [{**prompt(), "when": dt.datetime(2024, 1, 2), "raw": b"hi"}]  # noqa: DTZ001
    (row,) = fill_bytes(parquet(rows, schema)).rows
    assert row["when"].startswith("2024-01-02")
    assert row["raw"] == "aGk="
    assert row["messages"][1]["content"] == "answer to hello"


def test_json_becomes_parquet_with_turns_as_structs_and_the_rest_as_json() -> None:
    records = [
        prompt("a", n=1, meta={"deep": [1]}, tags=["x"], tools=[{"name": "f"}]),
        prompt("b", n=2.5, more=True, big=2**70),
        prompt("c", n=None, meta=None),
    ]
    written = table(fill_bytes(lines(*records), to=Format.PARQUET).out)
    assert written.schema.field("messages").type == pa.list_(
        pa.struct([("role", pa.string()), ("content", pa.string())])
    )
    assert written["n"].to_pylist() == [1.0, 2.5, None]
    assert written["meta"].to_pylist() == ['{"deep":[1]}', None, None]
    assert written["tags"].to_pylist() == [["x"], None, None]
    assert json.loads(written["tools"][0].as_py()) == [{"name": "f"}]
    assert written["big"].to_pylist() == [None, str(2**70), None]


def test_parquet_made_from_json_can_be_filled_again() -> None:
    records = [prompt("a", tools=[{"type": "function", "function": {"name": "f"}}])]
    made = fill_bytes(lines(*records), to=Format.PARQUET).out
    again = fill_bytes(made, to=Format.PARQUET)
    assert not again.answers.asked
    assert table(again.out).equals(table(made))


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_parquet_that_is_none_is_an_error(content: bytes) -> None:
    with pytest.raises(InputError, match="not a Parquet file"):
        fill_bytes(content)


@pytest.mark.parametrize(
    "turns",
    [pa.large_list(TURN), pa.list_(TURN, 2), pa.list_(TURN)],
    ids=["large", "fixed", "plain"],
)
def test_calls_and_reasoning_get_fields_in_lists_of_every_kind(turns: pa.DataType) -> None:
    answers = Answers(
        lambda _: {"content": None, "tool_calls": [CALL], "reasoning_content": "thought"}
    )
    content = parquet([prompt()], pa.schema([("messages", turns)]))
    written = table(fill_bytes(content, answers, to=Format.PARQUET).out)
    turn = written["messages"][0].as_py()[1]
    assert (turn["tool_calls"], turn["reasoning_content"]) == ([CALL], "thought")
    assert type(written.schema.field("messages").type) is type(turns)


@pytest.mark.parametrize("make", [pa.list_view, pa.large_list_view])
def test_list_views_are_extended_as_lists_are(make: Any) -> None:
    inner = pa.struct([("a", pa.string())])
    kind = extend(make(inner), [{"a": "x", "b": 1}])
    assert kind == make(pa.struct([("a", pa.string()), ("b", pa.int64())]))
    assert fit([{"a": "x", "b": 1}], kind) == [{"a": "x", "b": 1}]


def test_a_member_without_a_field_is_never_lost_silently() -> None:
    with pytest.raises(UnusableRecordError, match="no field"):
        fit({"a": "x", "b": 1}, pa.struct([("a", pa.string())]))


def test_what_json_cannot_hold_stays_as_it_is_beside_an_answer_in_the_same_turns() -> None:
    turn = pa.struct(
        [
            ("role", pa.string()),
            ("content", pa.string()),
            ("image", pa.binary()),
            ("score", pa.float64()),
            ("at", pa.timestamp("us", tz="UTC")),
        ]
    )
    at = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    row = prompt()
    for said in row["messages"]:
        said.update(image=b"\xff\x00", score=float("inf"), at=at)
    content = parquet([row], pa.schema([("messages", pa.list_(turn))]))
    done = fill_bytes(content, to=Format.PARQUET)
    assert done.reasons == {}
    row["messages"][1]["content"] = "answer to hello"
    assert table(done.out).to_pylist() == [row]


def test_items_that_take_an_answers_place_leave_the_others_as_they_are() -> None:
    item = pa.struct([("role", pa.string()), ("content", pa.string()), ("image", pa.binary())])
    turns = [
        {"role": "user", "content": "q", "image": b"\xff"},
        {"role": "assistant", "content": "", "image": None},
        {"role": "user", "content": "more", "image": b"\xfe"},
    ]
    kind = pa.struct([("input", pa.list_(item))])
    content = parquet(
        [{"responses_create_params": {"input": turns}}],
        pa.schema([("responses_create_params", kind)]),
    )
    answers = Answers(lambda _: {"content": "said", "tool_calls": [CALL]})
    (row,) = table(fill_bytes(content, answers, to=Format.PARQUET).out).to_pylist()
    items = row["responses_create_params"]["input"]
    assert [item["image"] for item in items] == [b"\xff", None, None, b"\xfe"]
    assert [item["type"] for item in items] == [None, None, "function_call", None]
