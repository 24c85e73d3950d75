"""An export of chats becomes the tables of chats and messages.

Readers of single formats parse files onto a spool; here is what all of them share: which chats are
taken, who the owner is, the order of rows, what is reported. A file's format is not known here.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.artifacts.scratch import scratch_folder
from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.forgetting import PLACEHOLDER, ForgetSettings, Traces
from resonare_pipeline.chats.reading.findings import Findings
from resonare_pipeline.chats.reading.formats import read_files
from resonare_pipeline.chats.reading.leaving_out import Forgetting
from resonare_pipeline.chats.reading.order import ChatPlan, Ordering
from resonare_pipeline.chats.reading.owner import Owner, OwnerBasis, find_owner
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.reading.tables import chat_row, duplicate_ids, message_batches
from resonare_pipeline.chats.telegram.times import zone_of
from resonare_pipeline.chats.telegram.window import WINDOW_BYTES
from resonare_pipeline.errors import InputError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import CHATS, MESSAGES

CHATS_FILE = "chats.parquet"
MESSAGES_FILE = "messages.parquet"
NAMED_FILES = 3  # in an error about all files of an export
EVERYBODY = ForgetSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """All that was read, before anything is written."""

    spool: Spool
    plans: list[ChatPlan]
    left_out: dict[str, int]
    owner: Owner
    warnings: list[str]
    local_times: int
    forgetting: Forgetting


def read_export(
    files: Sequence[ExportFile],
    chats: OutputDraft,
    messages: OutputDraft,
    settings: MessagesSettings,
    *,
    forget: ForgetSettings = EVERYBODY,
    progress: Progress = silent,
    window_bytes: int = WINDOW_BYTES,
    limits: Limits = LIMITS,
) -> None:
    """Write the chats and messages of one export in bounded memory.

    Chats that occur in several files are joined by message id; of a message that was edited
    between two exports the later version counts. Rows are ordered by chat, time and id, whatever
    the layout of the files.

    Args:
        files: All files of the export.
        chats: Takes `chats.parquet`.
        messages: Takes `messages.parquet` and what was left out.
        settings: Which chats are taken, who the owner is where no file tells, the zone of times.
        forget: Who is left out; nothing that is written tells of them.
        progress: Told of bytes read.
        window_bytes: How much of a file is parsed at a time.
        limits: How much is held in memory while chats are put in order.

    Raises:
        InputError: If a file is no export, or there is no message in any.
        InputChangedError: If a file is not what it was when it was listed.
        SettingsError: If the time zone or the owner does not exist.
    """
    zone = zone_of(settings.time_zone)
    with scratch_folder() as folder:
        spool = Spool(folder)
        try:
            source, findings = read_files(
                files, spool, settings, zone, progress, window_bytes, limits
            )
        finally:
            spool.close()
        with closing(spool.readers), closing(Ordering(spool, limits)) as ordering:
            forgetting = Forgetting(Traces.of(forget.people))
            names = [file.name for file in files]
            contents = _contents(spool, ordering, findings, settings, names, forgetting)
            _write(source, contents, chats, messages, limits)


def _contents(
    spool: Spool,
    ordering: Ordering,
    findings: list[Findings],
    settings: MessagesSettings,
    names: list[str],
    forgetting: Forgetting,
) -> _Contents:
    spans: dict[str, list[Span]] = {}
    left_out: Counter[str] = Counter()
    for span in spool.spans:
        if span.taken:
            spans.setdefault(span.chat_id, []).append(span)
        else:
            left_out[span.chat_id] += span.elements
    plans = [ordering.plan(spans[chat_id]) for chat_id in sorted(spans)]
    if not any(plan.count for plan in plans):
        raise _no_messages(spool, left_out, settings, names)
    stated = next((found.owner for found in reversed(findings) if found.owner), None)
    owner = find_owner(plans, spool.senders, stated=stated, setting=settings.owner)
    owner = forgetting.owner(owner)
    plans = forgetting.plans(spool, ordering, plans)
    warnings = [warning for found in findings for warning in found.warnings]
    local_times = sum(span.local_times for plan in plans for span in plan.spans)
    return _Contents(
        spool=spool,
        plans=plans,
        left_out=dict(sorted(left_out.items())),
        owner=owner,
        warnings=warnings + _guesses(owner, local_times, settings),
        local_times=local_times,
        forgetting=forgetting,
    )


def _guesses(owner: Owner, local_times: int, settings: MessagesSettings) -> list[str]:
    warnings = []
    if local_times:
        warnings.append(
            f"{local_times} messages have only local times, which were read as "
            f"{settings.time_zone}; set messages.time_zone if that is wrong"
        )
    if owner.basis is OwnerBasis.MOST_ACTIVE:
        warnings.append(
            f"the export does not tell who made it; {owner.sender_id}, who wrote most, was taken "
            "for the owner; set messages.owner if that is wrong"
        )
    if owner.basis is OwnerBasis.NONE:
        warnings.append("no sender was found who may have made the export, so that it has no owner")
    return warnings


def _no_messages(
    spool: Spool, left_out: Counter[str], settings: MessagesSettings, names: list[str]
) -> InputError:
    kinds = sorted({str(span.kind) for span in spool.spans if not span.taken})
    total = sum(span.elements for span in spool.spans)
    remedy = "Check the file: messages need a date and a text or medium"
    if kinds:
        remedy = f"To take {', '.join(kinds)}, add them to chat_kinds in [messages]"
    return InputError(
        f"none of {total} messages in {len(spool.spans)} chats can be used; "
        f"{len(left_out)} chats are of kinds that are not taken",
        where=", ".join(sorted(names)[:NAMED_FILES]),
        expected=f"messages in chats of the kinds {', '.join(settings.chat_kinds)}",
        remedy=remedy,
    )


def _write(
    source: str, contents: _Contents, chats: OutputDraft, messages: OutputDraft, limits: Limits
) -> None:
    owner_id = contents.owner.sender_id
    with ExitStack() as stack:
        chat_rows = stack.enter_context(chats.table(CHATS_FILE, CHATS))
        message_rows = stack.enter_context(messages.table(MESSAGES_FILE, MESSAGES))
        dropped = stack.enter_context(messages.dropped())
        _write_left_out(contents, dropped)
        for plan in contents.plans:
            before = sum(dropped.counts.values())
            _write_dropped(contents, plan, dropped)
            left_out = sum(dropped.counts.values()) - before
            chat_rows.add(
                chat_row(
                    plan,
                    contents.spool.senders,
                    owner_id=owner_id,
                    dropped=left_out,
                    source=source,
                )
            )
        for batch in message_batches(contents.spool, contents.plans, owner_id, limits):
            message_rows.add_batch(contents.forgetting.batch(batch))
    chats.report(rows=len(contents.plans), metadata={"chats_left_out": len(contents.left_out)})
    messages.report(rows=message_rows.count, metadata=_metadata(contents))


def _write_left_out(contents: _Contents, dropped: DroppedRows) -> None:
    """Note chats that are left out as wholes."""
    forgetting = contents.forgetting
    theirs = {s.chat_id for s in contents.spool.spans if s.peer in forgetting.traces.ids}
    for chat_id, count in contents.left_out.items():
        if chat_id not in theirs:
            dropped.add(chat_id, Reason.CHAT_KIND, items=count)
    if whole := forgetting.messages.get(PLACEHOLDER):
        dropped.add(PLACEHOLDER, Reason.FORGOTTEN, items=whole)


def _write_dropped(contents: _Contents, plan: ChatPlan, dropped: DroppedRows) -> None:
    """Note what is left out of a chat, one by one.

    Where people are forgotten nobody knows whose entries these are (who joined, who called), so
    that they are only counted.
    """
    spool, forgetting = contents.spool, contents.forgetting
    entries = (entry for span in plan.spans for entry in spool.dropped(span))
    if forgetting.is_empty:
        for source_id, reason in entries:
            dropped.add(f"{plan.chat_id}:{source_id}", reason)
    else:
        for reason, count in sorted(Counter(reason for _, reason in entries).items()):
            dropped.add(plan.chat_id, reason, items=count)
    for message_id in duplicate_ids(spool, plan):
        dropped.add(message_id, Reason.DUPLICATE)
    if theirs := forgetting.messages.get(plan.chat_id):
        dropped.add(plan.chat_id, Reason.FORGOTTEN, items=theirs)


def _metadata(contents: _Contents) -> dict[str, Any]:
    return {
        "owner_id": contents.owner.sender_id,
        "owner_name": contents.owner.name,
        "owner_basis": contents.owner.basis.value,
        "local_times": contents.local_times,
        "warnings": contents.warnings,
    }
