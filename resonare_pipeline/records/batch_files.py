"""The first requests of a set as input files for OpenAI's Batch API, within its limits."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.completions.requests import BATCH_BYTES, BATCH_LINES
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import StageError
from resonare_pipeline.records.prompting import REQUESTS_FILE, choices_of, prompt_records
from resonare_pipeline.records.tables import BATCH_FILES
from resonare_pipeline.records.understanding import understand
from resonare_pipeline.records.walking import Walk

NAME = "batch_{number}.jsonl"
LIST_FILE = "batch_files.parquet"


@dataclass(slots=True)
class _File:
    name: str
    stream: BinaryIO
    lines: int = 0
    bytes: int = 0
    tokens: int = 0


def make_batch_files(
    prompts: Artifact, requests: Artifact, out: OutputDraft, settings: CompletionsSettings
) -> None:
    """Write `batch_1.jsonl` and so on; identical requests once, a request's key as its custom_id.

    A file holds at most 50,000 lines and 200,000,000 bytes, and one model.

    Args:
        prompts: The prompts of a set.
        requests: Their first requests, in the same order.
        out: Takes the files, and a table of them.

    Raises:
        StageError: If prompts and requests do not belong together.
    """
    rows = files = 0
    with out.table(LIST_FILE, BATCH_FILES) as table, ExitStack() as stack:
        current: _File | None = None

        def ended() -> None:
            stack.close()
            if current is not None:
                table.add(
                    {
                        "file": current.name,
                        "model": choices_of(settings).model,
                        "lines": current.lines,
                        "bytes": current.bytes,
                        "tokens": current.tokens,
                    }
                )

        for text, tokens in _lines(prompts, requests, settings):
            is_full = current is not None and (
                current.lines == BATCH_LINES or current.bytes + len(text) > BATCH_BYTES
            )
            if current is None or is_full:
                ended()
                files += 1
                name = NAME.format(number=files)
                current = _File(name, stack.enter_context(out.open(name)))
            current.stream.write(text)
            current.lines += 1
            current.bytes += len(text)
            current.tokens += tokens
            rows += 1
        ended()
    out.report(rows=rows, metadata={"files": files})


def _lines(
    prompts: Artifact, requests: Artifact, settings: CompletionsSettings
) -> Iterator[tuple[bytes, int]]:
    choices = choices_of(settings)
    seen: set[bytes] = set()  # 32 bytes for each of, say, a million requests
    rows = requests.rows(REQUESTS_FILE)
    for record, row in zip(prompt_records(prompts), rows, strict=True):
        if row["record_id"] != record.place:
            raise StageError("prompts and requests are of different sets", where=record.place)
        if (digest := bytes.fromhex(row["key"])) not in seen:
            seen.add(digest)
            request = Walk(understand(record.text)).request(choices)
            yield request.batch_line(row["key"]), row["input_tokens"]
