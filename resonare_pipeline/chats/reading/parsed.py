"""Messages as one format's reader parsed them, run by run, and the files that runs are kept in.

Workers write these files; a summary tells what is to be known of rows without reading them. What
may not live here: chats as wholes, and anything about one format.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.rows import ENTITY, REACTION, TIMESTAMP

PARSED = pa.schema(
    [
        pa.field("number", pa.int64()),  # the source's id of the message, if that is a number
        pa.field("label", pa.string()),  # the source's id, if that is anything else
        pa.field("content", pa.int64()),  # hash of time, sender and text, if there is no id
        pa.field("sender", pa.int32(), nullable=False),  # into the list of senders
        pa.field("sent_at", TIMESTAMP, nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("entities", pa.list_(ENTITY)),
        pa.field("reply_number", pa.int64()),  # id of a message in the same chat
        pa.field("reply_to_id", pa.string()),  # whole id of a message in another chat
        pa.field("forwarded_from", pa.string()),
        pa.field("media_kind", pa.string()),
        pa.field("media_path", pa.string()),
        pa.field("reactions", pa.list_(REACTION)),
        pa.field("edited_at", TIMESTAMP),
    ]
)
SENDER = PARSED.get_field_index("sender")
KEYS = ("number", "label", "content", "sender", "sent_at", "edited_at")
KEY_COLUMNS = tuple(PARSED.get_field_index(name) for name in KEYS)

Tallies = dict[int, tuple[int, int]]
"""Sender → (number of rows, number of the last row)."""


class Sender(NamedTuple):
    """Who sent a message, as one message says it."""

    id: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRun:
    """Neighbouring messages of one chat, parsed.

    Attributes:
        rows: Messages in the order of the source, by the schema `PARSED`.
        senders: What `rows.sender` points into.
        dropped: (id in the source, reason) of messages that are left out.
        local_times: How many rows have a time without a zone.
        old_numbers: Whether senders are plain numbers, as in old exports.
    """

    rows: pa.RecordBatch
    senders: Sequence[Sender]
    dropped: Sequence[tuple[str, str]]
    local_times: int
    old_numbers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A parsed run whose rows lie in a file, and what is to be known of them without reading it.

    Attributes:
        path: Holds the rows, `sender` pointing into `senders`.
        place: Number of the batch in that file that holds these rows.
        start: Of these rows in that batch.
        shared: Whether that batch holds rows of other chats, too.
        tallies: Of the rows, by number of the sender.
        ordered: Whether numbers ascend strictly and times never fall.
        first: Time, sender and text of the first row.
    """

    path: Path
    place: int
    rows: int
    senders: Sequence[Sender]
    dropped: Sequence[tuple[str, str]]
    local_times: int
    old_numbers: bool
    start: int = 0
    shared: bool = False
    tallies: Tallies = field(default_factory=dict)
    ordered: bool = True
    first: tuple[int, str | None, str] | None = None
    last_sent: int = 0
    first_number: int = 0
    last_number: int = 0


def keep_runs(runs: Sequence[ParsedRun], path: Path) -> list[KeptRun]:
    """Write the rows of parsed runs to one file, a batch for each; workers do this, too.

    Raises:
        StoreError: If it cannot be written.
    """
    _write([run.rows for run in runs if run.rows.num_rows], path)
    kept: list[KeptRun] = []
    place = 0
    for run in runs:
        kept.append(_summary(run, path, place))
        place += bool(run.rows.num_rows)
    return kept


def keep_together(
    rows: pa.RecordBatch, sizes: Iterable[int], senders: Sequence[Sender], path: Path
) -> list[KeptRun]:
    """Write rows of several chats to one file as one batch.

    Args:
        rows: Of one chat behind the other, none left out, by the schema `PARSED`.
        sizes: How many rows each chat has.
        senders: What `rows.sender` points into.
        path: The file.

    Raises:
        StoreError: If it cannot be written.
    """
    _write([rows], path)
    kept: list[KeptRun] = []
    start = 0
    for size in sizes:
        own = ParsedRun(rows=rows.slice(start, size), senders=senders, dropped=(), local_times=0)
        kept.append(replace(_summary(own, path, 0), start=start, shared=True))
        start += size
    return kept


def _write(batches: Sequence[pa.RecordBatch], path: Path) -> None:
    if not batches:
        return
    with (
        storage_errors(f"temporary file {path}"),
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, batches[0].schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def _summary(run: ParsedRun, path: Path, place: int) -> KeptRun:
    kept = KeptRun(
        path=path,
        place=place,
        rows=run.rows.num_rows,
        senders=run.senders,
        dropped=run.dropped,
        local_times=run.local_times,
        old_numbers=run.old_numbers,
    )
    if not kept.rows:
        return kept
    times = run.rows.column("sent_at").cast(pa.int64()).to_numpy()
    numbers = run.rows.column("number")
    ids = np.zeros(kept.rows, np.int64) if numbers.null_count else numbers.to_numpy()
    codes = run.rows.column(SENDER).to_numpy()
    return replace(
        kept,
        tallies=tally(codes, 0),
        ordered=bool((np.diff(ids) > 0).all() and (np.diff(times) >= 0).all())
        and not numbers.null_count,
        first=(int(times[0]), run.senders[int(codes[0])].id, run.rows.column("text")[0].as_py()),
        last_sent=int(times[-1]),
        first_number=int(ids[0]),
        last_number=int(ids[-1]),
    )


def tally(codes: npt.NDArray[np.int32], start: int) -> Tallies:
    """Count rows by sender, and note the last row of each.

    Args:
        codes: A sender for each row.
        start: Number of the first row.
    """
    found, from_end, counts = np.unique(codes[::-1], return_index=True, return_counts=True)
    last = start + len(codes) - 1 - from_end
    return dict(zip(found.tolist(), zip(counts.tolist(), last.tolist(), strict=True), strict=True))


def add_tallies(tallies: Tallies, more: Tallies) -> None:
    """Enter tallies of later rows of the same chat into its own."""
    for sender, (count, last) in more.items():
        before = tallies.get(sender, (0, 0))
        tallies[sender] = (before[0] + count, max(before[1], last))
