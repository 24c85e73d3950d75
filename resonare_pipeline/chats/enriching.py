"""Which messages go on: by time and by sender. Unset, all of them do, and nothing is copied."""

import datetime as dt
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.rows import MESSAGES
from resonare_pipeline.settings import Section

MESSAGES_FILE = "messages.parquet"


class EnrichedMessagesSettings(Section):
    """Which messages of an export are used."""

    section: ClassVar[str] = "enriched_messages"

    since: dt.date | None = None
    """First day that counts (UTC, YYYY-MM-DD); unset: from the beginning."""

    until: dt.date | None = None
    """Last day that counts (UTC, YYYY-MM-DD, included); unset: to the end."""

    exclude_senders: tuple[str, ...] = ()
    """People left out, by sender id (`telegram:user1`) or by name."""


def enrich_messages(
    messages: Artifact, out: OutputDraft, settings: EnrichedMessagesSettings
) -> None:
    """Write the messages that the settings let through; with none set, alias the input.

    Messages left out are recorded with the reason `before_since`, `after_until` or
    `excluded_sender`.
    """
    if settings == EnrichedMessagesSettings():
        out.alias(messages)
        out.report(rows=messages.entry.rows, metadata={"passed_through": True})
        return
    with out.table(MESSAGES_FILE, MESSAGES) as table, out.dropped() as dropped:
        for batch in messages.batches(MESSAGES_FILE):
            kept = _filter(batch, settings, dropped)
            table.add_batch(kept)
    out.report(rows=table.count, metadata={"passed_through": False})


def _filter(
    batch: pa.RecordBatch, settings: EnrichedMessagesSettings, dropped: DroppedRows
) -> pa.RecordBatch:
    rules = {
        "before_since": _earlier(batch, settings.since),
        "after_until": _later(batch, settings.until),
        "excluded_sender": _sent_by(batch, settings.exclude_senders),
    }
    leave = np.zeros(batch.num_rows, dtype=bool)
    for reason, mask in rules.items():
        for row in np.flatnonzero(mask & ~leave):
            dropped.add(batch.column("message_id")[int(row)].as_py(), reason)
        leave |= mask
    return batch.filter(pa.array(~leave))


def _midnight(day: dt.date) -> pa.Scalar:
    return pa.scalar(dt.datetime.combine(day, dt.time(), dt.UTC), MESSAGES.field("sent_at").type)


def _earlier(batch: pa.RecordBatch, day: dt.date | None) -> np.ndarray:
    if day is None:
        return np.zeros(batch.num_rows, dtype=bool)
    return _as_mask(pc.less(batch.column("sent_at"), _midnight(day)))


def _later(batch: pa.RecordBatch, day: dt.date | None) -> np.ndarray:
    if day is None:
        return np.zeros(batch.num_rows, dtype=bool)
    return _as_mask(
        pc.greater_equal(batch.column("sent_at"), _midnight(day + dt.timedelta(days=1)))
    )


def _sent_by(batch: pa.RecordBatch, people: tuple[str, ...]) -> np.ndarray:
    allowed = pa.array(people, pa.string())
    return _as_mask(
        pc.or_(
            pc.is_in(batch.column("sender_id"), value_set=allowed),
            pc.is_in(batch.column("sender_name"), value_set=allowed),
        )
    )


def _as_mask(values: pa.BooleanArray) -> np.ndarray:
    return np.asarray(pc.coalesce(values, pa.scalar(False)), dtype=bool)  # noqa: FBT003  # its signature
