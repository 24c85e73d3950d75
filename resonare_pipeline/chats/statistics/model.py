"""The shape of statistics.json: what is known about an export, as numbers and names.

Field order is the order in the file. Nothing here counts or formats, and no field may hold the text
of a message.
"""

import msgspec
import numpy as np

PERCENT = 100


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How a quantity is spread over its items.

    The percentile p of n values is the smallest value that at least p % of them do not exceed: the
    value of rank ceil(p · n / 100). So each percentile is a value that really occurs.
    """

    count: int
    mean: float | None = None
    min: int | None = None
    p10: int | None = None
    p25: int | None = None
    median: int | None = None
    p75: int | None = None
    p90: int | None = None
    p99: int | None = None
    max: int | None = None


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many values lie in a half-open interval."""

    at_least: int
    below: int
    count: int


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """How many values lie over a bound."""

    longer_than_seconds: int
    count: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The export as a whole."""

    chats: int
    participants: int
    messages: int
    with_text: int
    media_only: int  # media without a text
    characters: int  # Unicode code points
    owner_share: float | None  # the owner's part of the messages, 0 … 1
    days_with_messages: int  # UTC days
    first_sent_at: str | None
    last_sent_at: str | None
    blocks: int
    messages_in_blocks: int
    coverage: float | None  # messages in blocks / messages, 0 … 1
    tokens: int  # of all blocks as rendered


class ChatStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One chat. Counts are of the messages that go on, not of those that were left out."""

    chat_id: str
    name: str | None
    kind: str | None
    messages: int
    participants: int  # who wrote at least one of the messages
    owner_share: float | None
    blocks: int
    messages_in_blocks: int
    coverage: float | None
    tokens: int
    first_sent_at: str | None
    last_sent_at: str | None


class ParticipantStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One person over all chats, by sender id; by name where the source gives no id."""

    sender_id: str | None
    name: str | None  # the one used most
    is_owner: bool
    chats: int
    messages: int
    with_text: int
    characters: int
    average_length: float | None  # characters / messages with text
    share: float | None  # of all messages


class MonthStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar month (UTC) with at least one message."""

    month: str  # YYYY-MM
    messages: int
    by_owner: int
    characters: int


class BlockStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of blocks."""

    min_tokens: int  # the bounds that the blocks were cut to
    max_tokens: int
    tokens: Distribution
    tokens_histogram: tuple[Bin, ...]
    tokens_even_histogram: tuple[Bin, ...]  # bins of one width
    messages: Distribution  # members of a block; a split message counts in each of its blocks


class PaceStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between neighbouring messages of one chat, in whole seconds.

    With t the times of a chat in order, a gap is t[i] - t[i-1]. It is a reply delay when sender i
    is not sender i-1 and the gap is at most `reply_within_seconds`; it counts for sender i.
    """

    gaps: Distribution
    silences: tuple[Threshold, ...]
    reply_within_seconds: int
    replies: Distribution
    replies_by_owner: Distribution
    replies_by_others: Distribution


class DroppedStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset left out for one reason."""

    asset: str
    reason: str
    items: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about an export and what became of it."""

    totals: Totals
    chats: tuple[ChatStatistics, ...]  # most messages first
    participants: tuple[ParticipantStatistics, ...]  # most messages first
    months: tuple[MonthStatistics, ...]
    hours_by_weekday: dict[str, tuple[int, ...]]  # weekday → messages in UTC hours 0 … 23
    blocks: BlockStatistics
    dropped: tuple[DroppedStatistics, ...]  # in the order of the graph, then most items first
    pace: PaceStatistics
    media_kinds: dict[str, int]  # most frequent first
    reactions: dict[str, int]  # most frequent first


def distribution(values: np.ndarray) -> Distribution:
    """Describe integer values; the order they come in does not matter."""
    count = len(values)
    if not count:
        return Distribution(count=0)
    ordered = np.sort(values)

    def at(percentile: int) -> int:
        rank = -(-percentile * count // PERCENT)  # ceil in whole numbers: no rounding error
        return int(ordered[rank - 1])

    return Distribution(
        count=count,
        mean=round(int(ordered.sum(dtype=np.int64)) / count, 2),
        min=int(ordered[0]),
        p10=at(10),
        p25=at(25),
        median=at(50),
        p75=at(75),
        p90=at(90),
        p99=at(99),
        max=int(ordered[-1]),
    )


def power_of_two_bins(values: np.ndarray) -> tuple[Bin, ...]:
    """Count non-negative integers in the bins [0, 1), [1, 2), [2, 4), [4, 8), ….

    The edges are the same for every export, so that two can be compared. Empty bins are given only
    between those that hold something.
    """
    if not len(values):
        return ()
    # frexp writes v as m · 2^e with m in [0.5, 1): e is the number of bits of v, exactly.
    counts = np.bincount(np.frexp(values.astype(np.float64))[1])
    first = int(np.flatnonzero(counts)[0])
    return tuple(
        Bin(at_least=(1 << bits) >> 1, below=1 << bits, count=int(counts[bits]))
        for bits in range(first, len(counts))
    )


def even_bins(values: np.ndarray, *, at_most: int) -> tuple[Bin, ...]:
    """Count positive integers in bins of one width, from 1 to the last that holds something.

    The width is the least power of two that needs no more than `at_most` bins. A bin ends with a
    multiple of it, so that a maximum such as 2,048 lies in the bin below it.
    """
    if not len(values):
        return ()
    greatest = int(values.max())
    width = 1
    while -(-greatest // width) > at_most:
        width *= 2
    counts = np.bincount((values.astype(np.int64) - 1) // width)
    return tuple(
        Bin(at_least=index * width + 1, below=(index + 1) * width + 1, count=count)
        for index, count in enumerate(counts.tolist())
    )


def share(part: int, whole: int) -> float | None:
    """Return part / whole to four places, or None where there is no whole."""
    return round(part / whole, 4) if whole else None
