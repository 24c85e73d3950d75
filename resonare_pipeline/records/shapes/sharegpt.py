"""ShareGPT's shape: `{"conversations": [{"from", "value"}], "system": "…", "tools": "…"}`.

Roles as LLaMA-Factory and axolotl read them; a call of tools is a turn `function_call` whose value
is JSON. Turns of `role` and `content` under the same name are taken too.
"""

from typing import Any

import msgspec

from resonare_pipeline.records.calls import to_calls
from resonare_pipeline.records.openai_messages import is_empty, join_calls, known_role, to_tools
from resonare_pipeline.records.prompts import ASSISTANT, TOOL, Answer, Message, Prompt, Turn
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.shapes.messages import as_list, role_edits, role_turns
from resonare_pipeline.records.spans import Edit, encode, find, set_members

TURNS = "conversations"
CALL = "function_call"
_ROLES = {
    "human": "user",
    "gpt": ASSISTANT,
    "chatgpt": ASSISTANT,
    "bing": ASSISTANT,
    "bard": ASSISTANT,
    "model": ASSISTANT,
    CALL: ASSISTANT,
    "observation": TOOL,
    "function_response": TOOL,
}


class ShareGptShape:
    """Turns of `from` and `value`."""

    name = "sharegpt"

    def fits(self, record: dict[str, Any]) -> bool:
        """Tell whether there are conversations."""
        return record.get(TURNS) is not None

    def read(self, record: dict[str, Any]) -> Prompt:
        """Return turns and tools; a system prompt beside them is a turn that is never filled."""
        items = as_list(record[TURNS], TURNS)
        if items and isinstance(items[0], dict) and "role" in items[0] and "from" not in items[0]:
            turns = role_turns(items, (TURNS,))
        else:
            messages = [_to_message(item) for item in items]
            join_calls(messages)
            turns = tuple(
                Turn(message=message, path=(TURNS, number), is_empty=is_empty(message))
                for number, message in enumerate(messages)
            )
        tools = to_tools(record.get("tools"))
        return Prompt(shape=self, turns=(*system_turn(record), *turns), tools=tools)

    def edits(self, text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
        """Return what an answer changes in a record's text."""
        span = find(text, turn.path)
        if span is None or find(text, (*turn.path, "from")) is None:
            return role_edits(text, turn, answer)
        values: dict[str, Any] = {"value": answer.text}
        if answer.tool_calls:
            values = {"from": CALL, "value": call_text(answer)}
        if answer.reasoning:
            values["reasoning_content"] = answer.reasoning
        return set_members(text, span, values)


def system_turn(record: dict[str, Any]) -> tuple[Turn, ...]:
    """Return the system prompt that stands beside a record's turns, if there is one."""
    system = record.get("system")
    if not isinstance(system, str) or not system:
        return ()
    return (Turn(message={"role": "system", "content": system}, path=("system",)),)


def call_text(answer: Answer) -> str:
    """Return calls as the text of one turn: an object, or a list of several."""
    calls = [
        {
            "name": call["function"]["name"],
            "arguments": _arguments(call["function"]["arguments"]),
        }
        for call in answer.tool_calls
    ]
    return encode(calls[0] if len(calls) == 1 else calls).decode()


def _arguments(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # models do write such; it is kept as it is
        return text


def _to_message(item: Any) -> Message:
    if not isinstance(item, dict):
        raise UnusableRecordError(DropReason.BAD_TURN, "a turn is no object")
    said, value = item.get("from"), item.get("value")
    role = known_role(_ROLES.get(said, said) if isinstance(said, str) else said)
    if not isinstance(value, str | None):
        raise UnusableRecordError(DropReason.BAD_TURN, "a turn's value is no text")
    if said == CALL and value:
        return {"role": role, "content": None, "tool_calls": to_calls(value)}
    return {"role": TOOL if role == "function" else role, "content": value}
