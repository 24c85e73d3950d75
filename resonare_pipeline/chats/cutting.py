"""Where a run is cut into blocks: an exact optimum over token counts, and nothing else.

A run is n items. A block is an interval [i, j) of them that is *legal* and whose token count lies
in bounds. Alternating shape: it begins with an item of others and ends with one of the assistant.
As-is shape: it holds an item of the assistant. Among all sets of disjoint blocks the chosen one has

1. the fewest items outside blocks,
2. then the fewest blocks,
3. then the latest cuts: the greatest sequence (end of first block, minus its begin, end of second,
   minus its begin, …) in lexicographic order.

The sequence of the third rule determines the set, so there is exactly one optimum. What may not
live here: texts, tokenizers, chats.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from resonare_pipeline.chats.rendering import ConversationShape

Interval = tuple[int, int]


class DropReason(StrEnum):
    """Why a message is in no block."""

    NO_PERSONA = "no_persona"  # the persona takes no part in its chat
    NO_TEXT = "no_text"  # its text shows nothing
    NO_REPLY = "no_reply"  # the assistant says nothing in its run
    TRIMMED_BEFORE_USER = "trimmed_before_user"  # the assistant's, with none of others before it
    TRIMMED_AFTER_ASSISTANT = "trimmed_after_assistant"  # of others, with no answer after it
    OVER_MAX_TOKENS = "over_max_tokens"  # the shortest legal interval that holds it is too long
    BELOW_MIN_TOKENS = "below_min_tokens"  # what lies between the blocks there is too short for one
    TRIMMED_AT_CUT = "trimmed_at_cut"  # no choice of cuts within the bounds takes in more


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many tokens a block may have, both ends included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Token counts of all intervals of a run: [i, j) has about ends[j] - starts[i].

    Attributes:
        starts: n numbers.
        ends: n + 1 numbers; the first is unused.
        slack: How far a count may be off; where that matters, `exact` decides.
        exact: Counts one interval exactly.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    slack: int
    exact: Callable[[int, int], int]

    def estimate(self, start: int, end: int) -> int:
        """Return the count of an interval, give or take the slack."""
        return self.ends[end] - self.starts[start]

    def fits(self, start: int, end: int, bounds: Bounds) -> bool:
        """Tell whether an interval's count lies in bounds."""
        count = self.estimate(start, end)
        if bounds.least + self.slack <= count <= bounds.most - self.slack:
            return True
        if count < bounds.least - self.slack or count > bounds.most + self.slack:
            return False
        return bounds.least <= (self.exact(start, end) if self.slack else count) <= bounds.most


def widest(answers: Sequence[bool], shape: ConversationShape) -> Interval | None:
    """Return the one legal interval that holds all others, or None if none is legal."""
    if True not in answers:
        return None
    if shape is ConversationShape.AS_IS:
        return 0, len(answers)
    if False not in answers:
        return None
    start = answers.index(False)
    end = len(answers)
    while not answers[end - 1]:
        end -= 1
    return (start, end) if start < end else None


def cut(
    answers: Sequence[bool], costs: Costs, bounds: Bounds, shape: ConversationShape
) -> list[Interval]:
    """Return the blocks of a run, in order.

    Args:
        answers: For each item, whether it is the assistant's.
        costs: Token counts.
        bounds: What a block may have.
        shape: Decides which intervals are legal.
    """
    whole = widest(answers, shape)
    if whole is None:
        return []
    if costs.fits(*whole, bounds):
        return [whole]
    table = _Table(len(answers))
    alternating = shape is ConversationShape.ALTERNATING
    may_end = [j for j in range(1, len(answers) + 1) if not alternating or answers[j - 1]]
    may_begin = [not (alternating and answer) for answer in answers]
    first_end = _first_ends(answers)
    if costs.slack == 0 and _rising(costs, may_end, may_begin):
        _fill_by_window(table, costs, bounds, may_begin, may_end, first_end)
    else:
        _fill_by_scan(table, costs, bounds, may_begin, may_end, first_end)
    return table.blocks()


def _first_ends(answers: Sequence[bool]) -> list[int]:
    # For each i the least j for which [i, j) holds an item of the assistant; n + 1 if none does.
    ends = [len(answers) + 1] * (len(answers) + 1)
    for i in range(len(answers) - 1, -1, -1):
        ends[i] = i + 1 if answers[i] else ends[i + 1]
    return ends


def _rising(costs: Costs, may_end: list[int], may_begin: list[bool]) -> bool:
    ends = [costs.ends[j] for j in may_end]
    starts = [start for start, may in zip(costs.starts, may_begin, strict=True) if may]
    return all(a <= b for a, b in pairwise(ends)) and all(a <= b for a, b in pairwise(starts))


class _Table:
    """The best choice for every rest [i, n) of a run, filled from the end.

    A rest's rank is dropped items × (n + 1) + blocks, so that ranks compare as the first two rules.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.rank = [0] * (size + 1)
        self.first_end = [0] * (size + 1)  # where the first block of the best choice ends
        self.begins = [False] * size  # whether that block begins at i itself
        self.one_dropped = size + 1

    def settle(self, i: int, end: int) -> None:
        """Choose for [i, n) between dropping item i and the best block [i, end); 0 for no block."""
        rank = self.rank[i + 1] + self.one_dropped
        first_end = self.first_end[i + 1]
        if end:
            taken = self.rank[end] + 1
            # At equal ends the block that begins at i is the longer one, hence >=.
            if taken < rank or (taken == rank and end >= first_end):
                rank, first_end = taken, end
                self.begins[i] = True
        self.rank[i] = rank
        self.first_end[i] = first_end

    def blocks(self) -> list[Interval]:
        """Follow the best choices from the start."""
        found = []
        i = 0
        while i < self.size:
            if self.begins[i]:
                found.append((i, self.first_end[i]))
                i = self.first_end[i]
            else:
                i += 1
        return found


def _fill_by_window(
    table: _Table,
    costs: Costs,
    bounds: Bounds,
    may_begin: list[bool],
    may_end: list[int],
    first_end: list[int],
) -> None:
    # Where counts rise with both ends, the ends that fit a begin are a window that only moves left
    # as the begin does; the best of it is kept at the head of a queue. Linear in the run's length.
    window: deque[int] = deque()
    entering = len(may_end) - 1
    rank, ends = table.rank, costs.ends
    for i in range(table.size - 1, -1, -1):
        if not may_begin[i]:
            table.settle(i, 0)
            continue
        least, most = costs.starts[i] + bounds.least, costs.starts[i] + bounds.most
        while entering >= 0 and may_end[entering] >= first_end[i]:
            j = may_end[entering]
            if ends[j] < least:
                break
            while window and rank[window[-1]] > rank[j]:
                window.pop()
            window.append(j)
            entering -= 1
        while window and ends[window[0]] > most:
            window.popleft()
        table.settle(i, window[0] if window else 0)


def _fill_by_scan(
    table: _Table,
    costs: Costs,
    bounds: Bounds,
    may_begin: list[bool],
    may_end: list[int],
    first_end: list[int],
) -> None:
    # Tries every end of every begin, up to where no later one can fit; counts exactly only where
    # the slack leaves it open and the block would be chosen.
    lowest_later = [0] * len(may_end)  # the least of ends[j] from here on
    lowest = None
    for at in range(len(may_end) - 1, -1, -1):
        value = costs.ends[may_end[at]]
        lowest = value if lowest is None else min(lowest, value)
        lowest_later[at] = lowest
    nearest = len(may_end)  # the first allowed end behind i
    for i in range(table.size - 1, -1, -1):
        while nearest and may_end[nearest - 1] >= first_end[i]:
            nearest -= 1
        end = _best_end(i, nearest, table, costs, bounds, may_end, lowest_later)
        table.settle(i, end if may_begin[i] else 0)


def _best_end(
    i: int,
    nearest: int,
    table: _Table,
    costs: Costs,
    bounds: Bounds,
    may_end: list[int],
    lowest_later: list[int],
) -> int:
    best = 0
    limit = costs.starts[i] + bounds.most + costs.slack
    for at in range(nearest, len(may_end)):
        if lowest_later[at] > limit:
            break
        j = may_end[at]
        if (not best or table.rank[j] <= table.rank[best]) and costs.fits(i, j, bounds):
            best = j
    return best


def leftover_reasons(
    answers: Sequence[bool],
    blocks: Sequence[Interval],
    costs: Costs,
    bounds: Bounds,
    shape: ConversationShape,
) -> list[tuple[int, DropReason]]:
    """Say of every item outside the blocks why it is left out.

    The first rule that holds decides, in the order of `DropReason`. Counts are estimates within the
    slack.

    Returns:
        (index, reason) pairs in order.
    """
    if True not in answers:
        return [(k, DropReason.NO_REPLY) for k in range(len(answers))]
    gaps = [
        (end, start)
        for (_, end), (start, _) in pairwise([(0, 0), *blocks, (len(answers), len(answers))])
        if end < start
    ]
    if not gaps:
        return []
    shortest = _shortest_intervals(answers, shape)
    whole = widest(answers, shape)
    found: list[tuple[int, DropReason]] = []
    for start, end in gaps:
        inner = widest(answers[start:end], shape)
        left = 0 if inner is None else costs.estimate(start + inner[0], start + inner[1])
        rest = DropReason.BELOW_MIN_TOKENS if left < bounds.least else DropReason.TRIMMED_AT_CUT
        for k in range(start, end):
            if whole is None or not whole[0] <= k < whole[1]:
                found.append((k, _trimmed(answer=answers[k])))
            elif _least(shortest[k], costs) > bounds.most:
                found.append((k, DropReason.OVER_MAX_TOKENS))
            else:
                found.append((k, rest))
    return found


def _trimmed(*, answer: bool) -> DropReason:
    return DropReason.TRIMMED_BEFORE_USER if answer else DropReason.TRIMMED_AFTER_ASSISTANT


def _least(intervals: Sequence[Interval], costs: Costs) -> int:
    return min((costs.estimate(*interval) for interval in intervals), default=0)


def _shortest_intervals(
    answers: Sequence[bool], shape: ConversationShape
) -> list[tuple[Interval, ...]]:
    # For each item the legal intervals that hold it and hold no shorter such interval.
    size = len(answers)
    after = [end - 1 for end in _first_ends(answers)]  # next answer at or after k, or n
    opener = shape is ConversationShape.AS_IS  # what an interval to the left of k must begin with
    before = -1
    found: list[tuple[Interval, ...]] = []
    for k in range(size):
        if answers[k] == opener:
            before = k
        if shape is ConversationShape.ALTERNATING:
            legal = before >= 0 and after[k] < size
            found.append(((before, after[k] + 1),) if legal else ())
        else:
            left = ((before, k + 1),) if before >= 0 else ()
            right = ((k, after[k] + 1),) if after[k] < size else ()
            found.append(left + right)
    return found
