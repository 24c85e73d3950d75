"""OpenAI's shape: `{"messages": [{"role", "content"}], "tools": […]}`."""

from typing import Any

from resonare_pipeline.records.openai_messages import is_empty, join_calls, to_message, to_tools
from resonare_pipeline.records.prompts import Answer, Prompt, Turn
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.spans import Edit, Path, elements, find, set_members


class MessagesShape:
    """Turns of `role` and `content` in a list of the record."""

    name = "messages"

    def fits(self, record: dict[str, Any]) -> bool:
        """Tell whether there are messages."""
        return record.get("messages") is not None

    def read(self, record: dict[str, Any]) -> Prompt:
        """Return turns and tools; `functions` is an older name of tools."""
        turns = role_turns(record["messages"], ("messages",))
        tools = to_tools(record.get("tools") or record.get("functions"))
        return Prompt(shape=self, turns=turns, tools=tools)

    def edits(self, text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
        """Return what an answer changes in a record's text."""
        return role_edits(text, turn, answer)


def as_list(value: Any, name: str) -> list[Any]:
    """Return a list of turns.

    Raises:
        UnusableRecordError: If it is none.
    """
    if not isinstance(value, list):
        raise UnusableRecordError(DropReason.MESSAGES_NOT_LIST, f"{name} is no list")
    return value


def role_turns(value: Any, path: Path) -> tuple[Turn, ...]:
    """Return the turns of a list of `role` and `content`."""
    items = as_list(value, str(path[-1]))
    messages = [to_message(turn) for turn in items]
    join_calls(messages)
    return tuple(
        Turn(
            message=message,
            path=(*path, number),
            is_empty=is_empty(message),
            weight=0 if item.get("weight") == 0 else None,
        )
        for number, (item, message) in enumerate(zip(items, messages, strict=True))
    )


def role_edits(text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
    """Return the edits that put an answer into a turn of `role` and `content`.

    Content in parts stays so: the text goes into the first of them.
    """
    span = find(text, turn.path)
    if span is None:
        raise UnusableRecordError(DropReason.BAD_TURN, "the turn is not there")
    values: dict[str, Any] = {}
    edits: list[Edit] = []
    if answer.content is not None:
        if turn.message.get("content"):
            edits = _part_edits(text, turn, answer.text or "")
        elif turn.message.get("content") == [] and isinstance(answer.content, str):
            values["content"] = [{"type": "text", "text": answer.content}]
        else:
            values["content"] = answer.content
    if answer.reasoning:
        values["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        values["tool_calls"] = list(answer.tool_calls)
    return edits + set_members(text, span, values)


def _part_edits(text: bytes, turn: Turn, content: str) -> list[Edit]:
    span = find(text, (*turn.path, "content"))
    first = None if span is None else next(elements(text, span.start), None)
    return [] if first is None else set_members(text, first, {"text": content})
