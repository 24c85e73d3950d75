"""Lines of batch files: requests on their way, and what came of them. Nothing is read or sent here.

Format: OpenAI's Batch API. An input line holds custom_id, method, url and body; a line of an output
or error file holds custom_id and either a response (status_code, body) or an error (code, message).
"""

from typing import Any

import msgspec

from resonare_pipeline.completions.answers import (
    Judged,
    describe_error,
    judge_completion,
    judge_error,
)
from resonare_pipeline.completions.requests import Failure

OK = 200
EXPIRED_CODES = ("batch_expired",)
CANCELLED_CODES = ("batch_cancelled", "batch_canceled")


class InputLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an input file that somebody else may have written."""

    custom_id: str
    url: str
    body: dict[str, Any]
    method: str = "POST"

    @property
    def model(self) -> str:
        """The model that is asked; empty if none is named."""
        model = self.body.get("model")
        return model if isinstance(model, str) else ""


class _Error(msgspec.Struct, frozen=True):
    code: str | None = None
    message: str | None = None


class _Response(msgspec.Struct, frozen=True):
    status_code: int = 0
    body: Any = None


class OutputLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an output or error file."""

    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


_OUTPUT = msgspec.json.Decoder(OutputLine, strict=False)


def read_output(line: bytes) -> OutputLine | None:
    """Read a line of an output or error file; None if it is malformed."""
    try:
        found = _OUTPUT.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if "\0" in found.custom_id else found  # no id of ours, and PostgreSQL takes none


def judge_line(line: OutputLine, *, model: str) -> Judged:
    """Tell what a line amounts to.

    Args:
        line: Of an output or error file.
        model: That was asked.
    """
    if line.response is not None and line.response.status_code:
        status, body = line.response.status_code, line.response.body
        if status == OK:
            return judge_completion(body, requested_model=model)
        return judge_error(status, body)
    code = (line.error.code if line.error else None) or ""
    if code in EXPIRED_CODES:
        return Judged(failure=Failure.EXPIRED, detail="the batch's time was over before its turn")
    if code in CANCELLED_CODES:
        return Judged(failure=Failure.CANCELLED, detail="the batch was cancelled before its turn")
    said = {"code": code, "message": line.error.message} if line.error else {}
    return Judged(failure=Failure.SERVER, detail=describe_error(said))
