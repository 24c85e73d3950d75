"""The first requests of a set as input files for OpenAI's Batch API, within its limits."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.records.prompting import choices_of, prompt_records
from resonare_pipeline.records.understanding import understand
from resonare_pipeline.records.walking import Walk

MOST_LINES = 50_000  # OpenAI's own maxima for one file
MOST_BYTES = 200_000_000
NAME = "batch_{number}.jsonl"


def make_batch_files(prompts: Artifact, out: OutputDraft, settings: CompletionsSettings) -> None:
    """Write `batch_1.jsonl` and so on; identical requests once, a request's key as its custom_id.

    A file holds at most 50,000 lines and 200,000,000 bytes, and one model.
    """
    rows = files = 0
    with ExitStack() as stack:
        stream: BinaryIO | None = None
        lines = size = 0
        for text in _lines(prompts, settings):
            if stream is None or lines == MOST_LINES or size + len(text) > MOST_BYTES:
                stack.close()
                files, lines, size = files + 1, 0, 0
                stream = stack.enter_context(out.open(NAME.format(number=files)))
            stream.write(text)
            rows, lines, size = rows + 1, lines + 1, size + len(text)
    out.report(rows=rows, metadata={"files": files})


def _lines(prompts: Artifact, settings: CompletionsSettings) -> Iterator[bytes]:
    endpoint, choices = settings.endpoint_name(), choices_of(settings)
    seen: set[bytes] = set()  # 32 bytes for each of, say, a million requests
    for record in prompt_records(prompts):
        request = Walk(understand(record.text)).request(choices)
        key = request.key(settings.provider, endpoint)
        if (digest := bytes.fromhex(key)) not in seen:
            seen.add(digest)
            yield request.batch_line(key)
