"""Small datasets as the store holds them, and the report on them."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles, read_bytes
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.datasets.layout import shard_file
from resonare_pipeline.datasets.report.settings import ReportSettings
from resonare_pipeline.datasets.report.writing import REPORT_FILE, write_report
from resonare_pipeline.datasets.summary import (
    SPLITS,
    SUMMARY_FILE,
    SourceSummary,
    SplitSummary,
    Summary,
    encode_summary,
)
from resonare_pipeline.rows import EXAMPLES

Row = dict[str, Any]
START = dt.datetime(2024, 2, 28, 22, 0, tzinfo=dt.UTC)


def example(number: int, *contents: str, **rest: Any) -> Row:
    """Return an example whose turns alternate, the assistant last; ten tokens a turn."""
    contents = contents or ("hello", "hi there")
    roles = ["assistant", "user"] * len(contents)
    turns = [
        {"role": role, "content": content, "weight": None}
        for role, content in zip(roles[len(contents) - 1 :: -1], contents, strict=False)
    ]
    return {
        "example_id": hashlib.sha256(str(number).encode()).hexdigest()[:16],
        "messages": turns,
        "tools": None,
        "source": "chats/alice",
        "root_id": f"telegram:user{number}",
        "repeat": 0,
        "turns": len(turns),
        "tokens": 10 * len(turns),
        "trained_tokens": 10 * sum(turn["role"] == "assistant" for turn in turns),
        "language": "en",
        "started_at": START + dt.timedelta(days=number),
        "ended_at": START + dt.timedelta(days=number, hours=1),
        "provenance": "{}",
    } | rest


def summary_of(splits: Mapping[str, Sequence[Row]], **changed: Any) -> Summary:
    """Return a summary that agrees with rows, but for what a test sets."""
    rows = [row for split in splits.values() for row in split]
    sources = {
        name: SourceSummary(
            asset="chat_conversations",
            read=sum(row["source"] == name for row in rows),
            examples=sum(row["source"] == name for row in rows),
            tokens=sum(row["tokens"] for row in rows if row["source"] == name),
            weight=1.0,
            dropped={},
            redactions={},
        )
        for name in sorted({row["source"] for row in rows})
    }
    values: dict[str, Any] = {
        "name": "Conversations",
        "license": "other",
        "examples": len(rows),
        "tokens": sum(row["tokens"] for row in rows),
        "redacted": True,
        "sources": sources,
        "splits": {split: _split_summary(own) for split, own in splits.items() if own},
        "dropped": {},
        "redactions": {},
        "left": {},
        "languages": dict(sorted(Counter(row["language"] or "und" for row in rows).items())),
        "absent": (),
        "mock_examples": 0,
        "notes": (),
        "training": {"epochs": 3.0, "tokens": 60.0, "cost_usd": 0.18},
        "tokenizer": "o200k_base",
        "settings": {"dataset": {"seed": 0, "name": "Conversations"}},
    }
    return Summary(**values | changed)


def _split_summary(rows: Sequence[Row]) -> SplitSummary:
    return SplitSummary(
        examples=len(rows),
        roots=len({row["root_id"] for row in rows}),
        turns=sum(row["turns"] for row in rows),
        tokens=sum(row["tokens"] for row in rows),
        trained_tokens=sum(row["trained_tokens"] for row in rows),
        num_bytes=1,
        openai_examples=len(rows),
        openai_left_out={},
        openai_tokens=sum(row["tokens"] for row in rows),
    )


def dataset(
    folder: Path,
    splits: Mapping[str, Sequence[Row]],
    *,
    shard_rows: int = 1_000_000,
    summary: Summary | bytes | None = None,
    **changed: Any,
) -> Artifact:
    """Return a dataset of rows.

    Args:
        shard_rows: Rows of a shard.
        summary: Instead of one that agrees with the rows; bytes as they are.
        changed: Of that summary.
    """
    store = Store(LocalFiles(folder))
    out = store.output(store.attempt("dataset", None, "f"), "dataset")
    for split in (*SPLITS, *sorted(splits.keys() - set(SPLITS))):
        rows = splits.get(split, [])
        of = -(-len(rows) // shard_rows)
        for number in range(of):
            with out.table(shard_file(split, number, of), EXAMPLES) as table:
                for row in rows[number * shard_rows : (number + 1) * shard_rows]:
                    table.add(row)
    told = summary_of(splits, **changed) if summary is None else summary
    with out.open(SUMMARY_FILE) as stream:
        stream.write(told if isinstance(told, bytes) else encode_summary(told))
    out.report(rows=sum(map(len, splits.values())))
    return out.staged()


def report(
    folder: Path,
    now: Artifact,
    previous: Artifact | None = None,
    *,
    dropped: Mapping[str, Mapping[str, int]] | None = None,
    kept: Mapping[str, int] | None = None,
    **settings: Any,
) -> Artifact:
    """Return the report on a dataset."""
    store = Store(LocalFiles(folder))
    out = store.output(store.attempt("dataset_report", None, "f"), "dataset_report")
    write_report(
        now, previous, dropped or {}, out, kept=kept or {}, settings=ReportSettings(**settings)
    )
    return out.staged()


def html_of(artifact: Artifact) -> str:
    """Return the page."""
    return read_bytes(artifact.files, artifact.file(REPORT_FILE).path).decode()


def soup_of(artifact: Artifact) -> BeautifulSoup:
    """Return the page as a browser would take it apart."""
    return BeautifulSoup(html_of(artifact), "html.parser")
