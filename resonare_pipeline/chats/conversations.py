"""Blocks → conversations: the rows of train.jsonl, and processed.json for people.

Reads messages and blocks side by side, both in the order of chats and time; holds some stretches
of blocks, which workers render. What may not live here: how lines are joined (`rendering`), and
whether the result is good (`conversation_checks`).
"""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.chats.blocks import (
    BLOCKS_FILE,
    CHATS_FILE,
    COLUMNS,
    MESSAGES_FILE,
    BlocksSettings,
)
from resonare_pipeline.chats.conversation_checks import TRAIN_FILE, check_conversations
from resonare_pipeline.chats.conversation_lines import Stretch, render_stretch
from resonare_pipeline.chats.labels import SOMEBODY, read_labels, shown_chats
from resonare_pipeline.chats.personas import OWNER, Cast, roles_in
from resonare_pipeline.chats.processed import ProcessedWriter
from resonare_pipeline.chats.rendering import ConversationSettings
from resonare_pipeline.chats.speakers import voices
from resonare_pipeline.counting import worker_count
from resonare_pipeline.errors import StageError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.tokenizers import TokenizerSettings
from resonare_pipeline.workers import map_in_order

__all__ = ["ConversationSettings", "check_conversations", "make_conversations"]

PROCESSED_FILE = "processed.json"
STRETCH_BLOCKS = 256  # blocks rendered in one call; their members are some thousand rows
READ_COLUMNS = [name for name in COLUMNS if name != "sent_at"]


def make_conversations(
    messages: Artifact,
    chats: Artifact,
    made_blocks: Artifact,
    out: OutputDraft,
    *,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
    tokenizer: TokenizerSettings,
    progress: Progress = silent,
) -> None:
    """Write each block as one conversation, and all chats with their blocks for people to read.

    Args:
        messages: Those that the blocks were cut from.
        chats: Their chats.
        made_blocks: As `make_blocks` wrote them.
        out: Gets train.jsonl, and beside it processed.json.
        blocks: Only shown in processed.json.
        conversations: The settings that the blocks were cut with; they decide the rendering.
        tokenizer: Only shown in processed.json, but for the number of workers.
        progress: Told of blocks.

    Raises:
        StageError: If a block names a message that is not there in its place.
    """
    roles = roles_in(
        chats.rows(CHATS_FILE, columns=["chat_id", "participants"]), messages, conversations
    )
    named = _without_name(conversations) if read_labels(messages) else conversations
    shown = {s.section: s.identity() for s in (blocks, named, tokenizer)}
    total = made_blocks.entry.rows
    rendered = map_in_order(
        partial(render_stretch, settings=conversations),
        (
            (stretch.blocks, stretch)
            for stretch in _stretches(messages, made_blocks, roles, conversations)
        ),
        workers=worker_count(tokenizer.workers, messages.entry.rows),
    )
    written = turns = 0
    with out.open(PROCESSED_FILE, auxiliary=True) as other, out.open(TRAIN_FILE) as stream:
        rows_of_chats = shown_chats(chats.rows(CHATS_FILE), messages)
        processed = ProcessedWriter(other, rows_of_chats, _block_chats(made_blocks), shown)
        for rows, done in rendered:
            stream.write(done.lines)
            processed.add(rows.column("chat_id").to_pylist(), done.entries)
            turns += done.turns
            written += rows.num_rows
            progress(written, total, "conversations")
        processed.close()
    out.report(rows=written, metadata={"turns": turns})


def _without_name(settings: ConversationSettings) -> ConversationSettings:
    """Return settings to be shown, in which no person is named."""
    if settings.persona == OWNER:
        return settings
    return settings.model_copy(update={"persona": SOMEBODY})


def _block_chats(blocks: Artifact) -> list[str]:
    """Return the chats that have blocks, in the order of these."""
    found: dict[str, None] = {}
    for batch in blocks.batches(BLOCKS_FILE, columns=["chat_id"]):
        found |= dict.fromkeys(batch.column("chat_id").unique().to_pylist())
    return list(found)


def _stretches(
    messages: Artifact,
    blocks: Artifact,
    roles: Mapping[str, Cast],
    settings: ConversationSettings,
) -> Iterator[Stretch]:
    """Yield the blocks with what rendering needs of their members, in their order."""
    members = _Members(messages)
    for batch in blocks.batches(BLOCKS_FILE, batch_rows=STRETCH_BLOCKS):
        rows = members.take(batch.column("members").flatten().field(0))
        who, heads, answers, _ = voices(rows, roles, settings)
        yield Stretch(batch, rows.column("text"), who, heads, answers)


class _Members:
    """Finds messages by id; asked in the order of the messages, so one pass finds them all."""

    def __init__(self, messages: Artifact) -> None:
        self._batches = messages.batches(MESSAGES_FILE, columns=READ_COLUMNS)
        self._batch = pa.RecordBatch.from_pylist(
            [], schema=pa.schema([("message_id", pa.string())])
        )

    def take(self, ids: pa.Array) -> pa.RecordBatch:
        """Return the messages with some ids, none of which comes before one that was asked for.

        Raises:
            StageError: If there is no such message, or it stands before the last.
        """
        parts: list[pa.RecordBatch] = []
        at = 0
        while at < len(ids):
            known = self._batch.column("message_id")
            places = pc.index_in(ids.slice(at, len(known)), value_set=known).to_numpy(
                zero_copy_only=False
            )
            found = _leading(places)
            if found:
                parts.append(self._batch.take(pa.array(places[:found].astype(np.int64))))
                self._batch = self._batch.slice(int(places[found - 1]))
                at += found
                continue
            batch = next(self._batches, None)
            if batch is None:
                raise _missing(ids[at].as_py())
            self._batch = batch
        return pa.concat_batches(parts)


def _leading(places: np.ndarray) -> int:
    """Return how many places there are before the first that is missing or lower than the last."""
    wrong = np.isnan(places) if places.dtype.kind == "f" else np.zeros(len(places), np.bool_)
    wrong[1:] |= np.diff(places) < 0
    return int(np.argmax(wrong)) if wrong.any() else len(places)


def _missing(message_id: str) -> StageError:
    return StageError(
        f"a block names message {message_id}, which is not among the messages after "
        "those of the block before it",
        where="chat_conversations",
        expected="the messages that the blocks were cut from",
    )
