"""Messages → blocks: the stage that cuts chats into pieces of bounded length.

Streams: a chunk of messages at a time, counted in other processes where that pays, and one run at a
time. Messages without text are left out, but they are activity: they keep a run together. What may
not live here: how an optimum is found, and how a conversation is rendered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field, model_validator

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.chats.bounded import CutRun, Cutter, cut_runs, pieces_of, prepare
from resonare_pipeline.chats.costs import Run
from resonare_pipeline.chats.cutting import Bounds, DropReason
from resonare_pipeline.chats.personas import Cast, casts
from resonare_pipeline.chats.rendering import ConversationSettings, is_blank, line_head
from resonare_pipeline.counting import worker_count
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import BLOCKS, TIMESTAMP
from resonare_pipeline.runs import gap_limit
from resonare_pipeline.settings import Section
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer
from resonare_pipeline.workers import map_in_order

MESSAGES_FILE = "messages.parquet"
CHATS_FILE = "chats.parquet"
BLOCKS_FILE = "blocks.parquet"
CHUNK_ROWS = 4_096  # messages counted in one call: some tens of milliseconds of work
FLUSH_MEMBERS = 16_384  # members of blocks held before they are written

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


@dataclass(slots=True, kw_only=True)
class _Chunk:
    """Messages of one batch that may enter blocks, as parallel lists, and those that may not."""

    chats: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    begins: list[bool] = field(default_factory=list)  # whether a new run begins here
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    dropped: list[tuple[str, DropReason]] = field(default_factory=list)
    read: int = 0


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
    roles = casts(chats.rows(CHATS_FILE, columns=["chat_id", "participants"]), conversations)
    counter = load_tokenizer(tokenizer)
    bounds = Bounds(least=blocks.min_tokens_per_block, most=blocks.max_tokens_per_block)
    cutter = prepare(counter, conversations, bounds)
    total = messages.entry.rows
    counted = map_in_order(
        partial(counter.line_counts, separator=conversations.message_separator),
        _chunks(messages, roles, blocks, conversations),
        workers=worker_count(tokenizer.workers, total) if counter.portable else 0,
    )
    with out.table(BLOCKS_FILE, BLOCKS) as table, out.dropped() as dropped:
        writer = _BlockWriter(table)
        segments = _segments(cutter, counted, dropped, progress, total)
        for done in cut_runs(cutter, _runs(segments)):
            writer.add(done)
            for at, reason in done.leftovers:
                dropped.add(done.run.ids[at], reason)
        writer.flush()
    out.report(
        rows=writer.count,
        metadata={
            "token_total": writer.tokens,
            "messages_in_blocks": writer.messages,
            "tokenizer": counter.name,
        },
    )


def _chunks(
    messages: Artifact,
    roles: dict[str, Cast],
    blocks: BlocksSettings,
    settings: ConversationSettings,
) -> Iterator[tuple[_Chunk, list[str]]]:
    """Yield messages with the lines to count, and mark where runs begin."""
    limit = gap_limit(blocks.convo_block_threshold_secs)
    chat, last, broken = "", 0, True
    for batch in messages.batches(MESSAGES_FILE, columns=COLUMNS, batch_rows=CHUNK_ROWS):
        chunk = _Chunk(read=batch.num_rows)
        for message_id, chat_id, sender_id, name, is_owner, now, text in _columns(batch):
            if chat_id != chat:
                chat, broken, cast = chat_id, True, roles[chat_id]
            elif now - last > limit:
                broken = True
            last = now
            if not cast.present:
                chunk.dropped.append((message_id, DropReason.NO_PERSONA))
                continue
            if is_blank(text):
                chunk.dropped.append((message_id, DropReason.NO_TEXT))
                continue
            answers = cast.answers(sender_id, name, is_owner=is_owner)
            label = cast.label(name, answers=answers)
            chunk.chats.append(chat_id)
            chunk.ids.append(message_id)
            chunk.times.append(now)
            chunk.answers.append(answers)
            chunk.texts.append(text)
            chunk.lines.append(line_head(label, settings) + text.strip())
            chunk.begins.append(broken)
            broken = False
        yield chunk, chunk.lines


def _columns(batch: pa.RecordBatch) -> Iterable[tuple[Any, ...]]:
    times = batch.column("sent_at").cast(pa.int64())
    columns = [times if name == "sent_at" else batch.column(name) for name in COLUMNS]
    return zip(*(column.to_pylist() for column in columns), strict=True)


def _runs(segments: Iterable[tuple[bool, Run]]) -> Iterator[Run]:
    """Join segments that chunks have cut apart."""
    run: Run | None = None
    for begins, segment in segments:
        if run is None or begins:
            if run is not None:
                yield run
            run = segment
        else:
            _extend(run, segment)
    if run is not None:
        yield run


def _extend(run: Run, segment: Run) -> None:
    size = len(run.ids)
    run.ids += segment.ids
    run.times += segment.times
    run.answers += segment.answers
    run.lines += segment.lines
    run.alone += segment.alone
    run.joined += segment.joined
    run.spans |= {size + at: span for at, span in segment.spans.items()}


def _segments(
    cutter: Cutter,
    counted: Iterable[tuple[_Chunk, tuple[list[int], list[int]]]],
    dropped: DroppedRows,
    progress: Progress,
    total: int,
) -> Iterator[tuple[bool, Run]]:
    """Yield (whether a run begins, its part in one chunk), long messages split into pieces."""
    read = 0
    for chunk, counts in counted:
        for message_id, reason in chunk.dropped:
            dropped.add(message_id, reason)
        alone, joined = _with_pieces(cutter, chunk, *counts)
        for start, end in _parts(chunk.begins):
            part = slice(start, end)
            segment = Run(
                chat_id=chunk.chats[start],
                ids=chunk.ids[part],
                times=chunk.times[part],
                answers=chunk.answers[part],
                # Where counts are proven to add up nothing reads a line again.
                lines=[] if cutter.proven else chunk.lines[part],
                alone=alone[part],
                joined=joined[part],
                spans={at - start: span for at, span in chunk.spans.items() if start <= at < end},
            )
            yield chunk.begins[start], segment
        read += chunk.read
        progress(read, total, "messages")


def _parts(begins: list[bool]) -> Iterator[tuple[int, int]]:
    borders = [at for at, first in enumerate(begins) if first]
    if begins and not begins[0]:
        borders.insert(0, 0)
    return pairwise([*borders, len(begins)])


def _with_pieces(
    cutter: Cutter, chunk: _Chunk, alone: list[int], joined: list[int]
) -> tuple[list[int], list[int]]:
    """Replace messages over the maximum by their pieces, and return the counts of all lines."""
    most = {answer: cutter.most_alone(answer=answer) for answer in (False, True)}
    if max(alone, default=0) <= min(most.values()):
        return alone, joined
    grown = _Chunk()
    counts: tuple[list[int], list[int]] = ([], [])
    for at, line in enumerate(chunk.lines):
        text, answers = chunk.texts[at], chunk.answers[at]
        head = line.removesuffix(text.strip())
        spans = pieces_of(cutter, text, head) if alone[at] > most[answers] else []
        lines = [head + text[start:end] for start, end in spans] or [line]
        pieces = ([alone[at]], [joined[at]])
        if spans:
            separator = cutter.settings.message_separator
            pieces = cutter.tokenizer.line_counts(lines, separator)
            grown.spans |= dict(enumerate(spans, start=len(grown.lines)))
        counts[0].extend(pieces[0])
        counts[1].extend(pieces[1])
        grown.lines += lines
        grown.begins += [chunk.begins[at]] + [False] * (len(lines) - 1)
        for name in ("chats", "ids", "times", "answers"):
            getattr(grown, name).extend([getattr(chunk, name)[at]] * len(lines))
    for name in ("chats", "ids", "times", "answers", "lines", "begins", "spans"):
        setattr(chunk, name, getattr(grown, name))
    return counts


class _BlockWriter:
    """Collects blocks as columns and writes them in batches."""

    def __init__(self, table: TableWriter) -> None:
        self._table = table
        self._rows: list[tuple[str, str, int, int, int]] = []
        self._sizes = [0]
        self._ids: list[str] = []
        self._spans: list[tuple[int | None, int | None]] = []
        self._last = ""
        self.count = self.tokens = self.messages = 0

    def add(self, done: CutRun) -> None:
        """Add the blocks of a run."""
        run = done.run
        for block in done.blocks:
            ids = run.ids[block.start : block.end]
            spans: list[tuple[int | None, int | None]] = [(None, None)] * len(ids)
            if run.spans:
                at = range(block.start, block.end)
                spans = [run.spans.get(k, (None, None)) for k in at]
            block_id = block_id_of(run.chat_id, ids, spans)
            first, last = run.times[block.start], run.times[block.end - 1]
            self._rows.append((block_id, run.chat_id, block.tokens, first, last))
            self._ids += ids
            self._spans += spans
            self._sizes.append(len(self._ids))
            self.count += 1
            self.tokens += block.tokens
            # Pieces of one message may stand on both sides of a cut.
            self.messages += len(set(ids)) - (ids[0] == self._last)
            self._last = ids[-1]
        if len(self._ids) >= FLUSH_MEMBERS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self._rows:
            return
        block_ids, chat_ids, tokens, first, last = zip(*self._rows, strict=True)
        starts, ends = zip(*self._spans, strict=True)
        member = BLOCKS.field("members").type.value_type
        members = pa.StructArray.from_arrays(
            [
                pa.array(self._ids, pa.string()),
                pa.array(starts, pa.int32()),
                pa.array(ends, pa.int32()),
            ],
            fields=list(member.fields),
        )
        columns = [
            pa.array(block_ids, pa.string()),
            pa.array(chat_ids, pa.string()),
            pa.array(tokens, pa.int32()),
            pa.ListArray.from_arrays(pa.array(self._sizes, pa.int32()), members),
            pa.array(first, pa.int64()).cast(TIMESTAMP),
            pa.array(last, pa.int64()).cast(TIMESTAMP),
        ]
        columns[3] = columns[3].cast(BLOCKS.field("members").type)
        self._table.add_batch(pa.RecordBatch.from_arrays(columns, schema=BLOCKS))
        self._rows, self._sizes, self._ids, self._spans = [], [0], [], []


def block_id_of(chat_id: str, ids: list[str], spans: list[tuple[int | None, int | None]]) -> str:
    """Return the id of a block: its chat, its first message, and a hash of its members."""
    first = ids[0].removeprefix(chat_id).lstrip(":")
    members = "\n".join(
        message_id if start is None else f"{message_id}[{start}:{end}]"
        for message_id, (start, end) in zip(ids, spans, strict=True)
    )
    return f"{chat_id}:{first}-{short_hash(members)}"
