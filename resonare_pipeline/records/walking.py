"""A record's empty turns in order: what is to be asked next, and where its answer goes.

Filling, estimating and batches all go through this, so that they ask for the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.records.openai_messages import join_calls
from resonare_pipeline.records.prompts import ASSISTANT, TOOL, Answer, Message, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is asked of whom, and of which records.

    Attributes:
        parameters: Further fields of each request.
        concurrency: Requests at a time; only decides how many records are held.
        first: Number of the first record.
        last: Number behind the last; None: all.
        skip_existing: A record with any answer in it passes through as it is.
        has_padding: Nulls may stand for keys that are absent.
        sample: Number of the answer, where several to one prompt are wanted.
    """

    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 64
    first: int = 0
    last: int | None = None
    skip_existing: bool = False
    has_padding: bool = False
    sample: int = 0


class Walk:
    """How far a record's turns are known.

    Args:
        prompt: The record's conversation.

    Attributes:
        prompt: The same.
        answers: Number of a turn → what stands there now.
    """

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.answers: dict[int, Answer] = {}
        self._messages: list[Message] = [turn.message for turn in prompt.turns]
        self._left = list(prompt.empty)

    @property
    def turn(self) -> int | None:
        """Number of the next turn to be asked for; None: there is no other."""
        return self._left[0] if self._left else None

    def request(self, choices: Choices) -> CompletionRequest:
        """Return the request for the next turn."""
        return CompletionRequest(
            model=choices.model,
            messages=tuple(self._messages[: self._left[0]]),
            tools=self.prompt.tools,
            parameters=dict(choices.parameters),
            sample=choices.sample,
        )

    def put(self, message: Message) -> None:
        """Put an answer in, and go on to the turn behind it.

        Raises:
            UnusableRecordError: If it has no place in the record.
        """
        number = self._left[0]
        answer = Answer.of(message, number)
        self.answers[number] = answer
        self._messages[number] = answer.as_message()
        if answer.tool_calls:
            join_calls(self._messages)
        self._left.pop(0)

    def guess(self, text: str) -> None:
        """Go on as if the next answer were a text."""
        self._messages[self._left.pop(0)] = {"role": ASSISTANT, "content": text}

    def lacks_results(self) -> bool:
        """Tell whether an answer called tools, and the record does not hold their results."""
        until = self._left[0]
        for number in self.answers:
            wanted = {call["id"] for call in self._messages[number].get("tool_calls", ())}
            for message in self._messages[number + 1 : until]:
                if message["role"] != TOOL:
                    break
                wanted.discard(message.get("tool_call_id"))
            if wanted:
                return True
        return False
