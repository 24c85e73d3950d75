"""Messages → blocks: the stage that cuts chats into pieces of bounded length.

Streams: a chunk of messages at a time, counted in other processes where that pays, and one run at a
time. Messages without text are left out, but they are activity: they keep a run together. What may
not live here: how an optimum is found, and how a conversation is rendered.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.chats.block_rows import BlockWriter
from resonare_pipeline.chats.bounded import Cutter, pieces_of, prepare
from resonare_pipeline.chats.cutting import Bounds, DropReason
from resonare_pipeline.chats.grouped import IN_BLOCK, REASONS, cut_items
from resonare_pipeline.chats.items import WHOLE, BoolArray, IntArray, Items, RunNumbers, groups
from resonare_pipeline.chats.lines import Counted, Texts, count_lines
from resonare_pipeline.chats.personas import Cast, roles_in
from resonare_pipeline.chats.rendering import ConversationSettings
from resonare_pipeline.chats.speakers import voices
from resonare_pipeline.chats.splitting import Span
from resonare_pipeline.counting import worker_count
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import BLOCKS
from resonare_pipeline.settings import Section
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer
from resonare_pipeline.workers import map_in_order

MESSAGES_FILE = "messages.parquet"
CHATS_FILE = "chats.parquet"
BLOCKS_FILE = "blocks.parquet"
BATCH_ROWS = 8_192  # messages counted in one call: some twenty milliseconds of work
CHUNK_ROWS = 4_096  # messages between two looks at which of those left out are next

COLUMNS = ["message_id", "chat_id", "sender_id", "sender_name", "is_owner", "sent_at", "text"]


class BlocksSettings(Section):
    """How chats are cut into blocks."""

    section: ClassVar[str] = "blocks"

    convo_block_threshold_secs: float = Field(default=3600.0, ge=0, allow_inf_nan=False)
    """Seconds of silence; a longer one, whole days included, ends a run of messages."""

    min_tokens_per_block: int = Field(default=64, ge=1)
    """Fewest tokens of a block's rendered conversation."""

    max_tokens_per_block: int = Field(default=2048, ge=1)
    """Most tokens of a block's rendered conversation."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_tokens_per_block > self.max_tokens_per_block:
            raise ValueError(
                f"min_tokens_per_block ({self.min_tokens_per_block}) must not be over "
                f"max_tokens_per_block ({self.max_tokens_per_block})"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Messages of one batch whose chats the persona takes part in, and the number of all read.

    Attributes:
        ids: Message ids and chat ids.
        rows: Numbers of the messages in their table.
        runs: Numbers of the runs that they are of.
        start: Number of the first message of the batch.
        read: Messages read so far.
    """

    ids: pa.RecordBatch
    rows: IntArray
    runs: IntArray
    times: IntArray
    answers: BoolArray
    texts: Texts
    start: int
    read: int


def make_blocks(
    messages: Artifact,
    chats: Artifact,
    out: OutputDraft,
    *,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
    tokenizer: TokenizerSettings,
    progress: Progress = silent,
) -> None:
    """Cut every chat at its silences and then into blocks, and write them with what is left out.

    Raises:
        SettingsError: If the persona is in no chat, or the maximum holds no message.
        TokenizerError: If the tokenizer cannot be loaded, or refuses such conversations.
    """
    roles = roles_in(
        chats.rows(CHATS_FILE, columns=["chat_id", "participants"]), messages, conversations
    )
    counter = load_tokenizer(tokenizer)
    bounds = Bounds(least=blocks.min_tokens_per_block, most=blocks.max_tokens_per_block)
    total = messages.entry.rows
    workers = worker_count(tokenizer.workers, total) if counter.portable else 0
    with out.table(BLOCKS_FILE, BLOCKS) as table, out.dropped() as dropped:
        left_out = _LeftOut(dropped)
        chunks = _chunks(messages, roles, left_out, blocks, conversations)
        cutter = prepare(counter, conversations, bounds)
        count = partial(
            count_lines,
            tokenizer=counter,
            separator=conversations.message_separator,
            keep_lines=not cutter.proven,
        )
        counted = map_in_order(count, chunks, workers=workers)
        writer = BlockWriter(table)
        for items, next_row in groups(_items(cutter, counted, left_out, progress, total)):
            cuts = cut_items(cutter, items)
            if next_row is not None:
                left_out.write((next_row // CHUNK_ROWS + 1) * CHUNK_ROWS)
            writer.add(items, cuts)
            outside = np.flatnonzero(cuts.reasons != IN_BLOCK)
            ids = items.ids.column("message_id").take(pa.array(outside))
            dropped.add_batch(ids, [REASONS[code] for code in cuts.reasons[outside].tolist()])
        left_out.write()
    out.report(
        rows=table.count,
        metadata={
            "token_total": writer.tokens,
            "messages_in_blocks": writer.messages,
            "tokenizer": counter.name,
        },
    )


class _LeftOut:
    """Messages that can be in no block, held until those before them are cut."""

    def __init__(self, dropped: DroppedRows) -> None:
        self._dropped = dropped
        self._held: list[tuple[int, str, DropReason]] = []

    def add(self, ids: pa.Array, rows: IntArray, at: IntArray, reason: DropReason) -> None:
        """Hold the messages at some places of a batch."""
        found = zip(rows[at].tolist(), ids.take(pa.array(at)).to_pylist(), strict=True)
        self._held += [(row, message_id, reason) for row, message_id in found]

    def write(self, bound: int | None = None) -> None:
        """Write those before a row, or all of them, in the order of their table."""
        self._held.sort()
        end = len(self._held)
        if bound is not None:
            end = bisect_left(self._held, bound, key=itemgetter(0))
        if end:
            _, ids, reasons = zip(*self._held[:end], strict=True)
            self._dropped.add_batch(pa.array(ids, pa.string()), reasons)
            del self._held[:end]


def _chunks(
    messages: Artifact,
    roles: dict[str, Cast],
    left_out: _LeftOut,
    blocks: BlocksSettings,
    settings: ConversationSettings,
) -> Iterator[tuple[_Chunk, Texts]]:
    """Yield messages with the texts to count."""
    numbers = RunNumbers(blocks.convo_block_threshold_secs)
    read = 0
    for batch in messages.batches(MESSAGES_FILE, columns=COLUMNS, batch_rows=BATCH_ROWS):
        start, read = read, read + batch.num_rows
        rows = np.arange(start, read)
        times = batch.column("sent_at").cast(pa.int64()).to_numpy()
        runs = numbers.of(batch.column("chat_id"), times)
        who, heads, answers, present = voices(batch, roles, settings)
        if not present.all():
            absent = np.flatnonzero(~present)
            left_out.add(batch.column("message_id"), rows, absent, DropReason.NO_PERSONA)
            batch = batch.filter(pa.array(present))
            rows, runs, times = rows[present], runs[present], times[present]
            who, answers = who[present], answers[present]
        texts = Texts(batch.column("text"), who, heads)
        chunk = _Chunk(
            ids=batch.select(["message_id", "chat_id"]),
            rows=rows,
            runs=runs,
            times=times,
            answers=answers,
            texts=texts,
            start=start,
            read=read,
        )
        yield chunk, texts


def _items(
    cutter: Cutter,
    counted: Iterable[tuple[_Chunk, Counted]],
    left_out: _LeftOut,
    progress: Progress,
    total: int,
) -> Iterator[Items]:
    """Yield messages that show something, long ones split into pieces."""
    for chunk, counts in counted:
        left_out.write(chunk.start)  # all groups that end before this chunk are cut
        places = np.flatnonzero(counts.shown)
        if places.size < len(chunk.rows):
            blank = np.flatnonzero(~counts.shown)
            left_out.add(chunk.ids.column("message_id"), chunk.rows, blank, DropReason.NO_TEXT)
        whole = np.full(places.size, WHOLE)
        items = Items(
            ids=chunk.ids.take(pa.array(places)),
            rows=chunk.rows[places],
            runs=chunk.runs[places],
            times=chunk.times[places],
            answers=chunk.answers[places],
            alone=counts.alone,
            joined=counts.joined,
            starts=whole,
            ends=whole,
            # Where counts are proven to add up nothing reads a line again.
            lines=None if cutter.proven else counts.lines,
        )
        most = [cutter.most_alone(answer=answer) for answer in (False, True)]
        long = np.flatnonzero(items.alone > np.array(most)[items.answers.astype(np.int8)])
        yield _with_pieces(cutter, items, long, chunk.texts, places) if long.size else items
        progress(chunk.read, total, "messages")


def _with_pieces(
    cutter: Cutter, items: Items, long: IntArray, texts: Texts, places: IntArray
) -> Items:
    """Replace messages that no block could hold by their pieces, where they can be split."""
    separator = cutter.settings.message_separator
    sizes = np.ones(len(items), np.int64)
    found: list[tuple[int, list[Span], list[str]]] = []
    for at in long.tolist():
        place = int(places[at])
        text, head = texts.texts[place].as_py(), texts.heads[texts.who[place]]
        if spans := pieces_of(cutter, text, head):
            found.append((at, spans, [head + text[start:end] for start, end in spans]))
            sizes[at] = len(spans)
    grown = items.take(np.repeat(np.arange(len(items)), sizes))
    starts, ends, alone, joined = (
        column.copy() for column in (grown.starts, grown.ends, grown.alone, grown.joined)
    )
    first = np.cumsum(sizes) - sizes
    lines = [[line] for line in items.lines or ()]
    for at, spans, pieces in found:
        part = slice(first[at], first[at] + len(spans))
        starts[part], ends[part] = zip(*spans, strict=True)
        alone[part], joined[part] = cutter.tokenizer.line_counts(pieces, separator)
        if lines:
            lines[at] = pieces
    return replace(
        grown,
        starts=starts,
        ends=ends,
        alone=alone,
        joined=joined,
        lines=None if items.lines is None else list(chain.from_iterable(lines)),
    )
