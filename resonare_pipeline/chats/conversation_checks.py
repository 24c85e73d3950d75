"""Whether staged conversations are what they should be, found out from the files alone.

Every conversation is counted exactly, whatever way its block was cut. Only where counts of lines
add up for certain (`costs.proves_splits`) and there are many, one in `SAMPLE` is: the sum that its
block was cut by is the exact count then, and the sample tells whether what was written is what was
cut. What may not live here: what is done about a failure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.chats.blocks import BLOCKS_FILE, BlocksSettings
from resonare_pipeline.chats.costs import proves_splits
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
from resonare_pipeline.tokenizers import Tokenizer, TokenizerSettings, load_tokenizer
from resonare_pipeline.workers import dismiss_workers, map_in_order

ASSET = "chat_conversations"
TRAIN_FILE = "train.jsonl"
CHUNK_LINES = 256  # conversations checked in one call
TOKENS_A_TEXT = 16  # a short message; tells from tokens whether processes are worth starting
FEW = 2_048  # conversations; so many are all counted again, which takes less than a second
SAMPLE = 16  # of more, one in so many is


class _Part(NamedTuple):
    """Neighbouring lines, and the blocks that they should be.

    Attributes:
        first: Number of the first line, from 1.
        exact: One line in so many is counted.
    """

    first: int
    lines: list[bytes]
    block_ids: list[str]
    tokens: list[int]
    exact: int


@dataclass(slots=True)
class _Findings:
    """How many lines fail a check, and the first that does."""

    count: int = 0
    first: str = ""

    def add(self, text: str, count: int = 1) -> None:
        self.count += count
        self.first = self.first or text


@dataclass(slots=True)
class _Tally:
    """All findings so far."""

    counted: int = 0  # conversations counted as a whole
    bounds: _Findings = field(default_factory=_Findings)
    roles: _Findings = field(default_factory=_Findings)
    empty: _Findings = field(default_factory=_Findings)
    ids: _Findings = field(default_factory=_Findings)

    def take(self, other: "_Tally") -> None:
        """Add the findings in later lines."""
        self.counted += other.counted
        for name in ("bounds", "roles", "empty", "ids"):
            found: _Findings = getattr(other, name)
            getattr(self, name).add(found.first, found.count)


def check_conversations(
    staged: Artifact,
    made_blocks: Artifact,
    *,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
    tokenizer: TokenizerSettings,
    progress: Progress = silent,
) -> list[CheckEntry]:
    """Check every line of train.jsonl: tokens, roles, nothing empty, one line a block.

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
    sampled = total > FEW and proves_splits(counter, conversations)
    tally = _Tally()
    seen: Counter[str] = Counter()
    check = partial(_check_part, tokenizer=counter, blocks=blocks, conversations=conversations)
    parts = _parts(staged, made_blocks, tally, exact=SAMPLE if sampled else 1)
    checked = map_in_order(
        check,
        ((part, part) for part in parts),
        workers=worker_count(tokenizer.workers, texts) if counter.portable else 0,
    )
    done = 0
    for part, found in checked:
        tally.take(found)
        seen.update(part.block_ids)
        done += len(part.lines)
        progress(done, total, "conversations checked")
    dismiss_workers()  # no later stage has use for them
    for block_id, times in seen.items():
        if times > 1:
            tally.ids.add(f"block {block_id} occurs {times} times")
    counted = f"{done} conversations counted exactly"
    if sampled:
        counted = (
            f"{done} conversations, whose lines' counts add up for certain with this tokenizer and "
            f"prefix; {tally.counted} of them counted again as a whole"
        )
    return [
        _entry("token_bounds", tally.bounds, done, counted),
        _entry("roles", tally.roles, done, f"shape {conversations.conversation_shape}"),
        _entry("no_empty_turns", tally.empty, done),
        _entry("unique_ids", tally.ids, done),
    ]


def _entry(name: str, findings: _Findings, conversations: int, passed: str = "") -> CheckEntry:
    failed = f"{findings.count} failures, the first at {findings.first}"
    return CheckEntry(
        name=name,
        asset=ASSET,
        passed=not findings.count,
        message=failed if findings.count else passed,
        metadata={"conversations": conversations, "failures": findings.count},
    )


def _column(blocks: Artifact, name: str) -> Iterator[list[int]]:
    for batch in blocks.batches(BLOCKS_FILE, columns=[name]):
        yield batch.column(name).to_pylist()


def _parts(staged: Artifact, blocks: Artifact, tally: _Tally, *, exact: int) -> Iterator[_Part]:
    part = _Part(1, [], [], [], exact)
    rows: Iterator[Mapping[str, Any]] = blocks.rows(
        BLOCKS_FILE, columns=["block_id", "token_count"]
    )
    for number, (line, block) in enumerate(zip_longest(staged.lines(TRAIN_FILE), rows), start=1):
        if line is None or block is None:
            tally.ids.add(f"line {number}: {'no line' if line is None else 'no block'}")
            continue
        part.lines.append(line)
        part.block_ids.append(block["block_id"])
        part.tokens.append(block["token_count"])
        if len(part.lines) == CHUNK_LINES:
            yield part
            part = _Part(number + 1, [], [], [], exact)
    if part.lines:
        yield part


def _check_part(
    part: _Part,
    *,
    tokenizer: Tokenizer,
    blocks: BlocksSettings,
    conversations: ConversationSettings,
) -> _Tally:
    tally = _Tally()
    decoder = msgspec.json.Decoder(Conversation)
    decoded = [decoder.decode(line) for line in part.lines]
    chosen = range((1 - part.first) % part.exact, len(decoded), part.exact)
    counts = tokenizer.count_conversations([as_messages(decoded[at].messages) for at in chosen])
    tally.counted = len(counts)
    found = dict(zip(chosen, counts, strict=True))
    for at, (conversation, block_id, expected) in enumerate(
        zip(decoded, part.block_ids, part.tokens, strict=True)
    ):
        number, count = part.first + at, found.get(at, expected)
        if count != expected:
            tally.bounds.add(f"line {number}: {count} tokens, its block says {expected}")
        elif not (blocks.min_tokens_per_block <= count <= blocks.max_tokens_per_block):
            tally.bounds.add(f"line {number}: {count} tokens")
        _check_turns(number, conversation.messages, conversations, tally)
        _check_id(number, conversation, block_id, conversations, tally)
    return tally


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
