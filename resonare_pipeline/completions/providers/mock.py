"""No model at all: answers made up from the request, always the same. Offline."""

import msgspec

from resonare_pipeline.completions.answers import Judged
from resonare_pipeline.completions.limits import Announcement
from resonare_pipeline.completions.providers.provider import Reply
from resonare_pipeline.completions.requests import Completion, CompletionRequest, Usage
from resonare_pipeline.fingerprint import short_hash

CHARACTERS_PER_TOKEN = 4


class MockClient:
    """Answers from the request alone, marked as no model's."""

    async def send(self, request: CompletionRequest) -> Reply:
        """Make up an answer; where a tool must be called, a call of the first."""
        name = short_hash([request.body(), request.sample])
        message = {"role": "assistant", "content": f"Mock answer {name}."}
        finish = "stop"
        if request.tools and request.parameters.get("tool_choice") == "required":
            function = {"name": request.tools[0]["function"]["name"], "arguments": "{}"}
            call = {"id": f"call_{name}", "type": "function", "function": function}
            message = {"role": "assistant", "tool_calls": [call]}  # type: ignore[dict-item]
            finish = "tool_calls"
        usage = Usage(
            input_tokens=len(msgspec.json.encode(request.messages)) // CHARACTERS_PER_TOKEN,
            output_tokens=len(msgspec.json.encode(message)) // CHARACTERS_PER_TOKEN,
        )
        completion = Completion(
            message=message, finish_reason=finish, model=request.model, usage=usage, mock=True
        )
        return Reply(judged=Judged(completion=completion), status=200, announced=Announcement())

    def output_limit(self, request: CompletionRequest) -> int | None:  # noqa: ARG002  # the protocol's
        """Return 0: nothing is billed."""
        return 0

    async def models(self) -> list[str]:
        """Return none: any name will do."""
        return []

    async def close(self) -> None:
        """Do nothing: there are no connections."""
