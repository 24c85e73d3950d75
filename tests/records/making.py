"""Records of tests, and the way through reader, filler and writer."""

import asyncio
import io
import json
from dataclasses import dataclass
from typing import Any

from resonare_pipeline.records.dropping import DroppedLines
from resonare_pipeline.records.filling import Report, fill
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.reading import find_source, open_records
from resonare_pipeline.records.sinks import FileSink
from resonare_pipeline.records.walking import Choices
from resonare_pipeline.records.writing import open_writer
from tests.records.answering import Answers


class _Kept(io.BytesIO):
    """Bytes that can be looked at after they are closed."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


@dataclass
class Outcome:
    out: bytes
    dropped: list[dict[str, Any]]
    report: Report
    answers: Answers

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def reasons(self) -> dict[str, int]:
        return dict(self.report.dropped)


def prompt(question: str = "hello", **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": ""}]
    return {"messages": turns, **more}


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def fill_bytes(
    content: bytes,
    answers: Answers | None = None,
    *,
    to: Format = Format.JSONL,
    longest: int = 1 << 20,
    **choices: Any,
) -> Outcome:
    answers = answers or Answers()
    source = find_source("input", len(content), lambda: io.BytesIO(content))
    out, dropped, report = _Kept(), _Kept(), Report()
    with open_records(source, longest=longest) as records:
        writer = open_writer(out, to, records)
        sink = FileSink(writer, DroppedLines(lambda: dropped, source.open))
        given = {"model": "m", "has_padding": records.is_padded, **choices}
        asyncio.run(fill(records, answers, Choices(**given), sink, report))
        writer.finish()
    return Outcome(
        out=out.content or out.getvalue(),
        dropped=[json.loads(line) for line in dropped.getvalue().splitlines()],
        report=report,
        answers=answers,
    )
