"""Prompts and answers → conversations for training, and the set's own files, filled."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.records.completing import COMPLETIONS_FILE
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompting import PROMPTS_FILE
from resonare_pipeline.records.prompts import Answer, Message, Prompt, Turn
from resonare_pipeline.records.reading import open_records
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.sets import SetFile, filled_name
from resonare_pipeline.records.understanding import fill_in, understand
from resonare_pipeline.records.writing import open_writer

TRAIN_FILE = "train.jsonl"
ID_DIGITS = 16
_KEPT = ("tool_calls", "tool_call_id", "name")
_ROLES = {"developer": "system", "function": "tool"}  # OpenAI's newer and older names


@dataclass(frozen=True, slots=True)
class _Answered:
    """A row of prompts, and the rows of answers that belong to it."""

    prompt: dict[str, Any]
    answers: list[dict[str, Any]]


def make_conversations(
    files: Sequence[SetFile],
    prompts: Artifact,
    completions: Artifact,
    out: OutputDraft,
    *,
    progress: Progress = silent,
) -> None:
    """Write `train.jsonl` and the filled files; a record without all its answers is left out.

    Args:
        files: The set, which is read again: everything of a record that is no answer comes from it.
        prompts: Its prompts.
        completions: Their answers.
        out: Takes all files.

    Raises:
        InputError: If a file cannot be read.
    """
    rows = _join(prompts, completions)
    counts = {"filled": 0, "untouched": 0, "mock": 0}
    written = 0
    with out.open(TRAIN_FILE) as train, out.dropped() as dropped:
        upcoming = next(rows, None)
        for file in files:
            with ExitStack() as stack:
                records = stack.enter_context(open_records(file.source()))
                stream = stack.enter_context(out.open(filled_name(file.name, len(files))))
                writer = open_writer(stream, records.source.format, records)
                stack.callback(writer.abandon)
                for record in records:
                    if not _is_of(upcoming, file, record):
                        continue  # left out as a prompt already
                    assert upcoming is not None  # noqa: S101  # for the type checker
                    row, upcoming = upcoming, next(rows, None)
                    progress(record.done, records.total, "records")
                    made = _make(record, row, dropped, has_padding=records.is_padded)
                    if made is None:
                        continue
                    try:
                        writer.add(record, made.text)
                    except UnusableRecordError as error:
                        dropped.add(row.prompt["record_id"], error.reason)
                        continue
                    train.write(msgspec.json.encode(made.line) + b"\n")
                    written += 1
                    counts["untouched" if made.text is None else "filled"] += 1
                    counts["mock"] += made.line["metadata"]["mock"]
                writer.finish()
    out.report(rows=written, metadata=counts)


def _join(prompts: Artifact, completions: Artifact) -> Iterator[_Answered]:
    """Yield prompts with their answers; both tables are in the order of prompts."""
    answers = completions.rows(COMPLETIONS_FILE)
    upcoming = next(answers, None)
    for prompt in prompts.rows(PROMPTS_FILE):
        own: list[dict[str, Any]] = []
        while upcoming is not None and upcoming["record_id"] == prompt["record_id"]:
            own.append(upcoming)
            upcoming = next(answers, None)
        yield _Answered(prompt, own)


def _is_of(row: _Answered | None, file: SetFile, record: Record) -> bool:
    if row is None:
        return False
    return (row.prompt["file"], row.prompt["number"]) == (file.name, record.number)


@dataclass(frozen=True, slots=True)
class _Made:
    """A conversation, and the record's new text if it has one."""

    line: dict[str, Any]
    text: bytes | None


def _make(
    record: Record, row: _Answered, dropped: DroppedRows, *, has_padding: bool
) -> _Made | None:
    record_id, to_fill = row.prompt["record_id"], row.prompt["to_fill"]
    failure = next((answer["failure"] for answer in row.answers if answer["failure"]), None)
    if failure or len(row.answers) != len(to_fill):
        lacking = DropReason.TOOL_RESULT_MISSING if row.answers else DropReason.ANSWER_MISSING
        dropped.add(record_id, failure or lacking)
        return None
    prompt = understand(record.text, has_padding=has_padding)
    text = None
    try:
        answers = {
            item["turn"]: Answer.of(msgspec.json.decode(item["message"]), item["turn"])
            for item in row.answers
        }
        if answers:
            placed = [(prompt.turns[turn], answer) for turn, answer in answers.items()]
            text = fill_in(record.text, prompt, placed)
    except UnusableRecordError as error:
        dropped.add(record_id, error.reason)
        return None
    return _Made(_line(prompt, row, answers), text)


def _line(prompt: Prompt, row: _Answered, answers: dict[int, Answer]) -> dict[str, Any]:
    messages = [
        _train_message(turn, answers.get(number)) for number, turn in enumerate(prompt.turns)
    ]
    root_id = row.prompt["root_id"]
    tools = {"tools": prompt.tools} if prompt.tools else {}
    metadata = {
        "example_id": short_hash([messages, list(prompt.tools), root_id], digits=ID_DIGITS),
        "root_id": root_id,
        "mock": any(item["mock"] for item in row.answers),
    }
    return {"messages": messages, **tools, "metadata": metadata}


def _train_message(turn: Turn, answer: Answer | None) -> Message:
    """Return a turn as trainers read it."""
    message = turn.message if answer is None else answer.as_message()
    kept = {key: message[key] for key in _KEPT if key in message}
    if turn.weight is not None:
        kept["weight"] = turn.weight
    if answer is not None and answer.reasoning:
        kept["reasoning_content"] = answer.reasoning
    role = _ROLES.get(message["role"], message["role"])
    return {"role": role, "content": _plain(message.get("content")), **kept}


def _plain(content: Any) -> Any:
    """Return content in parts that are all text as one text."""
    if isinstance(content, list) and all(isinstance(part.get("text"), str) for part in content):
        return "".join(part["text"] for part in content)
    return content
