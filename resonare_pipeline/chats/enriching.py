"""Which messages go on, by time and by sender; what they gain; and whether they are redacted.

With nothing set all of them go on as they are, and nothing is copied.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.chats.additions import (
    Additions,
    Sources,
    Told,
    add_lines,
    find_additions,
    without_people,
)
from resonare_pipeline.chats.forgetting import ForgetSettings, Traces
from resonare_pipeline.chats.labels import LABELS_FILE, write_labels
from resonare_pipeline.chats.linking import (
    PEOPLE_FILE,
    Links,
    find_links,
    linked_batch,
    write_links,
)
from resonare_pipeline.errors import StageError
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import MESSAGES
from resonare_pipeline.settings import Section

MESSAGES_FILE = "messages.parquet"
TOLD_FILE = "told.json"
TOLD_COUNTS = ("links_read", "images_described")


class EnrichedMessagesSettings(Section):
    """Which messages of an export are used, and how."""

    section: ClassVar[str] = "enriched_messages"

    since: dt.date | None = None
    """First day that counts (UTC, YYYY-MM-DD); unset: from the beginning."""

    until: dt.date | None = None
    """Last day that counts (UTC, YYYY-MM-DD, included); unset: to the end."""

    exclude_senders: tuple[str, ...] = ()
    """People left out, by sender id (`telegram:user1`) or by name."""

    fetch_links: bool = False
    """Add what links say: the text of posts on X, title and description of other pages. Asks these
    servers, as `[links]` says. Default: no; nothing leaves this machine."""

    describe_images: bool = False
    """Add what images show, in the words of a model that sees them, as `[images]` and
    `[completions]` say. It costs money, and sends the images there. Default: no."""

    redact: bool = False
    """Redact texts and names as `[privacy]` says, before anything is cut from them. Default: no,
    since deliverables of one export are the person's own words."""


def enrich_messages(
    messages: Artifact,
    out: OutputDraft,
    settings: EnrichedMessagesSettings,
    *,
    privacy: PrivacySettings | None = None,
    people: PeopleSettings | None = None,
    forget: ForgetSettings | None = None,
    sources: Callable[[], Sources] | None = None,
    unfinished: Artifact | None = None,
    progress: Progress = silent,
) -> None:
    """Write the messages that the settings let through; with none set, alias the input.

    Messages left out are recorded with the reason `before_since`, `after_until` or
    `excluded_sender`. People who are linked have one id and one name each, and `people.json` stands
    beside the messages. Redacted ones have no entities and no paths of media, and `labels.json`
    stands beside them. What links say and images show is added before that.

    Args:
        privacy: How messages are redacted, if they are; None is the default.
        people: Whose ids are one person's; None is nobody's.
        forget: Who is left out of what links say and images show; None is nobody. What the messages
            themselves say of them is gone already.
        sources: Opens what is asked of links and images; None: nothing is.
        unfinished: What came out before, of the same messages and settings, when links or images
            could not be had; what is known from then is not asked for again.
        progress: Told of redacted messages, links and images.

    Raises:
        ResonareError: As the sources say; nothing is written then.
    """
    people = people or PeopleSettings()
    links = find_links(messages, MESSAGES_FILE, people)
    if settings == EnrichedMessagesSettings() and not links.people:
        out.alias(messages)
        out.report(rows=messages.entry.rows, metadata={"passed_through": True})
        return
    replaced: Counter[str] = Counter()
    excluded = people.with_all_ids(settings.exclude_senders)
    settings = settings.model_copy(update={"exclude_senders": excluded})
    if links.people:
        with out.open(PEOPLE_FILE) as stream:
            write_links(stream, links)
    additions = _additions(messages, settings, sources, unfinished, progress)
    if additions is not None and forget is not None and forget.people:
        additions = without_people(additions, Traces.of(forget.people))
    with out.table(MESSAGES_FILE, MESSAGES) as table, out.dropped() as dropped:
        kept: Iterator[pa.RecordBatch] = (
            _filter(batch, settings, dropped) for batch in messages.batches(MESSAGES_FILE)
        )
        if links.people:
            kept = (linked_batch(batch, links) for batch in kept)
        if additions is not None:
            kept = (add_lines(batch, additions) for batch in kept)
        if settings.redact:
            kept = _redacted(kept, messages, out, privacy or PrivacySettings(), links, replaced)
        for batch in kept:
            table.add_batch(batch)
            progress(table.count, messages.entry.rows, "messages")
    _keep_told(out, additions, unfinished, settings)
    counts = {f"redacted_{kind}": count for kind, count in sorted(replaced.items())}
    found = additions or Additions()
    out.report(
        rows=table.count,
        metadata={
            "passed_through": False,
            **found.counts,
            **counts,
            "warnings": found.warnings,
        },
        retry_at=found.retry_at,
    )


def _additions(
    messages: Artifact,
    settings: EnrichedMessagesSettings,
    sources: Callable[[], Sources] | None,
    unfinished: Artifact | None,
    progress: Progress,
) -> Additions | None:
    """Ask what the messages gain that the settings let through; None where nothing is asked."""
    if sources is None or not (settings.fetch_links or settings.describe_images):
        return None
    batches = messages.batches(MESSAGES_FILE)
    kept = (_without(batch, _left_out(batch, settings)) for batch in batches)
    return find_additions(kept, sources(), told=_told(unfinished), progress=progress)


def _told(unfinished: Artifact | None) -> Told | None:
    """Return the lines of an earlier try, where they are written beside its messages."""
    if unfinished is None or all(file.name != TOLD_FILE for file in unfinished.entry.files):
        return None
    with unfinished.open(TOLD_FILE) as stream:
        return msgspec.json.decode(stream.read(), type=Told)


def _keep_told(
    out: OutputDraft,
    additions: Additions | None,
    unfinished: Artifact | None,
    settings: EnrichedMessagesSettings,
) -> None:
    """Write the lines beside the messages while more may come; redacted messages keep none.

    Raises:
        StageError: If there are fewer than before: what is there is the better one.
    """
    if additions is None:
        return
    before = unfinished.entry.metadata if unfinished else {}
    if any(additions.counts.get(name, 0) < before.get(name, 0) for name in TOLD_COUNTS):
        raise StageError(
            "links or images that could be had before cannot now",
            where=out.asset,
            remedy="Nothing is lost: what was made before stays",
        )
    if additions.retry_at is not None and not settings.redact:
        with out.open(TOLD_FILE, auxiliary=True) as stream:
            stream.write(msgspec.json.encode(additions.told, order="sorted"))


def _redacted(
    batches: Iterator[pa.RecordBatch],
    messages: Artifact,
    out: OutputDraft,
    privacy: PrivacySettings,
    links: Links,
    replaced: Counter[str],
) -> Iterator[pa.RecordBatch]:
    """Yield batches redacted, and write what stands for whom."""
    # Here and not above: a plan redacts nothing, and its patterns take 50 ms to compile.
    from resonare_pipeline.chats.redacting import find_people, labels_by_id, redact_batches

    found = find_people(messages, MESSAGES_FILE, privacy, links)
    for batch, counts in redact_batches(batches, found, privacy, messages.entry.rows):
        replaced.update(counts)
        yield batch
    with out.open(LABELS_FILE) as stream:
        write_labels(stream, labels_by_id(found))


def _filter(
    batch: pa.RecordBatch, settings: EnrichedMessagesSettings, dropped: DroppedRows
) -> pa.RecordBatch:
    rules = _left_out(batch, settings)
    leave = np.zeros(batch.num_rows, dtype=bool)
    for reason, mask in rules.items():
        for row in np.flatnonzero(mask & ~leave):
            dropped.add(batch.column("message_id")[int(row)].as_py(), reason)
        leave |= mask
    return _without(batch, rules)


def _left_out(batch: pa.RecordBatch, settings: EnrichedMessagesSettings) -> dict[str, np.ndarray]:
    """Return reason → which rows are left out for it."""
    return {
        "before_since": _earlier(batch, settings.since),
        "after_until": _later(batch, settings.until),
        "excluded_sender": _sent_by(batch, settings.exclude_senders),
    }


def _without(batch: pa.RecordBatch, rules: dict[str, np.ndarray]) -> pa.RecordBatch:
    leave = np.any(list(rules.values()), axis=0)
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
