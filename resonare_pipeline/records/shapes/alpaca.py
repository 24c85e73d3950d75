"""Alpaca's shape: `{"instruction", "input", "output"}`, and LLaMA-Factory's `system`, `history`."""

from typing import Any

from resonare_pipeline.records.calls import to_calls
from resonare_pipeline.records.openai_messages import is_empty, to_tools
from resonare_pipeline.records.prompts import ASSISTANT, Answer, Message, Prompt, Turn
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.shapes.sharegpt import system_turn
from resonare_pipeline.records.spans import Edit, find, set_members

PAIR = 2  # a question and its answer


class AlpacaShape:
    """One question and its answer, as members of the record."""

    name = "alpaca"

    def fits(self, record: dict[str, Any]) -> bool:
        """Tell whether there is an instruction."""
        return isinstance(record.get("instruction"), str)

    def read(self, record: dict[str, Any]) -> Prompt:
        """Return turns and tools; only `output` is ever filled."""
        turns = [*system_turn(record), *_history(record.get("history"))]
        question = "\n".join(filter(None, (record["instruction"], _text(record, "input"))))
        turns.append(Turn(message={"role": "user", "content": question}, path=("instruction",)))
        message: Message = {"role": ASSISTANT, "content": _text(record, "output")}
        if calls := to_calls(record.get("tool_calls") or []):
            message["tool_calls"] = calls
        turns.append(Turn(message=message, path=(), is_empty=is_empty(message)))
        return Prompt(shape=self, turns=tuple(turns), tools=to_tools(record.get("tools")))

    def edits(self, text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
        """Return what an answer changes; calls, which have no place there, get one beside it."""
        span = find(text, turn.path)
        if span is None:
            raise UnusableRecordError(DropReason.BAD_TURN, "the record is not there")
        values: dict[str, Any] = {"output": answer.text or ""}
        if answer.tool_calls:
            values["tool_calls"] = list(answer.tool_calls)
        if answer.reasoning:
            values["reasoning_content"] = answer.reasoning
        return set_members(text, span, values)


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str | None):
        raise UnusableRecordError(DropReason.BAD_TURN, f"{key} is no text")
    return value or ""


def _history(history: Any) -> list[Turn]:
    turns: list[Turn] = []
    for number, pair in enumerate(history or ()):
        if (
            not isinstance(pair, list)
            or len(pair) != PAIR
            or not all(isinstance(t, str) for t in pair)
        ):
            raise UnusableRecordError(DropReason.BAD_TURN, "history is no list of pairs of texts")
        for role, content in zip(("user", ASSISTANT), pair, strict=True):
            turns.append(Turn(message={"role": role, "content": content}, path=("history", number)))
    return turns
