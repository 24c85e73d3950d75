"""The Responses API's shape: `{"responses_create_params": {"input": […], "tools": […]}}`.

As NeMo Gym writes it. Tools are flat there, and calls and their results are items of their own.
"""

from typing import Any

from resonare_pipeline.records.openai_messages import is_empty, join_calls, to_message, to_tools
from resonare_pipeline.records.prompts import ASSISTANT, TOOL, Answer, Message, Prompt, Turn
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.shapes.messages import as_list, role_edits
from resonare_pipeline.records.spans import Edit, Path, encode, find

PARAMETERS = "responses_create_params"
_PART_TYPES = {"input_text": "text", "output_text": "text"}


class ResponsesShape:
    """Items of a request to the Responses API."""

    name = "responses"

    def fits(self, record: dict[str, Any]) -> bool:
        """Tell whether there are parameters of the Responses API."""
        return record.get(PARAMETERS) is not None

    def read(self, record: dict[str, Any]) -> Prompt:
        """Return turns and tools; `instructions` are a system turn, reasoning items no turn."""
        parameters = record[PARAMETERS]
        if not isinstance(parameters, dict) or parameters.get("input") is None:
            raise UnusableRecordError(DropReason.NO_MESSAGES, f"{PARAMETERS} holds no input")
        items = parameters["input"]
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        turns: list[Turn] = []
        if isinstance(instructions := parameters.get("instructions"), str) and instructions:
            message = {"role": "system", "content": instructions}
            turns.append(Turn(message=message, path=(PARAMETERS, "instructions")))
        for number, item in enumerate(as_list(items, "input")):
            _add(turns, item, (PARAMETERS, "input", number))
        join_calls([turn.message for turn in turns])
        return Prompt(shape=self, turns=tuple(turns), tools=to_tools(parameters.get("tools")))

    def edits(self, text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
        """Return what an answer changes: calls are items behind the message, or in its place."""
        if not answer.tool_calls:
            return role_edits(text, turn, answer)
        span = find(text, turn.path)
        if span is None:
            raise UnusableRecordError(DropReason.BAD_TURN, "the turn is not there")
        items: list[dict[str, Any]] = []
        if answer.content:
            items.append({"role": ASSISTANT, "content": answer.content})
        items += [
            {
                "type": "function_call",
                "call_id": call["id"],
                "name": call["function"]["name"],
                "arguments": call["function"]["arguments"],
            }
            for call in answer.tool_calls
        ]
        if answer.reasoning:
            items[0]["reasoning_content"] = answer.reasoning
        return [Edit(span, b", ".join(map(encode, items)))]


def _add(turns: list[Turn], item: Any, path: Path) -> None:
    """Add an item's turn; calls that follow one another are one message."""
    kind = item.get("type", "message") if isinstance(item, dict) else "message"
    match kind:
        case "message":
            message = _plain_parts(to_message(item))
            turns.append(Turn(message=message, path=path, is_empty=is_empty(message)))
        case "function_call":
            call = {
                "id": item.get("call_id"),
                "type": "function",
                "function": {"name": item.get("name"), "arguments": item.get("arguments", "{}")},
            }
            message = to_message({"role": ASSISTANT, "tool_calls": [call]})
            if turns and "tool_calls" in turns[-1].message:
                turns[-1].message["tool_calls"] += message["tool_calls"]
            else:
                turns.append(Turn(message=message, path=path))
        case "function_call_output":
            result = {"role": TOOL, "content": item.get("output")}
            message = to_message({**result, "tool_call_id": item.get("call_id")})
            turns.append(Turn(message=message, path=path))
        case "reasoning":
            return
        case _:
            raise UnusableRecordError(DropReason.BAD_TURN, "an item of an unknown type")


def _plain_parts(message: Message) -> Message:
    """Return a message whose parts have the names of the chat completions API."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [
        {**part, "type": _PART_TYPES.get(part.get("type", "text"), part.get("type"))}
        if isinstance(part, dict)
        else part
        for part in content
    ]
    return {**message, "content": parts}
