"""The file for fine-tuning at OpenAI: its lines, its rules, and what training would cost.

Rules as published: `FineTuneChatRequestInput` in openai/openai-openapi (branch 2025-03-21) and the
cookbook's `Chat_finetuning_data_prep`: roles, keys, no empty content, an assistant's turn last,
`weight` an integer 0 or 1 on assistant turns only, ten examples at least, 512 MB at most.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from resonare_pipeline.datasets.candidates import Row

ROLES = ("system", "user", "assistant")
MOST_BYTES = 512_000_000
FEWEST_EXAMPLES = 10
TARGET_EPOCHS = 3
FEWEST_SEEN, MOST_SEEN = 100, 25_000  # examples times epochs, between which 3 epochs are kept
MOST_EPOCHS = 25


class LeftOut(StrEnum):
    """Why an example has no line in the file."""

    EMPTY_CONTENT = "empty_content"
    ROLE = "role"
    ANSWER_NOT_LAST = "answer_not_last"
    FILE_FULL = "file_full"


def openai_line(row: Row) -> dict[str, Any]:
    """Return a row as a line of the file; weights are written only where one is 0."""
    weighted = any(turn.weight == 0 for turn in row.messages)
    messages: list[dict[str, Any]] = []
    for turn in row.messages:
        message: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if weighted and turn.weight is not None:
            message["weight"] = turn.weight
        messages.append(message)
    line: dict[str, Any] = {"messages": messages}
    if row.tools:
        line["tools"] = msgspec.json.decode(row.tools)
    return line


def breach(line: Mapping[str, Any]) -> LeftOut | None:
    """Return the first rule that a line breaks, or None."""
    messages = line.get("messages")
    if not isinstance(messages, list) or not messages:
        return LeftOut.EMPTY_CONTENT
    for message in messages:
        if message.get("role") not in ROLES or not message.keys() <= {"role", "content", "weight"}:
            return LeftOut.ROLE
        if message.get("weight", 1) not in (0, 1):
            return LeftOut.ROLE
        if "weight" in message and message["role"] != "assistant":
            return LeftOut.ROLE
        content = message.get("content")
        if not isinstance(content, str) or not content.strip():
            return LeftOut.EMPTY_CONTENT
    return None if messages[-1]["role"] == "assistant" else LeftOut.ANSWER_NOT_LAST


def default_epochs(examples: int) -> int:
    """Return the epochs that OpenAI's cookbook expects where none are asked for."""
    if not examples:
        return 0
    if examples * TARGET_EPOCHS < FEWEST_SEEN:
        return min(MOST_EPOCHS, FEWEST_SEEN // examples)
    if examples * TARGET_EPOCHS > MOST_SEEN:
        return max(1, MOST_SEEN // examples)
    return TARGET_EPOCHS


def training_estimate(
    examples: int, tokens: int, *, epochs: int | None, usd_per_million_tokens: float
) -> dict[str, float]:
    """Return epochs, billed tokens and `cost_usd` of training on one file.

    Args:
        tokens: Of one epoch.
        epochs: None for OpenAI's default.
    """
    epochs = default_epochs(examples) if epochs is None else epochs
    billed = tokens * epochs
    return {
        "epochs": epochs,
        "billed_tokens": billed,
        "cost_usd": round(billed * usd_per_million_tokens / 1e6, 4),
    }
