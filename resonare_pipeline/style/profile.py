"""How one person writes: counts that grow a piece at a time, and the profile that they give.

A tally takes lines of any chats in any number of pieces and gives the same profile; it holds counts
and the numbers that exact percentiles need, and no text but words and emoji. Of two chats nothing
is ever compared.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from resonare_pipeline.style.bursts import BURST_GAP_SECONDS, find_bursts
from resonare_pipeline.style.clock import WEEKDAYS, hours_of_week, local_seconds
from resonare_pipeline.style.emojis import END, MIDDLE, START, with_emojis
from resonare_pipeline.style.labels import LengthClass, length_classes, preferred_length
from resonare_pipeline.style.lines import BoolArray, FloatArray, IntArray, Lines
from resonare_pipeline.style.words import asks, count_words, telling

DAY_SECONDS = 86_400
TOP_EMOJIS = 5
TOP_HOURS = 3
TOP_DAYS = 2
TOP_WORDS = 20
PERCENTILES = (50, 75, 90)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the lines of one person add up to.

    Attributes:
        zone: In which days and hours are told.
        counts_words: Whether words are counted, which costs most.
        burst_sizes: Burst size → bursts.
        burst_gaps: Mean seconds between messages, of each burst.
        hours: Messages by hour of the week.
        days: First and last local day, since 1970.
    """

    zone: ZoneInfo
    counts_words: bool = True
    messages: int = 0
    characters: int = 0
    questions: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    burst_sizes: Counter[int] = field(default_factory=Counter)
    burst_gaps: list[FloatArray] = field(default_factory=list)
    with_emojis: int = 0
    emojis: Counter[str] = field(default_factory=Counter)
    emoji_places: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    hours: IntArray = field(default_factory=lambda: np.zeros(7 * 24, np.int64))
    days: tuple[int, int] | None = None

    def add(self, lines: Lines, mask: BoolArray) -> None:
        """Take some lines into account, by their texts, lengths and times."""
        places = np.flatnonzero(mask)
        if not len(places):
            return
        texts = [lines.texts[place] for place in places.tolist()]
        lengths = lines.lengths[places]
        self.messages += len(texts)
        self.characters += int(lengths.sum())
        self.classes.update(length_classes(lengths))
        self.questions += sum(map(asks, texts))
        if self.counts_words:
            self.words.update(count_words(texts))
        for placed in with_emojis(texts):
            self.with_emojis += 1
            self.emojis.update(emoji for emoji, _ in placed)
            self.emoji_places.update(place for _, place in placed)
        self._add_times(lines.at[places])

    def add_bursts(self, lines: Lines) -> None:
        """Take the bursts of the owner into account."""
        bursts = find_bursts(lines, max_gap_seconds=BURST_GAP_SECONDS)
        self.burst_sizes.update((bursts.ends - bursts.starts).tolist())
        self.burst_gaps.append(bursts.mean_gaps)

    def _add_times(self, at: IntArray) -> None:
        local = local_seconds(at, self.zone)
        self.hours += hours_of_week(local)
        first, last = int(local.min()) // DAY_SECONDS, int(local.max()) // DAY_SECONDS
        if self.days is not None:
            first, last = min(first, self.days[0]), max(last, self.days[1])
        self.days = (first, last)

    @property
    def mean_length(self) -> float:
        """Mean characters of a message; 0 without messages."""
        return self.characters / self.messages if self.messages else 0.0


def profile_of(
    tally: Tally,
    delays: IntArray,
    *,
    words: bool,
    times: bool,
) -> dict[str, Any]:
    """Return the style of a person, by the names of the Python interface.

    Args:
        delays: Whole seconds until the person answered, in any order.
        words: Whether `vocabulary` is part of it.
        times: Whether `time_patterns` is part of it.
    """
    profile: dict[str, Any] = {
        "avg_message_length": round(tally.mean_length, 2),
        "message_length_distribution": {str(name): tally.classes[name] for name in LengthClass},
        "burst_patterns": _bursts(tally),
        "preferred_length": str(preferred_length(tally.mean_length)),
        "emoji_usage": _emojis(tally),
    }
    if times:
        profile["time_patterns"] = _times(tally, delays)
    if words:
        profile["vocabulary"] = _vocabulary(tally)
    profile["total_messages"] = tally.messages
    return profile


def part_of(part: float, whole: float) -> float:
    """Return part / whole to four places; 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def _bursts(tally: Tally) -> dict[str, Any]:
    bursts = tally.burst_sizes.total()
    within = sum(size * count for size, count in tally.burst_sizes.items())
    return {
        "total_bursts": bursts,
        "avg_burst_size": round(within / bursts, 2) if bursts else 0.0,
        "burst_frequency": part_of(within, tally.messages),
        "max_burst_size": max(tally.burst_sizes, default=0),
        "burst_intervals": list(chain.from_iterable(g.round(3).tolist() for g in tally.burst_gaps)),
    }


def _emojis(tally: Tally) -> dict[str, Any]:
    share = tally.with_emojis / tally.messages if tally.messages else 0.0
    total = tally.emojis.total()
    return {
        "emoji_frequency": round(share, 4),
        "messages_with_emojis": tally.with_emojis,
        "emoji_usage_rate": f"{share:.1%}",
        "emojis_per_message": part_of(total, tally.messages),
        "top_emojis": [emoji for emoji, _ in most_frequent(tally.emojis, TOP_EMOJIS)],
        "emoji_positions": {
            place: part_of(tally.emoji_places[place], total) for place in (START, MIDDLE, END)
        },
    }


def most_frequent(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """Return the most frequent values with their counts; equal ones by value."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]


def _times(tally: Tally, delays: IntArray) -> dict[str, Any]:
    by_hour = tally.hours.reshape(7, 24).sum(axis=0).tolist()
    by_day = tally.hours.reshape(7, 24).sum(axis=1).tolist()
    days = 0 if tally.days is None else tally.days[1] - tally.days[0] + 1
    busiest = _greatest(by_day)[:TOP_DAYS]
    return {
        "time_zone": str(tally.zone),
        "most_active_hours": sorted(_greatest(by_hour)[:TOP_HOURS]),
        "most_active_days": [WEEKDAYS[day] for day in busiest],
        "avg_messages_per_day": round(tally.messages / days, 2) if days else 0.0,
        "response_time_percentiles": percentiles(delays),
    }


def _greatest(counts: list[int]) -> list[int]:
    """Return the places of all counts above zero, the greatest first, earlier ones before equal."""
    return sorted((at for at, count in enumerate(counts) if count), key=lambda at: -counts[at])


def percentiles(delays: IntArray) -> dict[str, int | None]:
    """Return p50, p75 and p90 in whole seconds; None without any.

    The percentile p of n values is the value of rank ceil(p · n / 100): one that really occurs.
    """
    ordered = np.sort(delays)
    count = len(ordered)
    return {
        f"p{rank}": int(ordered[-(-rank * count // 100) - 1]) if count else None
        for rank in PERCENTILES
    }


def _vocabulary(tally: Tally) -> dict[str, Any]:
    return {
        "unique_words": len(tally.words),
        "avg_words_per_message": round(tally.words.total() / tally.messages, 2)
        if tally.messages
        else 0.0,
        "most_common_words": telling(tally.words, TOP_WORDS),
        "question_frequency": part_of(tally.questions, tally.messages),
    }
