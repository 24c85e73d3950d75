"""Bodies of Anthropic's Messages API from and to OpenAI's shape. Pure functions, no network.

Source: the types of Anthropic's SDK (`MessageCreateParams`, `Message`, `StopReason`, `Usage`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from resonare_pipeline.completions.requests import Completion, CompletionRequest, Usage

DEFAULT_MAX_TOKENS = 4_096

FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "stop",
}
"""Anthropic's stop reasons in OpenAI's words; a refusal also stands in the message."""

THINKING_TOKENS: Mapping[str, int] = {
    "minimal": 1_024,
    "low": 1_024,
    "medium": 4_096,
    "high": 16_384,
}
"""OpenAI's `reasoning_effort` → Anthropic's thinking budget, which has no words for it."""

_TOOL_CHOICES: Mapping[str, str] = {"auto": "auto", "required": "any", "none": "none"}
_SKIPPED = frozenset(("max_completion_tokens", "reasoning_effort", "parallel_tool_calls", "n"))

Block = dict[str, Any]


def messages_body(request: CompletionRequest) -> dict[str, Any]:
    """Return the body that asks Anthropic what a request asks.

    Raises:
        ValueError: For a message whose role or part has no counterpart.
        KeyError: For a message that lacks what its role must have.
    """
    given = dict(request.parameters)
    body: dict[str, Any] = {
        "model": request.model,
        "messages": _turns(request.messages),
        "max_tokens": longest_answer(request.parameters),
    }
    given.pop("max_tokens", None)
    if system := _system(request.messages):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if (choice := given.pop("tool_choice", None)) is not None:
        body["tool_choice"] = _tool_choice(choice)
    if given.get("parallel_tool_calls") is False:
        body.setdefault("tool_choice", {"type": "auto"})["disable_parallel_tool_use"] = True
    if (stop := given.pop("stop", None)) is not None:
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if budget := _thinking_tokens(given):
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return body | {name: value for name, value in given.items() if name not in _SKIPPED}


def longest_answer(parameters: Mapping[str, Any]) -> int:
    """Return `max_tokens` as it is sent.

    Thinking counts as output, and the answer needs its own, so a budget for it comes on top.
    """
    asked = parameters.get("max_tokens") or parameters.get("max_completion_tokens")
    most: int = asked or DEFAULT_MAX_TOKENS
    return most + _thinking_tokens(parameters)


def _thinking_tokens(parameters: Mapping[str, Any]) -> int:
    if "thinking" in parameters:
        return 0  # it is sent as it is, and must fit into max_tokens
    return THINKING_TOKENS.get(str(parameters.get("reasoning_effort")), 0)


def _system(messages: Iterable[Mapping[str, Any]]) -> str:
    texts = (
        _text(message.get("content"))
        for message in messages
        if message["role"] in ("system", "developer")
    )
    return "\n\n".join(text for text in texts if text)


def _turns(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the turns; neighbouring ones of one role are merged, results of calls included."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] in ("system", "developer"):
            continue
        role, blocks = _turn(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _turn(message: Mapping[str, Any]) -> tuple[str, list[Block]]:
    match message["role"]:
        case "user":
            return "user", _blocks(message.get("content"))
        case "assistant":
            thought = list(message.get("thinking_blocks") or ())
            calls = [_call(call) for call in message.get("tool_calls") or ()]
            return "assistant", thought + _blocks(message.get("content")) + calls
        case "tool":
            result = {
                "type": "tool_result",
                "tool_use_id": message["tool_call_id"],
                "content": _text(message.get("content")),
            }
            return "user", [result]
        case role:
            raise ValueError(f"role {role!r} has no counterpart")


def _blocks(content: object) -> list[Block]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, Sequence):
        raise TypeError("content is neither text nor a list of parts")
    return [_part(part) for part in content]


def _part(part: Mapping[str, Any]) -> Block:
    match part.get("type"):
        case "text":
            return {"type": "text", "text": part["text"]}
        case "image_url":
            url = part["image_url"]["url"]
            if not url.startswith("data:"):
                return {"type": "image", "source": {"type": "url", "url": url}}
            kind, _, data = url.removeprefix("data:").partition(";base64,")
            source = {"type": "base64", "media_type": kind, "data": data}
            return {"type": "image", "source": source}
        case kind:
            raise ValueError(f"part {kind!r} has no counterpart")


def _call(call: Mapping[str, Any]) -> Block:
    arguments = call["function"].get("arguments") or "{}"
    return {
        "type": "tool_use",
        "id": call["id"],
        "name": call["function"]["name"],
        "input": msgspec.json.decode(arguments) if isinstance(arguments, str) else arguments,
    }


def _tool(tool: Mapping[str, Any]) -> Block:
    function = tool["function"]
    found = {
        "name": function["name"],
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        found["description"] = function["description"]
    return found


def _tool_choice(choice: object) -> Block:
    if isinstance(choice, str):
        return {"type": _TOOL_CHOICES[choice]}
    if isinstance(choice, Mapping):
        return {"type": "tool", "name": choice["function"]["name"]}
    raise TypeError("tool_choice is neither a word nor a tool")


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    return ""


def completion_from(found: Mapping[str, Any], *, requested_model: str) -> Completion:
    """Return a message of Anthropic's as a completion in OpenAI's shape.

    Raises:
        KeyError: For what is no message.
    """
    blocks: list[Block] = found["content"]
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    message: dict[str, Any] = {"role": "assistant"}
    if text:
        message["content"] = text
    if found.get("stop_reason") == "refusal":
        message["refusal"] = text or "refusal"
    if calls := [_called(block) for block in blocks if block["type"] == "tool_use"]:
        message["tool_calls"] = calls
    if thought := [b for b in blocks if b["type"] in ("thinking", "redacted_thinking")]:
        message["reasoning_content"] = "".join(block.get("thinking", "") for block in thought)
        message["thinking_blocks"] = thought
    stop = found.get("stop_reason") or "end_turn"
    return Completion(
        message=message,
        finish_reason=FINISH_REASONS.get(stop, "stop"),
        model=found.get("model") or requested_model,
        usage=_usage(found["usage"]),
    )


def _called(block: Block) -> dict[str, Any]:
    arguments = msgspec.json.encode(block["input"]).decode()
    function = {"name": block["name"], "arguments": arguments}
    return {"id": block["id"], "type": "function", "function": function}


def _usage(found: Mapping[str, Any]) -> Usage:
    """Add up as OpenAI does; Anthropic's `input_tokens` are those that no cache had part in."""
    read = found.get("cache_read_input_tokens") or 0
    written = found.get("cache_creation_input_tokens") or 0
    return Usage(
        input_tokens=found["input_tokens"] + read + written,
        output_tokens=found["output_tokens"],
        cached_tokens=read,
        cache_write_tokens=written,
    )
