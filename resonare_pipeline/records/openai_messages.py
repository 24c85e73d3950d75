"""OpenAI's messages and tools out of what records hold: roles checked, calls given ids, keys kept.

Only what the chat completions API knows is sent: `weight`, reasoning and a source's own keys stay
in the record.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from resonare_pipeline.records.calls import from_text, kind_of, to_calls
from resonare_pipeline.records.prompts import ASSISTANT, TOOL, Message
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError

ROLES = frozenset({"system", "developer", "user", ASSISTANT, TOOL, "function"})
_SENT = ("content", "name", "tool_calls", "tool_call_id", "function_call", "refusal")


def is_blank(content: Any) -> bool:
    """Tell whether content says nothing: null, an empty text, or parts that are all empty texts."""
    if isinstance(content, list):
        return all(
            isinstance(part, dict) and part.get("text") in ("", None) and _is_text(part)
            for part in content
        )
    return content is None or content == ""


def _is_text(part: Mapping[str, Any]) -> bool:
    return str(part.get("type", "text")).endswith("text")


def is_empty(message: Message) -> bool:
    """Tell whether a message is an assistant's that neither says, calls nor refuses anything."""
    said = any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
    return message["role"] == ASSISTANT and not said and is_blank(message.get("content"))


def to_message(turn: Any) -> Message:
    """Return a turn with `role` and `content` as it is sent.

    Raises:
        UnusableRecordError: If it is no turn.
    """
    if not isinstance(turn, dict):
        raise UnusableRecordError(DropReason.BAD_TURN, f"a turn is {kind_of(turn)} and no object")
    role = known_role(turn.get("role"))
    message: Message = {"role": role}
    message |= {key: turn[key] for key in _SENT if turn.get(key) is not None}
    content = turn.get("content")
    if not isinstance(content, str | list | None):
        raise UnusableRecordError(DropReason.BAD_TURN, f"content is {kind_of(content)}")
    message.setdefault("content", content)
    if "tool_calls" in message:
        message["tool_calls"] = to_calls(message["tool_calls"])
        if not message["tool_calls"]:
            del message["tool_calls"]
    return message


def known_role(role: Any) -> str:
    """Return a role of OpenAI's.

    Raises:
        UnusableRecordError: If it is none.
    """
    if not isinstance(role, str) or role not in ROLES:
        shown = repr(role) if isinstance(role, str) and len(role) < 40 else kind_of(role)
        raise UnusableRecordError(DropReason.UNKNOWN_ROLE, f"unknown role {shown}")
    return role


def join_calls(messages: Sequence[Message]) -> None:
    """Give calls that have no id one, and results the id of the call that they answer."""
    open_ids: list[str] = []
    for number, message in enumerate(messages):
        if message["role"] == TOOL:
            given = message.get("tool_call_id")
            if given in open_ids:
                open_ids.remove(given)
            elif given is None and open_ids:
                message["tool_call_id"] = open_ids.pop(0)
            continue
        open_ids = []
        for index, call in enumerate(message.get("tool_calls", ())):
            call.setdefault("id", f"call_{number}_{index}")
            open_ids.append(call["id"])


def to_tools(tools: Any) -> tuple[dict[str, Any], ...]:
    """Return tools as OpenAI has them, from a list or its JSON, flat or nested.

    Raises:
        UnusableRecordError: If they are no tools.
    """
    tools = from_text(tools, DropReason.BAD_TOOLS)
    if not tools:
        return ()
    if not isinstance(tools, list):
        raise UnusableRecordError(DropReason.BAD_TOOLS, f"tools are {kind_of(tools)} and no list")
    return tuple(map(_to_tool, tools))


def _to_tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, dict):
        raise UnusableRecordError(DropReason.BAD_TOOLS, f"a tool is {kind_of(tool)} and no object")
    if isinstance(tool.get("function"), dict):
        return {"type": "function", **tool}
    if not isinstance(tool.get("name"), str):
        raise UnusableRecordError(DropReason.BAD_TOOLS, "a tool has no name")
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}
