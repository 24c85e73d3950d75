"""Files of every shape that people have, through the command: bytes in, bytes out.

The texts are made up; their layouts are those of ShareGPT conversations, glaive's tool calls, NeMo
Gym's rollouts, Nemotron's conversations, Alpaca's instructions, and of files that only look like
records.
`«…»` marks a place that is to be filled, and what stands there before.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.command import Resonare
from tests.cli.records import left_out, rows
from tests.fake_openai.running import Running
from tests.fake_openai.script import Script

ANSWER = re.compile(r'"answer [0-9a-f]{16}"')
TOOL = r"{\"name\": \"find\", \"parameters\": {\"type\": \"object\"}}"

SHAREGPT_OBJECT = """{
  "conversations": [
    {
      "from": "human",
      "value": "how would you sort   this?"
    },
    {
      "from": "gpt",
      "value": «""»
    },
    {
      "from": "human",
      "value": "and in less memory?"
    },
    {
      "value": «null»,
      "from": "gpt",
      "weight": 1.0
    }
  ],
  "id": 12345678901234567890123
}
"""

GLAIVE_ARRAY = f"""[
  {{
    "conversations": [
      {{"from": "human", "value": "Find a recipe"}},
      {{"from": "function_call", "value": "{{\\"name\\": \\"find\\", \\"arguments\\": {{}}}}"}},
      {{"from": "observation", "value": "{{\\"found\\": [\\"soup\\"]}}"}},
      {{"from": "gpt", "value": «""»}}
    ],
    "tools": "[{TOOL}]"
  }},
  {{
    "conversations": [
      {{"from": "human", "value": "hello \\ud83d\\ude00"}},
      {{"from": "gpt", "value": "there already"}}
    ],
    "tools": "[]"
  }}
]
"""

GYM_LINES = (
    r'{"id": 0, "responses_create_params": {"input": [{"content": "Plan: it\u2019s 1:45\u202fpm", '
    r'"role": "user"}, {"content": «""», "role": "assistant"}], "tools": [], "temperature": 0.60}, '
    r'"exp_cal_state": {"1": {"min_time": "10:00"}, "1": {}}}'
    "\n"
    r'{"responses_create_params":{"input":[{"role":"user","content":"q"},{"type":"reasoning",'
    r'"summary":[]},{"type":"message","role":"assistant","content":«null»}],'
    r'"instructions":"be brief"},"reward":1E+2}'
    "\n"
)

CHAT_LINES = (
    r'{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Tokyo?"}, '
    r'{"role": "assistant", "tool_calls": [{"id": "w_1", "type": "function", "function": {"name": '
    r'"w", "arguments": "{\"u\": \"c\"}"}}], "content": ""}, {"role": "tool", '
    r'"tool_call_id": "w_1", "content": "{\"t\": 72}"}, {"role": "assistant", "content": «""»}], '
    r'"used_in": ["a", "b"]}'
    "\n"
    r'{"uuid":"2","messages":[{"role":"user","content":"Find \u00e4 / ä \/ "},{"role":"assistant"'
    r',"content":«""»,"weight":0}],"license":"cc-by-4.0","score":1.50}  '
    "\n"
)

LAID_OUT_CHAT = """{
    "messages": [
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": «""»}
    ],
    "persona": "teacher"
}
{
    "messages": [{"role": "user", "content": "only asked"}],
    "persona": "pupil"
}
"""

ALPACA_ARRAY = """[
  {"instruction": "Add", "input": "1 and 2", "output": «""», "n": 1},
  {"instruction": "Greet", "input": "", "output": "Hello."}
]
"""

SHAPES = {
    "sharegpt.json": SHAREGPT_OBJECT,
    "glaive.json": GLAIVE_ARRAY,
    "gym.jsonl": GYM_LINES,
    "chat.jsonl": CHAT_LINES,
    "laid_out.json": LAID_OUT_CHAT,
    "alpaca.json": ALPACA_ARRAY,
}

NO_CONVERSATIONS = {
    "batch.jsonl": '{"custom_id":"2","request":{"contents":[{"parts":[{"text":"q"}]}]}}\n',
    "seeds.jsonl": '{"customer":"Priya","issue":"late"}\n{"customer":"Marcus","issue":"broken"}\n',
    "tree.jsonl": '{"message_id": "m1", "parent_id": null, "text": "q", "role": "prompter", '
    '"replies": [{"text": "a", "role": "assistant", "replies": []}]}\n',
}


def before(shape: str) -> str:
    return shape.replace("«", "").replace("»", "")


def after(shape: str) -> str:
    return re.sub("«[^»]*»", '"ANSWER"', shape)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", SHAPES)
def test_only_the_places_that_are_filled_differ_from_the_input(
    name: str, resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(tool_calls=False))
    (project / name).write_text(before(SHAPES[name]))
    done = resonare("fill", name, "-o", f"out{Path(name).suffix}")
    assert done.code == 0, done.err
    out = (project / f"out{Path(name).suffix}").read_text()
    places = SHAPES[name].count("«")
    assert len(set(ANSWER.findall(out))) == places  # each turn has an answer of its own
    assert ANSWER.sub('"ANSWER"', out) == after(SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_what_was_filled_passes_through_byte_for_byte_and_asks_nothing(
    name: str, resonare: Resonare, project: Path, server: Running
) -> None:
    text = after(SHAPES[name])
    (project / name).write_text(text)
    answered = len(server.journal())
    assert resonare("fill", name, "-o", f"out{Path(name).suffix}").code == 0
    assert (project / f"out{Path(name).suffix}").read_text() == text
    assert len(server.journal()) == answered


@pytest.mark.usefixtures("server")
def test_records_of_an_array_become_lines_with_each_value_as_it_was(
    resonare: Resonare, project: Path
) -> None:
    (project / "in.json").write_text(before(ALPACA_ARRAY))
    done = resonare("fill", "in.json")
    first, second = done.out.splitlines()
    kept, _, _ = first.partition('"answer ')
    assert kept == '{"instruction": "Add", "input": "1 and 2", "output": '
    assert second == '{"instruction": "Greet", "input": "", "output": "Hello."}'


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", NO_CONVERSATIONS)
def test_what_is_no_conversation_stands_whole_among_what_is_left_out(
    name: str, resonare: Resonare, project: Path
) -> None:
    (project / name).write_text(NO_CONVERSATIONS[name])
    done = resonare("fill", name, "-o", "out.jsonl")
    assert done.code == 1
    assert "no_messages, the first: line 1: none of messages, conversations" in done.err
    assert (project / "out.jsonl").read_bytes() == b""
    kept = rows(project / "out.jsonl.dropped.jsonl")
    assert [row["record"] for row in kept] == rows(project / name)


def table() -> pa.Table:
    """Return rows of Parquet with what JSON does not have, two of them to be filled."""
    turn = pa.struct([("role", pa.string()), ("content", pa.string()), ("weight", pa.float32())])
    user = {"role": "user", "content": "q", "weight": None}
    said = {"role": "assistant", "content": "there", "weight": float("nan")}
    open_ = {"role": "assistant", "content": "", "weight": 0.1}
    null = {"role": "assistant", "content": None, "weight": None}
    return pa.table(
        {
            "image": pa.array([b"\xff\x00", b"", None], pa.binary()),
            "messages": pa.array([[user, open_], [user, said], [user, said, user, null]],
                                 pa.large_list(turn)),
            "at": pa.array([1, 2**60 + 1, None], pa.timestamp("ns", "UTC")),
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )  # fmt: skip


@pytest.mark.usefixtures("server")
def test_parquet_keeps_its_schema_and_every_value_beside_the_answers(
    resonare: Resonare, project: Path
) -> None:
    given = table().replace_schema_metadata({"owner": "somebody"})
    pq.write_table(given, project / "in.parquet")
    done = resonare("fill", "in.parquet", "-o", "out.parquet")
    assert done.code == 0, done.err
    found = pq.read_table(project / "out.parquet")
    stored = pq.read_table(project / "in.parquet")
    assert found.schema.equals(stored.schema, check_metadata=True)
    assert found.drop_columns("messages").equals(stored.drop_columns("messages"))
    turns, old = found["messages"].to_pylist(), stored["messages"].to_pylist()
    for row, turn in ((0, 1), (2, 3)):
        assert ANSWER.fullmatch(json.dumps(turns[row][turn]["content"]))
        turns[row][turn]["content"] = old[row][turn]["content"]
    assert repr(turns) == repr(old)  # NaN is not equal to itself


@pytest.mark.usefixtures("server")
def test_parquet_without_conversations_is_left_out_row_for_row(
    resonare: Resonare, project: Path
) -> None:
    content: dict[str, list[Any]] = {"question": ["q1", "q2"], "image": [b"\x00", b"\xff"]}
    pq.write_table(pa.table(content), project / "in.parquet")
    assert resonare("fill", "in.parquet", "-o", "out.parquet").code == 1
    found = pq.read_table(project / "out.parquet")
    assert (found.num_rows, found.schema.names) == (0, ["question", "image"])
    assert left_out(project / "out.parquet") == [(0, "no_messages"), (1, "no_messages")]
    kept = [row["record"] for row in rows(project / "out.parquet.dropped.jsonl")]
    assert [row["question"] for row in kept] == content["question"]
    assert [base64.b64decode(row["image"]) for row in kept] == content["image"]


@pytest.mark.usefixtures("server")
def test_a_call_of_a_tool_is_put_in_and_all_else_stays_byte_for_byte(
    resonare: Resonare, project: Path
) -> None:
    turns = '[{"role": "user", "content": "q"}, {"role": "assistant", "content": ""'
    tools = '"tools": [{"type": "function", "function": {"name": "f"}}], "score": 1.50}\n'
    (project / "in.jsonl").write_text(f'{{"messages": {turns}}}], {tools}')
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    out = (project / "out.jsonl").read_text()
    assert out.startswith(f'{{"messages": {turns}, "tool_calls": [')
    assert out.endswith(f"}}], {tools}")
    (call,) = json.loads(out)["messages"][1]["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": '{"x": 1}'}
