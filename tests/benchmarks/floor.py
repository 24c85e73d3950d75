"""The least that any tool has to do: one ijson pass over an export, and counting each text once.

    python tests/benchmarks/floor.py result.json

One process, nothing written: every message is built as an object, and its text, joined where it
comes in parts, goes through a bare loop of tiktoken. Prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import ijson

from resonare_pipeline.counting import o200k_encoding


def text_of(message: dict[str, Any]) -> str:
    """Return a message's text."""
    text = message.get("text", "")
    if isinstance(text, str):
        return text
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in text)


def floor(path: Path) -> dict[str, float]:
    """Read and count, and return how much of what was done and how long it took."""
    encode = o200k_encoding().encode_ordinary
    started, counting, messages, tokens = time.perf_counter(), 0.0, 0, 0
    texts: list[str] = []
    with path.open("rb") as stream:
        for message in ijson.items(stream, "messages.item"):
            messages += 1
            texts.append(text_of(message))
            if len(texts) == 4_096:  # so that neither part waits for the other's memory
                counting -= time.perf_counter()
                for text in texts:
                    tokens += len(encode(text))
                counting += time.perf_counter()
                texts.clear()
    for text in texts:
        tokens += len(encode(text))
    return {
        "messages": messages,
        "tokens": tokens,
        "seconds": round(time.perf_counter() - started, 2),
        "counting_seconds": round(counting, 2),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(floor(Path(sys.argv[1]))) + "\n")
