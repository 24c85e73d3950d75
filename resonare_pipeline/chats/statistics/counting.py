"""Counts over the tables of an export, a batch at a time.

Memory is bounded by the number of chats, people and names, plus at most eight bytes a message for
the exact percentiles of gaps. Nothing is decided, named or formatted here.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact

MESSAGES_FILE = "messages.parquet"
BLOCKS_FILE = "blocks.parquet"
MESSAGE_BATCH_ROWS = 16_384  # the row groups of the file, so that none is cut
BLOCK_BATCH_ROWS = 4_096  # each holds some dozens of messages
REPLY_WITHIN_SECONDS = 3_600  # the usual end of a conversation
MICROSECONDS = 1_000_000
HOUR = 3_600 * MICROSECONDS
HOURS_OF_WEEK = 7 * 24
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
LONGEST_GAP_SECONDS = np.iinfo(np.int32).max

_COLUMNS = [
    "chat_id",
    "sender_id",
    "sender_name",
    "is_owner",
    "sent_at",
    "text",
    "media_kind",
    "reactions",
]
_WRITER = ["chat_id", "sender_id", "sender_name", "is_owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Someone in one chat, under one name."""

    chat_id: str
    sender_id: str | None
    sender_name: str | None
    is_owner: bool


@dataclass(slots=True, kw_only=True)
class Written:
    """What a writer wrote; times are microseconds since 1970."""

    messages: int = 0
    by_owner: int = 0
    with_text: int = 0
    media_only: int = 0
    characters: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, other: "Written") -> None:
        """Take another tally into this one."""
        self.messages += other.messages
        self.by_owner += other.by_owner
        self.with_text += other.with_text
        self.media_only += other.media_only
        self.characters += other.characters
        self.first = min(
            (time for time in (self.first, other.first) if time is not None), default=None
        )
        self.last = max(
            (time for time in (self.last, other.last) if time is not None), default=None
        )


@dataclass(slots=True, kw_only=True)
class Month:
    """What was written in one month."""

    messages: int = 0
    by_owner: int = 0
    characters: int = 0


@dataclass(slots=True, kw_only=True)
class MessageCounts:
    """What the messages add up to; gaps and replies are seconds."""

    writers: defaultdict[Writer, Written] = field(default_factory=lambda: defaultdict(Written))
    months: defaultdict[int, Month] = field(default_factory=lambda: defaultdict(Month))
    days: set[int] = field(default_factory=set)
    hours_of_week: np.ndarray = field(default_factory=lambda: np.zeros(HOURS_OF_WEEK, np.int64))
    media_kinds: Counter[str] = field(default_factory=Counter)
    reactions: Counter[str] = field(default_factory=Counter)
    gaps: list[np.ndarray] = field(default_factory=list)
    replies_by_owner: list[np.ndarray] = field(default_factory=list)
    replies_by_others: list[np.ndarray] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ChatBlocks:
    """What the blocks of one chat add up to."""

    blocks: int = 0
    messages: int = 0
    tokens: int = 0


@dataclass(slots=True, kw_only=True)
class BlockCounts:
    """What the blocks add up to: by chat, and the sizes of all of them."""

    chats: defaultdict[str, ChatBlocks] = field(default_factory=lambda: defaultdict(ChatBlocks))
    tokens: list[np.ndarray] = field(default_factory=list)
    members: list[np.ndarray] = field(default_factory=list)


def count_messages(messages: Artifact) -> MessageCounts:
    """Count messages that stand by chat and, within a chat, by time."""
    counts = MessageCounts()
    last: pa.RecordBatch | None = None
    for batch in messages.batches(MESSAGES_FILE, columns=_COLUMNS, batch_rows=MESSAGE_BATCH_ROWS):
        if not batch.num_rows:
            continue
        sent = batch.column("sent_at").cast(pa.int64())
        characters = pc.utf8_length(batch.column("text"))
        _count_writers(batch, sent, characters, counts)
        _count_times(batch, sent.to_numpy(), characters.to_numpy(), counts)
        _count_labels(batch, counts)
        last = _count_gaps(batch, sent, last, counts)
    return counts


def _count_writers(
    batch: pa.RecordBatch, sent: pa.Array, characters: pa.Array, counts: MessageCounts
) -> None:
    has_text = pc.greater(characters, 0)
    media_only = pc.and_not(pc.is_valid(batch.column("media_kind")), has_text)
    columns = {name: batch.column(name) for name in _WRITER} | {
        "characters": characters,
        "with_text": has_text.cast(pa.int64()),
        "media_only": media_only.cast(pa.int64()),
        "sent": sent,
    }
    groups = (
        pa.table(columns)
        .group_by(_WRITER, use_threads=False)
        .aggregate(
            [
                ("characters", "sum"),
                ("with_text", "sum"),
                ("media_only", "sum"),
                ("sent", "count"),
                ("sent", "min"),
                ("sent", "max"),
            ]
        )
    )
    for row in groups.to_pylist():
        writer = Writer(**{name: row[name] for name in _WRITER})
        counts.writers[writer].add(
            Written(
                messages=row["sent_count"],
                by_owner=row["sent_count"] if writer.is_owner else 0,
                with_text=row["with_text_sum"],
                media_only=row["media_only_sum"],
                characters=row["characters_sum"],
                first=row["sent_min"],
                last=row["sent_max"],
            )
        )


def _count_times(
    batch: pa.RecordBatch, sent: np.ndarray, characters: np.ndarray, counts: MessageCounts
) -> None:
    hours = sent // HOUR
    days = hours // 24
    counts.days.update(np.unique(days).tolist())
    hour_of_week = (days + EPOCH_WEEKDAY) % 7 * 24 + hours % 24
    counts.hours_of_week += np.bincount(hour_of_week, minlength=HOURS_OF_WEEK)
    is_owner = batch.column("is_owner").to_numpy(zero_copy_only=False)
    months, positions = np.unique(
        sent.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64),
        return_inverse=True,
    )
    # Sums of whole numbers below 2^53 are exact in the floats that bincount weighs with.
    columns = zip(
        months.tolist(),
        np.bincount(positions).tolist(),
        np.bincount(positions, weights=is_owner).tolist(),
        np.bincount(positions, weights=characters).tolist(),
        strict=True,
    )
    for month, messages, by_owner, length in columns:
        tally = counts.months[month]
        tally.messages += messages
        tally.by_owner += int(by_owner)
        tally.characters += int(length)


def _count_labels(batch: pa.RecordBatch, counts: MessageCounts) -> None:
    kinds = pc.drop_null(batch.column("media_kind"))
    for entry in pc.value_counts(kinds).to_pylist():
        counts.media_kinds[entry["values"]] += entry["counts"]
    reactions = batch.column("reactions").flatten()
    if not len(reactions):
        return
    table = pa.table(
        {name: pc.struct_field(reactions, name) for name in ("reaction", "count")}
    ).drop_null()
    groups = table.group_by("reaction", use_threads=False).aggregate([("count", "sum")])
    for row in groups.to_pylist():
        counts.reactions[row["reaction"]] += row["count_sum"]


def _count_gaps(
    batch: pa.RecordBatch, sent: pa.Array, last: pa.RecordBatch | None, counts: MessageCounts
) -> pa.RecordBatch:
    """Count the gaps before each message of a batch; return the row that the next one follows."""
    here = pa.RecordBatch.from_pydict(
        {
            "chat": batch.column("chat_id"),
            "sender": pc.coalesce(batch.column("sender_id"), batch.column("sender_name"), ""),
            "is_owner": batch.column("is_owner"),
            "sent": sent,
        }
    )
    joined = here if last is None else pa.concat_batches([last, here])
    before, after = joined.slice(0, joined.num_rows - 1), joined.slice(1)
    seconds = np.diff(joined.column("sent").to_numpy()) // MICROSECONDS
    seconds = np.clip(seconds, 0, LONGEST_GAP_SECONDS).astype(np.int32)
    same_chat = _as_mask(pc.equal(before.column("chat"), after.column("chat")))
    counts.gaps.append(seconds[same_chat])
    changed = _as_mask(pc.not_equal(before.column("sender"), after.column("sender")))
    is_reply = same_chat & changed & (seconds <= REPLY_WITHIN_SECONDS)
    by_owner = _as_mask(after.column("is_owner"))
    counts.replies_by_owner.append(seconds[is_reply & by_owner])
    counts.replies_by_others.append(seconds[is_reply & ~by_owner])
    return joined.slice(joined.num_rows - 1)


def _as_mask(values: pa.Array) -> np.ndarray:
    mask: np.ndarray = values.to_numpy(zero_copy_only=False)
    return mask


def count_blocks(blocks: Artifact) -> BlockCounts:
    """Count blocks that stand by chat and time.

    A message that is split over several blocks is a member of each, and counts once as a message.
    """
    counts = BlockCounts()
    last_id: str | None = None
    for batch in blocks.batches(
        BLOCKS_FILE, columns=["chat_id", "token_count", "members"], batch_rows=BLOCK_BATCH_ROWS
    ):
        members = batch.column("members")
        sizes = pc.list_value_length(members).to_numpy()
        counts.tokens.append(batch.column("token_count").to_numpy())
        counts.members.append(sizes)
        ids = pc.struct_field(members.flatten(), "message_id")
        is_new = np.ones(len(ids), dtype=bool)
        if len(ids):
            is_new[1:] = _as_mask(pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)))
            is_new[0] = ids[0].as_py() != last_id
            last_id = ids[-1].as_py()
        _add_blocks(batch, sizes, is_new, counts)
    return counts


def _add_blocks(
    batch: pa.RecordBatch, sizes: np.ndarray, is_new: np.ndarray, counts: BlockCounts
) -> None:
    encoded = pc.dictionary_encode(batch.column("chat_id"))
    chats = encoded.indices.to_numpy()
    tokens = batch.column("token_count").to_numpy()
    length = len(encoded.dictionary)
    columns = zip(
        encoded.dictionary.to_pylist(),
        np.bincount(chats, minlength=length).tolist(),
        np.bincount(np.repeat(chats, sizes), weights=is_new, minlength=length).tolist(),
        np.bincount(chats, weights=tokens, minlength=length).tolist(),
        strict=True,
    )
    for chat_id, blocks, messages, total in columns:
        chat = counts.chats[chat_id]
        chat.blocks += blocks
        chat.messages += int(messages)
        chat.tokens += int(total)
