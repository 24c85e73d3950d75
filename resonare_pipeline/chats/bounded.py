"""Cuts runs into blocks whose exact token counts lie in bounds.

Joins the parts: costs say what intervals cost, cutting finds the optimum, and unless the costs are
proven each chosen block is counted exactly before it is believed; a count that turns out wrong
makes the run be cut again with exact counts wherever they matter. What may not live here: tables,
ids.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from resonare_pipeline.chats.costs import (
    FIRST_SLACK,
    Frame,
    Run,
    added_costs,
    count_items,
    learn_frame,
    near_costs,
    probes_splits,
    proves_splits,
)
from resonare_pipeline.chats.cutting import (
    Bounds,
    Costs,
    DropReason,
    cut,
    leftover_reasons,
    widest,
)
from resonare_pipeline.chats.rendering import ConversationSettings
from resonare_pipeline.chats.splitting import Span, split_text
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.tokenizers import Tokenizer

GROUP_ITEMS = 4_096  # items whose conversations are counted in one call
WHOLE_RUN_FACTOR = 2  # a run estimated at more than this many maxima is not tried as one block


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutter:
    """All that decides how a run is cut.

    Attributes:
        tokenizer: Counts.
        settings: Render.
        bounds: Of a block's tokens.
        frame: Tokens beside those of lines.
        proven: Counts of lines certainly add up, so no line is read after it was counted.
        probed: They added up for every awkward pair that was tried.
    """

    tokenizer: Tokenizer
    settings: ConversationSettings
    bounds: Bounds
    frame: Frame
    proven: bool
    probed: bool

    def most_alone(self, *, answer: bool) -> int:
        """Return the tokens that a line may have if it is to fit into any conversation."""
        turn = self.frame.assistant if answer else self.frame.user
        return self.bounds.most - self.frame.base - turn

    @property
    def piece_budget(self) -> int:
        """The tokens of one piece: half of what two turns hold, so that a reply fits beside it."""
        frame = self.frame
        return (self.bounds.most - frame.base - frame.user - frame.assistant) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Items [start, end) of a run, and the tokens of their conversation."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRun:
    """A run, its blocks in order, and why each other item is in none."""

    run: Run
    blocks: list[Block]
    leftovers: list[tuple[int, DropReason]]


def prepare(tokenizer: Tokenizer, settings: ConversationSettings, bounds: Bounds) -> Cutter:
    """Learn what the tokenizer does with conversations of this make.

    Raises:
        TokenizerError: If its chat template refuses them.
        SettingsError: If the markup alone leaves no room for a message.
    """
    frame = learn_frame(tokenizer, settings)
    proven = proves_splits(tokenizer, settings)
    cutter = Cutter(
        tokenizer=tokenizer,
        settings=settings,
        bounds=bounds,
        frame=frame,
        proven=proven,
        probed=proven or probes_splits(tokenizer, frame, settings),
    )
    if cutter.piece_budget < 1:
        markup = frame.base + frame.user + frame.assistant
        raise SettingsError(
            f"system prompt and markup of two turns take {markup} of {bounds.most} tokens",
            where="blocks.max_tokens_per_block",
            expected="room for two messages beside them",
            remedy="Raise max_tokens_per_block or shorten chat_conversations.system_prompt",
        )
    return cutter


def pieces_of(cutter: Cutter, text: str, head: str) -> list[Span]:
    """Return the spans into which a message is split that no block could hold as a whole.

    Args:
        cutter: Gives the budget.
        text: The message's text.
        head: What every piece's line begins with.

    Returns:
        No span if the head alone leaves no room.
    """
    budget = cutter.piece_budget
    count = cutter.tokenizer.count_texts
    return split_text(text, lambda piece: count([head + piece])[0] <= budget)


def cut_runs(cutter: Cutter, runs: Iterable[Run]) -> Iterator[CutRun]:
    """Cut runs, in their order; lazy, a group at a time."""
    for group in _groups(runs):
        added = [added_costs(cutter.tokenizer, run, cutter.frame, cutter.settings) for run in group]
        proven = [cutter.proven or _proves(cutter, run) for run in group]
        single = _single_blocks(cutter, group, added, proven)
        for at, run in enumerate(group):
            costs = added[at]
            if proven[at]:
                blocks = _cut(cutter, run, costs)
            elif at in single:
                blocks = [single[at]]
            else:
                costs, blocks = _carefully(cutter, run, costs)
            intervals = [(block.start, block.end) for block in blocks]
            shape = cutter.settings.conversation_shape
            leftovers = leftover_reasons(run.answers, intervals, costs, cutter.bounds, shape)
            yield CutRun(run=run, blocks=blocks, leftovers=leftovers)


def _groups(runs: Iterable[Run]) -> Iterator[list[Run]]:
    group: list[Run] = []
    size = 0
    for run in runs:
        group.append(run)
        size += len(run.answers)
        if size >= GROUP_ITEMS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _proves(cutter: Cutter, run: Run) -> bool:
    separator = cutter.settings.message_separator
    return all(cutter.tokenizer.splits_between(separator, line) for line in run.lines)


def _cut(cutter: Cutter, run: Run, costs: Costs) -> list[Block]:
    intervals = cut(run.answers, costs, cutter.bounds, cutter.settings.conversation_shape)
    return [Block(start=i, end=j, tokens=costs.estimate(i, j)) for i, j in intervals]


def _single_blocks(
    cutter: Cutter, group: list[Run], added: list[Costs], proven: list[bool]
) -> dict[int, Block]:
    # Most runs are one block as they are; all of a group are tried with one call.
    most = WHOLE_RUN_FACTOR * cutter.bounds.most
    tried = []
    for at, run in enumerate(group):
        whole = widest(run.answers, cutter.settings.conversation_shape)
        if whole is not None and not proven[at] and added[at].estimate(*whole) <= most:
            tried.append((at, *whole))
    items = [(group[at].answers[i:j], group[at].lines[i:j]) for at, i, j in tried]
    counts = count_items(cutter.tokenizer, items, cutter.settings)
    return {
        at: Block(start=i, end=j, tokens=count)
        for (at, i, j), count in zip(tried, counts, strict=True)
        if cutter.bounds.least <= count <= cutter.bounds.most
    }


def _exactly(cutter: Cutter, run: Run, blocks: list[Block]) -> list[Block]:
    items = [(run.answers[b.start : b.end], run.lines[b.start : b.end]) for b in blocks]
    counts = count_items(cutter.tokenizer, items, cutter.settings)
    return [replace(block, tokens=count) for block, count in zip(blocks, counts, strict=True)]


def _carefully(cutter: Cutter, run: Run, costs: Costs) -> tuple[Costs, list[Block]]:
    shape = cutter.settings.conversation_shape
    if widest(run.answers, shape) is None:
        return costs, []
    if cutter.probed:
        estimated = _cut(cutter, run, costs)
        if estimated == _exactly(cutter, run, estimated):
            return costs, estimated
    costs = near_costs(cutter.tokenizer, run, cutter.settings, slack=FIRST_SLACK)
    while True:
        estimated = _cut(cutter, run, costs)
        blocks = _exactly(cutter, run, estimated)
        errors = [abs(a.tokens - b.tokens) for a, b in zip(estimated, blocks, strict=True)]
        if max(errors, default=0) <= costs.slack:
            return costs, blocks
        costs = replace(costs, slack=2 * max(errors))
