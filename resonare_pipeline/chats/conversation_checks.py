"""Whether staged conversations are what they should be, found out from the files alone.

Counts every conversation exactly, whatever way its block was cut. What may not live here: what is
done about a failure.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.chats.blocks import BLOCKS_FILE, BlocksSettings
from resonare_pipeline.chats.rendering import (
    ASSISTANT,
    SYSTEM,
    USER,
    ConversationSettings,
    ConversationShape,
    as_messages,
    is_blank,
)
from resonare_pipeline.counting import worker_count
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import Conversation, Turn
from resonare_pipeline.tokenizers import Messages, TokenizerSettings, load_tokenizer
from resonare_pipeline.workers import map_in_order

ASSET = "chat_conversations"
TRAIN_FILE = "train.jsonl"
CHUNK_LINES = 256  # conversations counted in one call
TOKENS_A_TEXT = 16  # a short message; tells from tokens whether processes are worth starting

_Line = tuple[int, Conversation, int, str]  # number, content, tokens of its block, id of its block


@dataclass(slots=True)
class _Findings:
    """How many lines fail a check, and the first that does."""

    count: int = 0
    first: str = ""

    def add(self, text: str) -> None:
        self.count += 1
        self.first = self.first or text


@dataclass(slots=True)
class _Tally:
    """All findings so far."""

    bounds: _Findings = field(default_factory=_Findings)
    roles: _Findings = field(default_factory=_Findings)
    empty: _Findings = field(default_factory=_Findings)
    ids: _Findings = field(default_factory=_Findings)


def check_conversations(
    staged: Artifact,
    made_blocks: Artifact,
    *,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
    tokenizer: TokenizerSettings,
    progress: Progress = silent,
) -> list[CheckEntry]:
    """Check every line of train.jsonl: exact tokens, roles, nothing empty, one line a block.

    Args:
        staged: The conversations.
        made_blocks: What they were made from; gives the expected count and id of each line.
        blocks: Give the bounds.
        conversations: Give the shape.
        tokenizer: Counts.
        progress: Told of conversations.
    """
    counter = load_tokenizer(tokenizer)
    total = staged.entry.rows
    tokens = sum(sum(counts) for counts in _column(made_blocks, "token_count"))
    texts = max(total, tokens // TOKENS_A_TEXT)
    tally = _Tally()
    seen: Counter[str] = Counter()
    counted = map_in_order(
        counter.count_conversations,
        _chunks(staged, made_blocks, tally),
        workers=worker_count(tokenizer.workers, texts) if counter.portable else 0,
    )
    done = 0
    for lines, counts in counted:
        for (number, conversation, expected, block_id), count in zip(lines, counts, strict=True):
            if count != expected:
                tally.bounds.add(f"line {number}: {count} tokens, its block says {expected}")
            elif not (blocks.min_tokens_per_block <= count <= blocks.max_tokens_per_block):
                tally.bounds.add(f"line {number}: {count} tokens")
            _check_turns(number, conversation.messages, conversations, tally)
            _check_id(number, conversation, block_id, conversations, tally)
            seen[block_id] += 1
        done += len(lines)
        progress(done, total, "conversations checked")
    for block_id, times in seen.items():
        if times > 1:
            tally.ids.add(f"block {block_id} occurs {times} times")
    return [
        _entry("token_bounds", tally.bounds, f"{done} conversations counted exactly"),
        _entry("roles", tally.roles, f"shape {conversations.conversation_shape}"),
        _entry("no_empty_turns", tally.empty, ""),
        _entry("unique_ids", tally.ids, ""),
    ]


def _entry(name: str, findings: _Findings, passed: str) -> CheckEntry:
    failed = f"{findings.count} failures, the first at {findings.first}"
    return CheckEntry(
        name=name,
        asset=ASSET,
        passed=not findings.count,
        message=failed if findings.count else passed,
    )


def _column(blocks: Artifact, name: str) -> Iterator[list[int]]:
    for batch in blocks.batches(BLOCKS_FILE, columns=[name]):
        yield batch.column(name).to_pylist()


def _chunks(
    staged: Artifact, blocks: Artifact, tally: _Tally
) -> Iterator[tuple[list[_Line], list[Messages]]]:
    decoder = msgspec.json.Decoder(Conversation)
    lines: list[_Line] = []
    rows = blocks.rows(BLOCKS_FILE, columns=["block_id", "token_count"])
    pairs = zip_longest(staged.lines(TRAIN_FILE), rows)
    for number, (line, block) in enumerate(pairs, start=1):
        if line is None or block is None:
            tally.ids.add(f"line {number}: {'no line' if line is None else 'no block'}")
            continue
        lines.append((number, decoder.decode(line), block["token_count"], block["block_id"]))
        if len(lines) == CHUNK_LINES:
            yield lines, [as_messages(line[1].messages) for line in lines]
            lines = []
    if lines:
        yield lines, [as_messages(line[1].messages) for line in lines]


def _check_turns(
    number: int, turns: tuple[Turn, ...], settings: ConversationSettings, tally: _Tally
) -> None:
    roles = [turn.role for turn in turns]
    if roles[:1] == [SYSTEM]:
        roles = roles[1:]
    if not _right_roles(roles, settings.conversation_shape):
        tally.roles.add(f"line {number}: {' '.join(roles[:8])}")
    if not turns or any(is_blank(turn.content) for turn in turns):
        tally.empty.add(f"line {number}")


def _right_roles(roles: list[str], shape: ConversationShape) -> bool:
    alternate = all(a != b for a, b in pairwise(roles))
    if not alternate or ASSISTANT not in roles or not set(roles) <= {USER, ASSISTANT}:
        return False
    return shape is ConversationShape.AS_IS or (roles[0] == USER and roles[-1] == ASSISTANT)


def _check_id(
    number: int,
    conversation: Conversation,
    block_id: str,
    settings: ConversationSettings,
    tally: _Tally,
) -> None:
    metadata = conversation.metadata
    if not settings.include_metadata:
        return
    if metadata is None or metadata.block_id != block_id or not metadata.example_id:
        tally.ids.add(f"line {number}: not the ids of block {block_id}")
