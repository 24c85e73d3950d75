"""Rows → Parquet shards, JSON lines and OpenAI's file of each split.

Rows are read from the spool in their final order and written once; nothing is decided here but
where a shard ends.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.datasets.candidates import Row, Spool
from resonare_pipeline.datasets.layout import ORIGINS_FILE, lines_file, openai_file, shard_file
from resonare_pipeline.datasets.mixing import Taken
from resonare_pipeline.datasets.openai import MOST_BYTES, LeftOut, breach, openai_line
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import EXAMPLES, ORIGINS, Provenance

CHUNK_ROWS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What rows show of where they come from.

    Attributes:
        sources: By number of source.
        roots: By number of root.
        origins: By number of source: asset, digest and partition.
        redacted: Leave out of the provenance what may name a person, or confirm a guess.
    """

    sources: Sequence[str]
    roots: Sequence[str]
    origins: Sequence[tuple[str, str, str]]
    redacted: bool


@dataclass(slots=True, kw_only=True)
class Written:
    """What was written of one split."""

    num_bytes: int = 0
    openai_examples: int = 0
    openai_tokens: int = 0
    openai_left_out: Counter[str] = field(default_factory=Counter)


def shards(rows: Sequence[Taken], shard_bytes: int) -> list[Sequence[Taken]]:
    """Cut rows into shards of about so many bytes of text, one at least."""
    starts = [0]
    size = 0
    for at, taken in enumerate(rows):
        if size and size + taken.note.size > shard_bytes:
            starts.append(at)
            size = 0
        size += taken.note.size
    return [rows[a:b] for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)]


def write_split(
    split: str,
    rows: Sequence[Taken],
    spool: Spool,
    names: Names,
    out: OutputDraft,
    *,
    shard_bytes: int,
    progress: Progress = silent,
) -> Written:
    """Write all files of one split."""
    written = Written()
    parts = shards(rows, shard_bytes)
    done = 0
    with ExitStack() as stack:
        lines = stack.enter_context(out.open(lines_file(split)))
        openai = _OpenAiFile(stack.enter_context(out.open(openai_file(split))), written)
        for number, part in enumerate(parts):
            with out.table(shard_file(split, number, len(parts)), EXAMPLES) as table:
                for chunk in _chunks(part):
                    encoded: list[dict[str, Any]] = []
                    for taken in chunk:
                        row = spool.row(taken.note)
                        encoded.append(_table_row(row, taken, names))
                        openai.add(row, taken)
                    batch = pa.RecordBatch.from_pylist(encoded, schema=EXAMPLES)
                    table.add_batch(batch)
                    written.num_bytes += batch.nbytes
                    lines.write(b"".join(_lines(encoded)))
                    done += len(chunk)
                    progress(done, len(rows), f"{split} examples")
    return written


def write_origins(splits: Iterable[Sequence[Taken]], names: Names, out: OutputDraft) -> None:
    """Write what each example was made from, in a file that is not published."""
    with out.table(ORIGINS_FILE, ORIGINS) as table:
        for taken in itertools.chain.from_iterable(splits):
            if not taken.repeat:
                asset, digest, _ = names.origins[taken.note.source]
                table.add(
                    {
                        "example_id": taken.note.public_id,
                        "source_example_id": taken.note.example_id,
                        "asset": asset,
                        "digest": digest,
                    }
                )


def _chunks(rows: Sequence[Taken]) -> Iterator[Sequence[Taken]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield rows[start : start + CHUNK_ROWS]


def _table_row(row: Row, taken: Taken, names: Names) -> dict[str, Any]:
    note = taken.note
    asset, digest, partition = names.origins[note.source]
    provenance = Provenance(asset=asset, mock=row.mock)
    if not names.redacted:
        provenance = Provenance(
            asset=asset, digest=digest, partition=partition, block_id=row.block_id, mock=row.mock
        )
    return {
        "example_id": note.public_id,
        "messages": [
            {"role": turn.role, "content": turn.content, "weight": turn.weight}
            for turn in row.messages
        ],
        "tools": row.tools,
        "source": names.sources[note.source],
        "root_id": names.roots[note.root],
        "repeat": taken.repeat,
        "turns": row.turns,
        "tokens": row.tokens,
        "trained_tokens": row.trained_tokens,
        "language": row.language,
        "started_at": row.started_us,
        "ended_at": row.ended_us,
        "provenance": msgspec.json.encode(provenance).decode(),
    }


def _lines(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    """Yield rows as JSON lines: nothing that is null, times as text, provenance as an object."""
    for row in rows:
        plain = {name: value for name, value in row.items() if value is not None}
        plain["messages"] = [
            {name: value for name, value in message.items() if value is not None}
            for message in row["messages"]
        ]
        for name in ("started_at", "ended_at"):
            if name in plain:
                plain[name] = _iso(plain[name])
        for name in ("provenance", "tools"):
            if name in plain:
                plain[name] = msgspec.Raw(plain[name].encode())
        yield msgspec.json.encode(plain) + b"\n"


def _iso(microseconds: int) -> str:
    time = pa.scalar(microseconds, pa.int64()).cast(pa.timestamp("us")).cast(pa.string()).as_py()
    return f"{time.replace(' ', 'T')}Z"


class _OpenAiFile:
    """Lines that OpenAI's rules allow, as long as the file may grow."""

    def __init__(self, stream: BinaryIO, written: Written) -> None:
        self._stream = stream
        self._written = written
        self._size = 0

    def add(self, row: Row, taken: Taken) -> None:
        """Write a row, or count why it is left out."""
        line = openai_line(row)
        reason = breach(line)
        content = b"" if reason else msgspec.json.encode(line) + b"\n"
        if not reason and self._size + len(content) > MOST_BYTES:
            reason = LeftOut.FILE_FULL
        if reason:
            self._written.openai_left_out[reason] += 1
            return
        self._stream.write(content)
        self._size += len(content)
        self._written.openai_examples += 1
        self._written.openai_tokens += taken.note.openai_tokens
