"""Cuts a group of runs at once: what needs no search is settled for all of them together.

Where counts of lines add up for certain, most runs are one block as they are, or none; these are
found by arithmetic over whole columns. The others go one by one through `bounded`. Both ways give
what `bounded` would give for every run. What may not live here: tables, ids.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonare_pipeline.chats.bounded import Cutter, cut_runs
from resonare_pipeline.chats.costs import Run
from resonare_pipeline.chats.cutting import DropReason
from resonare_pipeline.chats.items import BoolArray, IntArray, Items
from resonare_pipeline.chats.rendering import ConversationShape

REASONS = tuple(DropReason)
IN_BLOCK = -1
_CODES = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The blocks of a group, in order, and why each other item is in none.

    Attributes:
        starts: First item of each block.
        ends: Item behind the last of each block.
        tokens: Of each block's conversation.
        reasons: For each item, a number into `REASONS`, or `IN_BLOCK`.
    """

    starts: IntArray
    ends: IntArray
    tokens: IntArray
    reasons: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """The runs of a group.

    Attributes:
        first: First item of each.
        end: Item behind the last of each.
        left: First item of the one interval that holds all legal ones.
        right: Item behind that interval.
        answered: Whether the assistant says anything.
        legal: Whether there is any legal interval.
    """

    first: IntArray
    end: IntArray
    left: IntArray
    right: IntArray
    answered: BoolArray
    legal: BoolArray


def cut_items(cutter: Cutter, items: Items) -> Cuts:
    """Cut whole runs into blocks."""
    runs = _runs(items, cutter.settings.conversation_shape)
    if cutter.proven:
        tokens = _whole_counts(cutter, items, runs)
        single = runs.legal & (tokens >= cutter.bounds.least) & (tokens <= cutter.bounds.most)
        searched = np.flatnonzero(runs.legal & ~single)
    else:
        tokens = np.zeros(len(runs.first), np.int64)
        single = np.zeros(len(runs.first), np.bool_)
        searched = np.arange(len(runs.first))
    # What no interval could hold, and what stands before and behind a run's only block.
    trimmed = [_CODES[DropReason.TRIMMED_AFTER_ASSISTANT], _CODES[DropReason.TRIMMED_BEFORE_USER]]
    reasons = np.array(trimmed, np.int8)[items.answers.astype(np.int8)]
    reasons[np.repeat(~runs.answered, runs.end - runs.first)] = _CODES[DropReason.NO_REPLY]
    blocks = [(runs.left[single], runs.right[single], tokens[single])]
    if searched.size:
        blocks.append(_search(cutter, items, runs, searched, reasons))
    starts, ends, counts = (np.concatenate(column) for column in zip(*blocks, strict=True))
    order = np.argsort(starts)
    reasons[ranges(starts, ends)] = IN_BLOCK
    return Cuts(starts=starts[order], ends=ends[order], tokens=counts[order], reasons=reasons)


def ranges(starts: IntArray, ends: IntArray) -> IntArray:
    """Return all numbers of several ranges, one after the other."""
    sizes = ends - starts
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    numbers: IntArray = np.repeat(starts, sizes) + within
    return numbers


def _runs(items: Items, shape: ConversationShape) -> _Runs:
    size = len(items)
    first = np.flatnonzero(np.diff(items.runs, prepend=-1))
    end = np.append(first[1:], size)
    places = np.arange(size)
    opening = np.minimum.reduceat(np.where(items.answers, size, places), first)
    closing = np.maximum.reduceat(np.where(items.answers, places, -1), first)
    answered = closing >= 0
    if shape is ConversationShape.AS_IS:
        return _Runs(first=first, end=end, left=first, right=end, answered=answered, legal=answered)
    return _Runs(
        first=first,
        end=end,
        left=opening,
        right=closing + 1,
        answered=answered,
        legal=closing > opening,
    )


def _whole_counts(cutter: Cutter, items: Items, runs: _Runs) -> IntArray:
    """Count the widest interval of each run, as `added_costs` does; without meaning for others."""
    frame, answers, alone = cutter.frame, items.answers, items.alone
    turns = np.where(answers, frame.assistant, frame.user)
    same = answers[1:] == answers[:-1]
    before = np.zeros(len(items), np.int64)
    before[1:] = np.cumsum(np.where(same, items.joined[:-1], alone[:-1] + turns[1:]))
    left = np.where(runs.legal, runs.left, runs.first)
    last = np.where(runs.legal, runs.right, runs.end) - 1
    counts: IntArray = frame.base + before[last] + alone[last] - before[left] + turns[left]
    return counts


def _search(
    cutter: Cutter,
    items: Items,
    runs: _Runs,
    searched: IntArray,
    reasons: npt.NDArray[np.int8],
) -> tuple[IntArray, IntArray, IntArray]:
    """Cut some runs one by one; enter what is left out, and return their blocks."""
    places = [(int(runs.first[at]), int(runs.end[at])) for at in searched.tolist()]
    found: list[tuple[int, int, int]] = []
    done = cut_runs(cutter, [_as_run(items, *place) for place in places])
    for (start, _), cut in zip(places, done, strict=True):
        found += [(start + block.start, start + block.end, block.tokens) for block in cut.blocks]
        for at, reason in cut.leftovers:
            reasons[start + at] = _CODES[reason]
    columns = np.array(found, np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _as_run(items: Items, start: int, end: int) -> Run:
    return Run(
        answers=items.answers[start:end].tolist(),
        lines=[] if items.lines is None else items.lines[start:end],
        alone=items.alone[start:end].tolist(),
        joined=items.joined[start:end].tolist(),
    )
