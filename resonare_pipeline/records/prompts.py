"""A record understood: its turns as a model is sent them, which are empty, what an answer is.

Where a turn stands in a record, and how an answer is put there, is known to the shapes alone.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from resonare_pipeline.records.calls import answered_calls
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.spans import Edit, Path

ASSISTANT = "assistant"
TOOL = "tool"

Message = dict[str, Any]
"""One of OpenAI's chat messages, as plain data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a record.

    Attributes:
        message: As it is sent.
        path: Where it stands in the record.
        is_empty: It is an assistant's, and is to be filled.
        weight: OpenAI's: 0 says that it is not to be trained on. Never sent.
    """

    message: Message
    path: Path
    is_empty: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What fills a turn.

    Attributes:
        content: As the model gave it: a text, or parts.
        tool_calls: In OpenAI's form, each with an id, a name, and a text as arguments.
        thinking_blocks: Anthropic's, signed; never part of a record.
    """

    content: str | list[Any] | None
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    thinking_blocks: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, message: Message, turn: int) -> "Answer":
        """Return what a model's message says; providers have two names for its reasoning.

        Args:
            turn: Number of the turn that it fills, of which calls without an id get theirs.

        Raises:
            UnusableRecordError: If it is no answer that a record could hold.
        """
        content = message.get("content")
        if not isinstance(content, str | list | None):
            raise UnusableRecordError(DropReason.BAD_ANSWER, "its content is no text and no parts")
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        return cls(
            content=content,
            tool_calls=answered_calls(message.get("tool_calls"), turn),
            reasoning=reasoning if isinstance(reasoning, str) else "",
            thinking_blocks=_objects(message.get("thinking_blocks")),
        )

    @property
    def text(self) -> str | None:
        """The content as one text: parts that hold text are joined, others left out."""
        if not isinstance(self.content, list):
            return self.content
        texts = [part.get("text") for part in self.content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))

    def as_message(self) -> Message:
        """Return the message that later turns see.

        Reasoning is not sent back, but Anthropic's blocks of it with a call of tools: its API wants
        them there unchanged.
        """
        message: Message = {"role": ASSISTANT, "content": self.content}
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
            if self.thinking_blocks:
                message["thinking_blocks"] = list(self.thinking_blocks)
        return message


def _objects(value: Any) -> tuple[dict[str, Any], ...]:
    is_list = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return tuple(value) if is_list else ()


class Shape(Protocol):
    """One way to write a conversation."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def fits(self, record: dict[str, Any]) -> bool:
        """Tell whether a record is of this shape."""
        ...

    def read(self, record: dict[str, Any]) -> "Prompt":
        """Return a record's turns and tools.

        Raises:
            UnusableRecordError: If it is not what the shape should be.
        """
        ...

    def edits(self, text: bytes, turn: Turn, answer: Answer) -> list[Edit]:
        """Return what an answer changes in a record's text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A record understood."""

    shape: Shape
    turns: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()

    @property
    def empty(self) -> list[int]:
        """Numbers of the turns that are to be filled."""
        return [number for number, turn in enumerate(self.turns) if turn.is_empty]

    @property
    def has_answer(self) -> bool:
        """Whether any assistant's turn says something."""
        return any(t.message["role"] == ASSISTANT and not t.is_empty for t in self.turns)
