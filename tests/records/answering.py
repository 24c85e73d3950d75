"""A completer in memory: answers are queued, or made from the request."""

import asyncio
from collections.abc import Callable
from typing import Any

from resonare_pipeline.completions.requests import (
    Completion,
    CompletionRequest,
    Failure,
    Outcome,
)

Reply = str | dict[str, Any] | Failure


def echo(request: CompletionRequest) -> Reply:
    """Answer with what was asked last."""
    return f"answer to {request.messages[-1]['content']}"


class Answers:
    """Answers every request by a function, after as many turns of the loop as it is told.

    Attributes:
        asked: All requests, in the order in which they came.
        most_at_once: Requests that were open at one time.
    """

    def __init__(
        self,
        reply: Callable[[CompletionRequest], Reply] = echo,
        *,
        patience: Callable[[int], int] = lambda _: 0,
    ) -> None:
        self._reply = reply
        self._patience = patience
        self.asked: list[CompletionRequest] = []
        self.open = 0
        self.most_at_once = 0

    async def complete(self, request: CompletionRequest) -> Outcome:
        number = len(self.asked)
        self.asked.append(request)
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        for _ in range(1 + self._patience(number)):
            await asyncio.sleep(0)
        self.open -= 1
        return outcome(request, self._reply(request))


def outcome(request: CompletionRequest, reply: Reply) -> Outcome:
    key = request.key("memory", "here")
    if isinstance(reply, Failure):
        return Outcome(key=key, failure=reply, detail="scripted")
    message = {"content": reply} if isinstance(reply, str) else reply
    completion = Completion(
        message={"role": "assistant", **message}, finish_reason="stop", model=request.model
    )
    return Outcome(key=key, completion=completion)
