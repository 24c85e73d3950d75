import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.generate_telegram import Shape, write_export

MEGABYTES = 0.6


def generate(shape: Shape, *, seed: int = 1, minified: bool = False) -> bytes:
    stream = io.BytesIO()
    write_export(stream, megabytes=MEGABYTES, seed=seed, shape=shape, minified=minified)
    return stream.getvalue()


def chats_of(export: dict[str, Any]) -> list[dict[str, Any]]:
    return export["chats"]["list"] if "chats" in export else [export]


@pytest.mark.parametrize("shape", list(Shape))
def test_generated_export_is_json_of_the_asked_size_in_order_of_ids_and_time(shape: Shape) -> None:
    content = generate(shape)
    assert MEGABYTES <= len(content) / 1e6 < 1.4 * MEGABYTES
    for chat in chats_of(json.loads(content)):
        ids = [message["id"] for message in chat["messages"]]
        times = [int(message["date_unixtime"]) for message in chat["messages"]]
        assert ids == sorted(set(ids))
        assert times == sorted(times)


@pytest.mark.parametrize("shape", list(Shape))
def test_generated_export_is_laid_out_as_json_dumps_does(shape: Shape) -> None:
    content = generate(shape).decode()
    assert content == json.dumps(json.loads(content), ensure_ascii=False, indent=1)


def test_generated_export_minified_has_no_white_space_between_tokens() -> None:
    content = generate(Shape.ACCOUNT, minified=True).decode()
    assert content == json.dumps(json.loads(content), ensure_ascii=False, separators=(",", ":"))


def test_generated_export_depends_on_the_seed_alone() -> None:
    assert generate(Shape.PERSONAL) == generate(Shape.PERSONAL)
    assert generate(Shape.PERSONAL) != generate(Shape.PERSONAL, seed=2)


def test_generated_messages_hold_each_kind_of_content() -> None:
    messages = json.loads(generate(Shape.PERSONAL))["messages"]
    keys = {key for message in messages for key in message}
    assert {"reply_to_message_id", "edited", "reactions", "photo", "forwarded_from"} <= keys
    assert {message["type"] for message in messages} == {"message", "service"}
    assert any(isinstance(message["text"], list) for message in messages)
    assert any(message.get("media_type") == "sticker" for message in messages)


def test_generator_as_a_command_writes_the_file(tmp_path: Path) -> None:
    script = Path(__file__).with_name("generate_telegram.py")
    output = tmp_path / "result.json"
    command = [sys.executable, str(script), "--megabytes", "0.1", "--output", str(output)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    count = len(json.loads(output.read_bytes())["messages"])
    assert done.stdout.startswith(f"{count} messages")
