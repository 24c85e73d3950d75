"""Records that tests of `resonare fill` put into a project, and what became of them."""

import json
from pathlib import Path
from typing import Any

from tests.fake_openai.running import Running


def record(number: int, **more: Any) -> dict[str, Any]:
    """Return a record with one turn to be filled."""
    turns = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": ""}]
    return {"uuid": f"u{number}", "messages": turns, "license": "cc-by-4.0", **more}


def put(project: Path, records: list[Any], name: str = "in.jsonl") -> None:
    """Write records as JSON lines."""
    (project / name).write_text("".join(json.dumps(item) + "\n" for item in records))


def rows(path: Path) -> list[Any]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def left_out(path: Path) -> list[tuple[int, str]]:
    """Return number and reason of each record that is not in an output."""
    beside = path.with_name(f"{path.name}.dropped.jsonl")
    return [(row["number"], row["reason"]) for row in rows(beside)]


def asked(server: Running) -> int:
    """Return how many requests a server has answered so far."""
    return len(server.journal())
