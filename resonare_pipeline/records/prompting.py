"""Record sets → prompts, one row each, and → the requests of their first rounds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.completions.estimating import estimate, prompt_tokens
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import InputError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import Prompt
from resonare_pipeline.records.reading import open_records
from resonare_pipeline.records.reasons import UnusableRecordError
from resonare_pipeline.records.requesting import Counting
from resonare_pipeline.records.sets import PromptRecordsSettings, SetFile, content_hash
from resonare_pipeline.records.tables import PROMPTS, REQUESTS
from resonare_pipeline.records.understanding import prompt_of, understand
from resonare_pipeline.records.walking import Choices

PROMPTS_FILE = "prompts.parquet"
REQUESTS_FILE = "requests.parquet"
DEFAULT_MODEL = "default"  # what servers of a single model take for it


def make_prompts(
    files: Sequence[SetFile],
    out: OutputDraft,
    settings: PromptRecordsSettings,
    *,
    progress: Progress = silent,
) -> None:
    """Write the prompts of a set, and what of it cannot be used.

    A record's id is made of its conversation, whatever its place, and whatever stands beside that.

    Raises:
        InputError: If a file is of no known format, or none of the records can be used.
    """
    seen: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    with out.table(PROMPTS_FILE, PROMPTS) as table, out.dropped() as dropped:
        for file in files:
            for record, prompt in _prompts(file, dropped, progress):
                row = _row(file.name, record, prompt, settings, seen)
                shapes[row["shape"]] += 1
                table.add(row)
    if not table.count:
        reasons = ", ".join(f"{reason} {count}" for reason, count in dropped.counts.items())
        raise InputError(
            f"none of {dropped.counts.total()} records can be used: {reasons}",
            where=", ".join(file.name for file in files[:3]),
            expected="records with messages, conversations, responses_create_params or instruction",
        )
    out.report(rows=table.count, metadata={"shapes": dict(sorted(shapes.items()))})


def _prompts(
    file: SetFile, dropped: DroppedRows, progress: Progress
) -> Iterator[tuple[Record, Prompt]]:
    with open_records(file.source()) as records:
        unit = "records" if records.is_padded else "bytes"
        for record in records:
            progress(record.done, records.total, unit)
            try:
                prompt = prompt_of(record, has_padding=records.is_padded)
            except UnusableRecordError as error:
                dropped.add(content_hash(record.text or record.place.encode()), error.reason)
            else:
                yield record, prompt


def _row(
    file: str, record: Record, prompt: Prompt, settings: PromptRecordsSettings, seen: Counter[str]
) -> dict[str, Any]:
    messages = msgspec.json.encode([turn.message for turn in prompt.turns])
    tools = msgspec.json.encode(prompt.tools) if prompt.tools else b""
    root = content_hash(messages + b"\n" + tools)
    seen[root] += 1
    passes = settings.skip_existing and prompt.has_answer
    return {
        "record_id": root if seen[root] == 1 else f"{root}-{seen[root]}",
        "root_id": f"record:{root}",
        "file": file,
        "number": record.number,
        "shape": prompt.shape.name,
        "messages": messages.decode(),
        "tools": tools.decode() or None,
        "to_fill": [] if passes else prompt.empty,
    }


def prompt_records(prompts: Artifact, ids: list[str] | None = None) -> Iterator[Record]:
    """Yield the prompts that are to be filled as records of one shape.

    Args:
        ids: Takes the id of each.
    """
    for number, row in enumerate(prompts.rows(PROMPTS_FILE)):
        if row["to_fill"]:
            tools = f', "tools": {row["tools"]}' if row["tools"] else ""
            text = f'{{"messages": {row["messages"]}{tools}}}'
            if ids is not None:
                ids.append(row["record_id"])
            yield Record(number=number, text=text.encode(), place=row["record_id"], done=number + 1)


def choices_of(settings: CompletionsSettings) -> Choices:
    """Return how a set's prompts are asked."""
    return Choices(
        model=settings.model or DEFAULT_MODEL,
        parameters=settings.request_parameters(),
        concurrency=settings.concurrency,
    )


def make_requests(prompts: Artifact, out: OutputDraft, settings: CompletionsSettings) -> None:
    """Write the first request of each prompt, and what all of them would take and cost."""
    endpoint = settings.endpoint_name()
    choices = choices_of(settings)
    with out.table(REQUESTS_FILE, REQUESTS) as table:
        for record in prompt_records(prompts):
            prompt = understand(record.text)
            first, *later = prompt.empty
            request = CompletionRequest(
                model=choices.model,
                messages=tuple(turn.message for turn in prompt.turns[:first]),
                tools=prompt.tools,
                parameters=dict(choices.parameters),
            )
            table.add(
                {
                    "record_id": record.place,
                    "turn": first,
                    "key": request.key(settings.provider, endpoint),
                    "model": request.model,
                    "input_tokens": prompt_tokens(request),
                    "later_turns": len(later),
                }
            )
    counting = Counting(choices=choices, assumed_tokens=settings.assumed_output_tokens)
    expected = estimate(counting.requests(prompt_records(prompts)), settings)
    out.report(rows=table.count, metadata={"estimate": msgspec.to_builtins(expected)})
