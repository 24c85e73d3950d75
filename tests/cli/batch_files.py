"""Batch files as somebody brings them, and what the fake server has made of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.fake_openai.running import Running
from tests.fake_openai.script import BatchScript, FateRule, Script

CHAT = "/v1/chat/completions"


def line(
    number: int, *, model: str = "gpt-4o-mini", url: str = CHAT, **more: Any
) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"question {number}"}]
    body = {"model": model, "messages": messages, "max_tokens": 20}
    return {"custom_id": f"r{number}", "method": "POST", "url": url, "body": body, **more}


def lines(count: int, **more: Any) -> list[dict[str, Any]]:
    return [line(number, **more) for number in range(count)]


def put(path: Path, found: Iterable[Any]) -> Path:
    text = "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in found)
    path.write_text(text)
    return path


def rows(path: Path) -> list[Any]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def ids(path: Path) -> list[str]:
    return [row["custom_id"] for row in rows(path)]


def ran(server: Running) -> list[str]:
    """Return the hash of each request that was run in a batch."""
    return [entry.body for entry in server.journal() if entry.kind == "line"]


def made(server: Running) -> int:
    """Return how many batches there are at the provider."""
    return len(server.batches())


def fate(*rules: FateRule, **more: object) -> Script:
    """Return a script in which these fates strike."""
    return Script(batches=BatchScript(fates=rules, **more))  # type: ignore[arg-type]


SLOW = Script(batches=BatchScript(running_seconds=3600))
