"""Calls of tools, in OpenAI's form: those that records hold, and those that models make.

Models and their servers write what is none: calls without an id or a name, arguments that are no
text, one call where a list should be.
"""

from typing import Any

import msgspec

from resonare_pipeline.records.reasons import DropReason, UnusableRecordError


def to_calls(calls: Any) -> list[dict[str, Any]]:
    """Return tool calls as OpenAI has them, from a list or its JSON; arguments become text.

    An empty text is none.

    Raises:
        UnusableRecordError: If they are no calls.
    """
    calls = from_text(calls, DropReason.BAD_TURN)
    calls = [calls] if isinstance(calls, dict) else calls
    if calls is None:
        return []
    if not isinstance(calls, list):
        raise UnusableRecordError(DropReason.BAD_TURN, f"tool calls are {kind_of(calls)}")
    return [_to_call(call) for call in calls]


def _to_call(call: Any) -> dict[str, Any]:
    inner = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise UnusableRecordError(DropReason.BAD_TURN, "a tool call names no function")
    arguments = inner.get("arguments")
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    function = {"name": inner["name"], "arguments": arguments}
    named = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
    return {**named, "type": "function", "function": function}


def answered_calls(calls: Any, turn: int) -> tuple[dict[str, Any], ...]:
    """Return the calls of a model's answer; members that OpenAI does not know stay.

    Args:
        turn: Number of the turn, of which calls without an id get theirs.

    Raises:
        UnusableRecordError: If they are no calls.
    """
    try:
        known = to_calls(calls)
    except UnusableRecordError as error:
        raise UnusableRecordError(DropReason.BAD_ANSWER, error.found) from error
    given = calls if isinstance(calls, list) else known
    return tuple(
        {
            **(own if "function" in own else {}),
            **call,
            "id": call.get("id") or f"call_{turn}_{index}",
        }
        for index, (own, call) in enumerate(zip(given, known, strict=True))
    )


def from_text(value: Any, reason: DropReason) -> Any:
    """Return a value, decoded if it is JSON in a text; an empty text is nothing.

    Raises:
        UnusableRecordError: With the reason, if the text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value) if value.strip() else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnusableRecordError(reason, "a text that should be JSON and is not") from error


def kind_of(value: Any) -> str:
    """Return what a value of JSON is called, for people."""
    names = {
        type(None): "null",
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a truth value",
    }
    return names.get(type(value), "a number")
