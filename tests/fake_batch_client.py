"""Driving batches of the fake server through OpenAI's SDK, as tests of it do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import openai
from openai.types import Batch, FileObject

from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, FateRule, Script

URL: Final = "/v1/chat/completions"
DAY_SECONDS = 86_400

Line = dict[str, Any]


def line(number: int, **changed: Any) -> Line:
    """Return a line that is good, but for what is changed in it."""
    body = {"model": "m", "messages": [{"role": "user", "content": f"question {number}"}]}
    return {"custom_id": f"id-{number}", "method": "POST", "url": URL, "body": body} | changed


def lines(count: int) -> list[Line]:
    """Return good lines."""
    return [line(number) for number in range(count)]


class Client:
    """The SDK, without retries, and the server that it talks to."""

    def __init__(self, server: Running, sdk: openai.OpenAI) -> None:
        self.server = server
        self.sdk = sdk

    def upload(self, given: list[Line] | bytes) -> FileObject:
        """Upload lines, or bytes as they are."""
        raw = given if isinstance(given, bytes) else written(given)
        return self.sdk.files.create(file=("in.jsonl", raw), purpose="batch")

    def create(self, given: list[Line] | bytes) -> Batch:
        """Upload and make a batch."""
        file = self.upload(given)
        return self.sdk.batches.create(
            input_file_id=file.id, endpoint=URL, completion_window="24h", metadata={"run": "7"}
        )

    def look(self, batch: Batch, after: float = 0) -> Batch:
        """Move the clock on and retrieve a batch."""
        if after:
            self.server.advance(after)
        return self.sdk.batches.retrieve(batch.id)

    def rows(self, file_id: str | None) -> list[Line]:
        """Return the lines of an output or error file."""
        assert file_id, "no such file is told of"
        return [json.loads(row) for row in self.sdk.files.content(file_id).text.splitlines()]


@contextmanager
def talking(script: Script) -> Iterator[Client]:
    """Run a server and talk to it."""
    with (
        serving(script) as server,
        openai.OpenAI(base_url=server.url, api_key="dummy", max_retries=0) as sdk,
    ):
        yield Client(server, sdk)


@contextmanager
def batching(*fates: FateRule, **more: Any) -> Iterator[Client]:
    """Run a server with a script of batches and talk to it."""
    with talking(Script(batches=BatchScript(fates=fates, **more))) as client:
        yield client


def written(given: list[Line]) -> bytes:
    """Return lines as bytes."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in given)
