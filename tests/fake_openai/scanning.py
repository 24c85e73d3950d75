"""Validation of a batch's input file: what is wrong with which line, in OpenAI's codes.

Codes are those of FORMATS.md §3, and `missing_required_parameter`, `invalid_method`,
`model_not_found`, `file_too_large`, which are not confirmed.
"""

from typing import Any, BinaryIO

import msgspec

from tests.fake_openai.answers import prompt_tokens
from tests.fake_openai.script import Script

MOST_PROBLEMS = 100
"""No more are listed."""

MESSAGES = {
    "invalid_json_line": "This line is not parseable as valid JSON.",
    "duplicate_custom_id": "The custom_id for this request is a duplicate of another request.",
    "url_mismatch": "The URL provided for this request does not match the batch endpoint.",
    "model_mismatch": "The model of this request does not match the rest of the batch.",
    "empty_file": "The input file is empty.",
    "too_many_tasks": "The batch input file holds more requests than are allowed.",
    "file_too_large": "The batch input file is larger than the maximum. "
    "Please try again with a smaller batch.",
    "invalid_method": "The method of this request is not POST.",
    "model_not_found": "The provided model is not supported by the Batch API.",
}


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file, in the shape in which a batch tells it."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class Line(msgspec.Struct):
    """A line of an input file whose body is not read yet."""

    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class _Body(msgspec.Struct):
    model: str
    messages: Any = None


READ_LINE = msgspec.json.Decoder(Line)
_READ_BODY = msgspec.json.Decoder(_Body)


def problem(code: str, line: int | None = None, param: str | None = None) -> Problem:
    """Return a problem with the usual message of its code."""
    return Problem(code, MESSAGES.get(code, f"Scripted: {code}"), param, line)


def too_many_tokens(model: str, limit: int) -> Problem:
    """Return the problem of a batch that does not fit beside those that wait.

    The text is OpenAI's, of openai-python #2084.
    """
    said = (
        f"Enqueued token limit reached for {model} in organization org-fake. "
        f"Limit: {limit:,} enqueued tokens. "
        "Please try again once some in_progress batches have been completed."
    )
    return Problem("token_limit_exceeded", said)


class Scan:
    """One pass over an input file, in steps.

    Attributes:
        total: Lines so far.
        tokens: Prompt tokens so far.
        model: The first line's; None before.
        problems: What is wrong, in order.
    """

    def __init__(self, stream: BinaryIO, size: int, endpoint: str, script: Script) -> None:
        self.total = 0
        self.tokens = 0
        self.model: str | None = None
        self.problems: list[Problem] = []
        self._stream = stream
        self._endpoint = endpoint
        self._models = script.models
        self._most = script.batches.max_lines
        self._seen: set[str] = set()
        if not size:
            self.problems.append(problem("empty_file"))
        if size > script.batches.max_bytes:
            self.problems.append(problem("file_too_large"))

    def step(self, count: int) -> bool:
        """Read some lines and tell whether there may be more."""
        for _ in range(count):
            raw = self._stream.readline()
            if not raw or len(self.problems) >= MOST_PROBLEMS:
                return self._ended()
            self.total += 1
            if self.total > self._most:
                self.problems.append(problem("too_many_tasks"))
                return self._ended()
            found = self._judged(raw)
            if found:
                self.problems.append(found)
        return True

    def _ended(self) -> bool:
        self._seen = set()
        self._stream.seek(0)
        return False

    def _judged(self, raw: bytes) -> Problem | None:
        try:
            line = READ_LINE.decode(raw)
            body = _READ_BODY.decode(line.body)
        except msgspec.DecodeError:
            return _misshapen(raw, self.total)
        self.tokens += _counted(body.messages)
        if self.model is None:
            self.model = body.model
        if line.custom_id in self._seen:
            return problem("duplicate_custom_id", self.total, "custom_id")
        self._seen.add(line.custom_id)
        return self._mismatched(line, body.model)

    def _mismatched(self, line: Line, model: str) -> Problem | None:
        if line.method != "POST":
            return problem("invalid_method", self.total, "method")
        if line.url != self._endpoint:
            return problem("url_mismatch", self.total, "url")
        if model != self.model:
            return problem("model_mismatch", self.total, "body.model")
        if self._models and model not in self._models:
            return problem("model_not_found", self.total, "body.model")
        return None


def _counted(messages: Any) -> int:
    """Count a prompt; what is none is refused when its line is run."""
    try:
        return prompt_tokens({"messages": messages})
    except (TypeError, AttributeError):
        return 0


def _misshapen(raw: bytes, number: int) -> Problem:
    """Return what is wrong with a line that is no request."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return problem("invalid_json_line", number)
    line = value if isinstance(value, dict) else {}
    wanted: list[tuple[str, Any, type]] = [
        (name, line.get(name), str) for name in ("custom_id", "method", "url")
    ]
    body = line.get("body")
    wanted.append(("body", body, dict))
    wanted.append(("body.model", body.get("model") if isinstance(body, dict) else None, str))
    for name, found, kind in wanted:
        if not isinstance(found, kind):
            said = f"Missing required parameter: '{name}'."
            return Problem("missing_required_parameter", said, name, number)
    return problem("invalid_json_line", number)
