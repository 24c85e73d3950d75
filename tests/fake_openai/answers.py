"""Answers of the fake server: the same body is always given the same answer."""

import hashlib
from typing import Any

import msgspec

from tests.fake_openai.script import Fault, Script

REFUSAL = "I cannot help with that."

STATUS = {
    Fault.RATE: (429, "rate_limit_exceeded"),
    Fault.RATE_SILENT: (429, "rate_limit_exceeded"),
    Fault.QUOTA: (429, "insufficient_quota"),
    Fault.UNPAID: (402, None),
    Fault.SERVER: (500, None),
    Fault.GATEWAY: (504, None),
    Fault.OVERLOADED: (503, None),
    Fault.INVALID: (400, "invalid_value"),
    Fault.FORBIDDEN: (403, None),
    Fault.CONTEXT: (400, "context_length_exceeded"),
}
"""Faults that are an HTTP status, with the code in the body."""


def canonical(body: dict[str, Any]) -> bytes:
    """Return a body's bytes, the same however the client wrote them, online or in a batch."""
    return msgspec.json.encode(body, order="sorted")


def prompt_tokens(body: dict[str, Any]) -> int:
    """Estimate tokens as endpoints do before they read: four characters each."""
    return sum(len(str(message.get("content") or "")) // 4 + 4 for message in body["messages"])


def output_tokens(body: dict[str, Any], script: Script) -> int:
    """Return how many tokens the answer is billed for."""
    capped = body.get("max_completion_tokens") or body.get("max_tokens")
    return min(script.output_tokens, capped) if capped else script.output_tokens


def failure(fault: Fault) -> tuple[int, bytes]:
    """Return status and body of a fault that is an HTTP status."""
    status, code = STATUS[fault]
    return status, error(f"Scripted: {fault}", kind="scripted", code=code)


def refusal(body: dict[str, Any], script: Script) -> tuple[int, bytes] | None:
    """Return the refusal of a request that no waiting will make right.

    Raises:
        KeyError, TypeError, AttributeError: The body has not the shape of a request.
    """
    if script.models and body["model"] not in script.models:
        said = f"The model `{body['model']}` does not exist"
        return 404, error(said, kind="invalid_request_error", code="model_not_found")
    count = prompt_tokens(body)
    if script.context_tokens and count > script.context_tokens:
        said = f"This model's maximum context length is {script.context_tokens} tokens"
        code = "context_length_exceeded"
        return 400, error(said, kind="invalid_request_error", code=code, param="messages")
    return None


def unread() -> tuple[int, bytes]:
    """Return the refusal of what is no request."""
    return 400, error("We could not parse the body", kind="invalid_request_error")


def answer(raw: bytes, body: dict[str, Any], script: Script, fault: Fault | None) -> dict[str, Any]:
    """Return a chat completion."""
    name = hashlib.sha256(raw).hexdigest()
    message: dict[str, Any] = {"role": "assistant", "content": f"answer {name[:16]}"}
    finish = "stop"
    match fault:
        case Fault.EMPTY:
            message["content"] = ""
        case Fault.LENGTH:
            finish = "length"
        case Fault.FILTER:
            message["content"], finish = None, "content_filter"
        case Fault.REFUSAL:
            message |= {"content": None, "refusal": REFUSAL}
        case _ if body.get("tools") and script.tool_calls:
            message |= {"content": None, "tool_calls": [_call(body["tools"][0], name)]}
            finish = "tool_calls"
    prompt, output = prompt_tokens(body), output_tokens(body, script)
    found: dict[str, Any] = {
        "id": f"chatcmpl-{name[:24]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
        "system_fingerprint": None,
    }
    if fault is Fault.UNCOUNTED:
        del found["usage"]
    return found


def _call(tool: dict[str, Any], name: str) -> dict[str, Any]:
    function = {"name": tool["function"]["name"], "arguments": '{"x": 1}'}
    return {"id": f"call_{name[:12]}", "type": "function", "function": function}


def error(message: str, *, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    """Return the body of an error, in OpenAI's shape."""
    inner = {"message": message, "type": kind, "param": param, "code": code}
    return msgspec.json.encode({"error": inner})
