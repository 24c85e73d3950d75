"""From a record's text to its prompt: decoded, its shape found, its turns checked."""

import json
from typing import Any

import msgspec

from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import Answer, Prompt, Shape, Turn
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.shapes.alpaca import AlpacaShape
from resonare_pipeline.records.shapes.messages import MessagesShape
from resonare_pipeline.records.shapes.responses import ResponsesShape
from resonare_pipeline.records.shapes.sharegpt import ShareGptShape
from resonare_pipeline.records.spans import apply_edits

SHAPES: tuple[Shape, ...] = (MessagesShape(), ShareGptShape(), ResponsesShape(), AlpacaShape())
"""In the order in which they are tried."""

KNOWN = "messages, conversations, responses_create_params.input, or instruction"

_decode = msgspec.json.Decoder().decode


def understand(text: bytes, *, has_padding: bool = False) -> Prompt:
    """Return what a record asks for.

    Args:
        text: The record as JSON.
        has_padding: Nulls in it may stand for keys that are absent, as Arrow has it.

    Raises:
        UnusableRecordError: If it cannot be used.
    """
    record = decode(text)
    if not isinstance(record, dict):
        raise UnusableRecordError(DropReason.NOT_AN_OBJECT, "the record is no object")
    if has_padding:
        record = without_nulls(record)
    for shape in SHAPES:
        if shape.fits(record):
            prompt = shape.read(record)
            if prompt.empty[:1] == [0]:
                raise UnusableRecordError(
                    DropReason.NO_CONTEXT, "the turn to be filled has none before it"
                )
            return prompt
    raise UnusableRecordError(DropReason.NO_MESSAGES, f"none of {KNOWN}")


def prompt_of(record: Record, *, has_padding: bool) -> Prompt:
    """Return what a record of a file asks for.

    Raises:
        UnusableRecordError: If it cannot be used, or could not even be read.
    """
    if record.problem is not None:
        raise UnusableRecordError(record.problem, record.detail)
    return understand(record.text, has_padding=has_padding)


def decode(text: bytes) -> Any:
    """Return a JSON text as plain data.

    Raises:
        UnusableRecordError: If it is no JSON, or nested beyond reason.
    """
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:  # Python itself writes NaN and Infinity, which are no JSON
        value = json.loads(text)
        msgspec.json.encode(value)  # a lone surrogate could not be sent
    except (ValueError, RecursionError) as error:
        raise UnusableRecordError(DropReason.NOT_JSON, _why(error)) from error
    return value


def _why(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at byte {error.pos}"
        case UnicodeError():
            return "not UTF-8"
        case RecursionError():
            return "nested too deeply"
    return "not JSON"


def without_nulls(value: Any) -> Any:
    """Return plain data without members that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return list(map(without_nulls, value))
    return value


def fill_in(text: bytes, prompt: Prompt, answers: list[tuple[Turn, Answer]]) -> bytes:
    """Return a record's text with answers in their places."""
    return apply_edits(
        text, [e for turn, answer in answers for e in prompt.shape.edits(text, turn, answer)]
    )
