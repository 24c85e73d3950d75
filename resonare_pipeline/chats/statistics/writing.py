"""What an export holds and what became of it, as statistics.json, statistics.md and plots.

`counting` streams the tables, this module puts the counts together, `model`
is the shape of the result, and `text` and `plots` render it for people. Names of people and chats
are part of it; the text of a message never is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.chats.blocks import BlocksSettings
from resonare_pipeline.chats.labels import shown_chats
from resonare_pipeline.chats.statistics.counting import (
    REPLY_WITHIN_SECONDS,
    BlockCounts,
    ChatBlocks,
    MessageCounts,
    Writer,
    Written,
    count_blocks,
    count_messages,
)
from resonare_pipeline.chats.statistics.model import (
    BlockStatistics,
    ChatStatistics,
    DroppedStatistics,
    MonthStatistics,
    PaceStatistics,
    ParticipantStatistics,
    Statistics,
    Threshold,
    Totals,
    distribution,
    even_bins,
    power_of_two_bins,
    share,
)
from resonare_pipeline.chats.statistics.text import render_statistics

CHATS_FILE = "chats.parquet"
JSON_FILE = "statistics.json"
MARKDOWN_FILE = "statistics.md"

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SILENCES_SECONDS = (600, 1_800, 3_600, 7_200, 21_600, 86_400)  # ten minutes to a day

MOST_EVEN_BINS = 80  # a bar of each is still seen on a page

Dropped = Mapping[str, Mapping[str, int]]
"""Asset → reason → items."""

_Person = tuple[str, str | None]


def write_statistics(
    chats: Artifact,
    messages: Artifact,
    blocks: Artifact,
    out: OutputDraft,
    *,
    bounds: BlocksSettings,
    dropped: Dropped,
) -> None:
    """Write statistics.json, statistics.md and the plots that it shows.

    The tables stand by chat and time; each is read once, in batches. Equal tables give equal bytes.

    Args:
        bounds: What the blocks were cut to.
        dropped: What was left out on the way, in the order of the graph.
    """
    # Here and not above: a plan needs no plots, and so no library for images.
    from resonare_pipeline.chats.statistics.plots import draw_plots

    rows = shown_chats(chats.rows(CHATS_FILE, columns=["chat_id", "name", "kind"]), messages)
    statistics = _collect(rows, count_messages(messages), count_blocks(blocks), bounds, dropped)
    with out.open(JSON_FILE) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n")
    plots = draw_plots(statistics)
    with out.open(MARKDOWN_FILE) as stream:
        stream.write(render_statistics(statistics).encode())
    for name, content in plots.items():
        with out.open(name, auxiliary=True) as stream:  # says nothing that the JSON does not
            stream.write(content)
    totals = statistics.totals
    out.report(
        rows=totals.chats,
        metadata={
            "messages": totals.messages,
            "participants": totals.participants,
            "blocks": totals.blocks,
            "messages_in_blocks": totals.messages_in_blocks,
            "tokens": totals.tokens,
        },
    )


def _collect(
    chats: Iterable[dict[str, Any]],
    messages: MessageCounts,
    blocks: BlockCounts,
    bounds: BlocksSettings,
    dropped: Dropped,
) -> Statistics:
    written = Written()
    for tally in messages.writers.values():
        written.add(tally)
    rows = _chats(chats, messages, blocks)
    participants = _participants(messages, written.messages)
    return Statistics(
        totals=_totals(rows, len(participants), written, len(messages.days)),
        chats=rows,
        participants=participants,
        months=_months(messages),
        hours_by_weekday={
            day: tuple(hours)
            for day, hours in zip(
                WEEKDAYS, messages.hours_of_week.reshape(7, 24).tolist(), strict=True
            )
        },
        blocks=_blocks(blocks, bounds),
        dropped=_dropped(dropped),
        pace=_pace(messages),
        media_kinds=_most_frequent_first(messages.media_kinds),
        reactions=_most_frequent_first(messages.reactions),
    )


def _totals(
    chats: tuple[ChatStatistics, ...],
    participants: int,
    written: Written,
    days: int,
) -> Totals:
    in_blocks = sum(chat.messages_in_blocks for chat in chats)
    return Totals(
        chats=len(chats),
        participants=participants,
        messages=written.messages,
        with_text=written.with_text,
        media_only=written.media_only,
        characters=written.characters,
        owner_share=share(written.by_owner, written.messages),
        days_with_messages=days,
        first_sent_at=_iso(written.first),
        last_sent_at=_iso(written.last),
        blocks=sum(chat.blocks for chat in chats),
        messages_in_blocks=in_blocks,
        coverage=share(in_blocks, written.messages),
        tokens=sum(chat.tokens for chat in chats),
    )


def _chats(
    chats: Iterable[dict[str, Any]], messages: MessageCounts, blocks: BlockCounts
) -> tuple[ChatStatistics, ...]:
    by_chat: defaultdict[str, list[tuple[Writer, Written]]] = defaultdict(list)
    for writer, written in messages.writers.items():
        by_chat[writer.chat_id].append((writer, written))
    rows = [
        _chat(row, by_chat.get(row["chat_id"], []), blocks.chats.get(row["chat_id"], ChatBlocks()))
        for row in chats
    ]
    return tuple(sorted(rows, key=lambda chat: (-chat.messages, chat.chat_id)))


def _chat(
    row: dict[str, Any], writers: list[tuple[Writer, Written]], blocks: ChatBlocks
) -> ChatStatistics:
    total = Written()
    for _, written in writers:
        total.add(written)
    return ChatStatistics(
        chat_id=row["chat_id"],
        name=row["name"],
        kind=row["kind"],
        messages=total.messages,
        participants=len({_person(writer) for writer, _ in writers}),
        owner_share=share(total.by_owner, total.messages),
        blocks=blocks.blocks,
        messages_in_blocks=blocks.messages,
        coverage=share(blocks.messages, total.messages),
        tokens=blocks.tokens,
        first_sent_at=_iso(total.first),
        last_sent_at=_iso(total.last),
    )


def _person(writer: Writer) -> _Person:
    """Return what tells people apart: the sender id, or the name where there is none."""
    if writer.sender_id is not None:
        return ("id", writer.sender_id)
    return ("name", writer.sender_name)


def _participants(messages: MessageCounts, all_messages: int) -> tuple[ParticipantStatistics, ...]:
    people: defaultdict[_Person, list[tuple[Writer, Written]]] = defaultdict(list)
    for writer, written in messages.writers.items():
        people[_person(writer)].append((writer, written))
    rows = [_participant(entries, all_messages) for entries in people.values()]
    return tuple(sorted(rows, key=lambda row: (-row.messages, row.sender_id or "", row.name or "")))


def _participant(entries: list[tuple[Writer, Written]], all_messages: int) -> ParticipantStatistics:
    total = Written()
    names: Counter[str] = Counter()
    for writer, written in entries:
        total.add(written)
        if writer.sender_name:
            names[writer.sender_name] += written.messages
    length = round(total.characters / total.with_text, 1) if total.with_text else None
    return ParticipantStatistics(
        sender_id=entries[0][0].sender_id,
        name=min(names, key=lambda name: (-names[name], name), default=None),
        is_owner=any(writer.is_owner for writer, _ in entries),
        chats=len({writer.chat_id for writer, _ in entries}),
        messages=total.messages,
        with_text=total.with_text,
        characters=total.characters,
        average_length=length,
        share=share(total.messages, all_messages),
    )


def _months(messages: MessageCounts) -> tuple[MonthStatistics, ...]:
    return tuple(
        MonthStatistics(
            month=str(np.datetime64(month, "M")),
            messages=tally.messages,
            by_owner=tally.by_owner,
            characters=tally.characters,
        )
        for month, tally in sorted(messages.months.items())
    )


def _blocks(blocks: BlockCounts, bounds: BlocksSettings) -> BlockStatistics:
    tokens = _joined(blocks.tokens)
    return BlockStatistics(
        min_tokens=bounds.min_tokens_per_block,
        max_tokens=bounds.max_tokens_per_block,
        tokens=distribution(tokens),
        tokens_histogram=power_of_two_bins(tokens),
        tokens_even_histogram=even_bins(tokens, at_most=MOST_EVEN_BINS),
        messages=distribution(_joined(blocks.members)),
    )


def _dropped(dropped: Dropped) -> tuple[DroppedStatistics, ...]:
    return tuple(
        DroppedStatistics(asset=asset, reason=reason, items=items)
        for asset, reasons in dropped.items()
        for reason, items in sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    )


def _pace(messages: MessageCounts) -> PaceStatistics:
    gaps = _joined(messages.gaps)
    by_owner = _joined(messages.replies_by_owner)
    by_others = _joined(messages.replies_by_others)
    return PaceStatistics(
        gaps=distribution(gaps),
        silences=tuple(
            Threshold(longer_than_seconds=bound, count=int(np.count_nonzero(gaps > bound)))
            for bound in SILENCES_SECONDS
        ),
        reply_within_seconds=REPLY_WITHIN_SECONDS,
        replies=distribution(np.concatenate([by_owner, by_others])),
        replies_by_owner=distribution(by_owner),
        replies_by_others=distribution(by_others),
    )


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int32)


def _most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _iso(microseconds: int | None) -> str | None:
    """Return a time as ISO 8601 in whole seconds of UTC."""
    if microseconds is None:
        return None
    return f"{np.datetime64(microseconds, 'us').astype('datetime64[s]')}Z"
