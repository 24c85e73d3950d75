"""What the rows of a dataset come to, counted batch by batch; memory grows with no row.

Of lengths the exact values are kept with how often they occur, so that every bin and every
percentile is exact.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.datasets.report.shards import whole_numbers

FIGURE_COLUMNS = [
    "messages",
    "repeat",
    "turns",
    "tokens",
    "trained_tokens",
    "language",
    "started_at",
    "ended_at",
]
UNKNOWN_LANGUAGE = "und"  # ISO 639-2: undetermined


@dataclass(slots=True)
class SplitFigures:
    """One split.

    Attributes:
        rows: Copies by weight included, as for all numbers but `distinct`.
        distinct: Rows that are no copy.
        by_tokens: Tokens of an example → rows.
        by_turns: Turns of an example → rows.
        by_month: Months since January 1970 (UTC) of the first message → rows.
        untimed: Rows without a time.
    """

    rows: int = 0
    distinct: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    turns: int = 0
    by_tokens: Counter[int] = field(default_factory=Counter)
    by_turns: Counter[int] = field(default_factory=Counter)
    by_month: Counter[int] = field(default_factory=Counter)
    untimed: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows."""
        tokens = whole_numbers(batch, "tokens")
        turns = whole_numbers(batch, "turns")
        started = whole_numbers(batch, "started_at")
        self.rows += batch.num_rows
        self.distinct += int(np.count_nonzero(whole_numbers(batch, "repeat") == 0))
        self.tokens += int(tokens.sum())
        self.trained_tokens += int(whole_numbers(batch, "trained_tokens").sum())
        self.turns += int(turns.sum())
        self.untimed += batch.num_rows - len(started)
        _tally(self.by_tokens, tokens)
        _tally(self.by_turns, turns)
        months = started.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        _tally(self.by_month, months)


@dataclass(slots=True)
class LanguageFigures:
    """One language, by the guess that each row holds."""

    rows: int = 0
    tokens: int = 0


@dataclass(slots=True)
class RoleFigures:
    """One role: its turns and their characters (Unicode code points)."""

    turns: int = 0
    characters: int = 0


@dataclass(slots=True)
class Figures:
    """A whole dataset.

    Attributes:
        languages: ISO 639-1 code, or `und` → numbers.
        first_at: Earliest start of an example, in µs since 1970; None if none has a time.
        last_at: Latest end of one.
    """

    splits: dict[str, SplitFigures] = field(default_factory=dict)
    languages: dict[str, LanguageFigures] = field(default_factory=dict)
    roles: dict[str, RoleFigures] = field(default_factory=dict)
    first_at: int | None = None
    last_at: int | None = None

    def add(self, split: str, batch: pa.RecordBatch) -> None:
        """Count some rows of a split."""
        self.splits.setdefault(split, SplitFigures()).add(batch)
        self._add_languages(batch)
        self._add_roles(batch)
        times = [
            *whole_numbers(batch, "started_at").tolist(),
            *whole_numbers(batch, "ended_at").tolist(),
        ]
        if times:
            self.first_at = min(times) if self.first_at is None else min(self.first_at, *times)
            self.last_at = max(times) if self.last_at is None else max(self.last_at, *times)

    def _add_languages(self, batch: pa.RecordBatch) -> None:
        codes = pc.fill_null(batch.column("language"), UNKNOWN_LANGUAGE).dictionary_encode()
        rows, tokens = _sums(codes, whole_numbers(batch, "tokens"))
        for code, count, total in zip(codes.dictionary.to_pylist(), rows, tokens, strict=True):
            figures = self.languages.setdefault(code, LanguageFigures())
            figures.rows += count
            figures.tokens += total

    def _add_roles(self, batch: pa.RecordBatch) -> None:
        turns = batch.column("messages").flatten()
        roles = turns.field("role").dictionary_encode()
        lengths = np.asarray(pc.utf8_length(turns.field("content")), dtype=np.int64)
        counts, characters = _sums(roles, lengths)
        for role, count, total in zip(
            roles.dictionary.to_pylist(), counts, characters, strict=True
        ):
            figures = self.roles.setdefault(role, RoleFigures())
            figures.turns += count
            figures.characters += total

    def total(self, name: str) -> int:
        """Return a number of `SplitFigures`, over all splits."""
        return sum(int(getattr(split, name)) for split in self.splits.values())

    def merged(self, name: str) -> Counter[int]:
        """Return a count by value of `SplitFigures`, over all splits."""
        merged: Counter[int] = Counter()
        for split in self.splits.values():
            merged.update(getattr(split, name))
        return merged


def _tally(counter: Counter[int], values: np.ndarray) -> None:
    found, counts = np.unique(values, return_counts=True)
    for value, count in zip(found.tolist(), counts.tolist(), strict=True):
        counter[value] += count


def _sums(groups: pa.DictionaryArray, values: np.ndarray) -> tuple[list[int], list[int]]:
    """Return how often each entry of a dictionary occurs, and the sum of its values."""
    indices = np.asarray(groups.indices, dtype=np.int64)
    size = len(groups.dictionary)
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, indices, values)  # exact, where weights of bincount are floats
    return np.bincount(indices, minlength=size).tolist(), sums.tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A bar of a histogram.

    Attributes:
        first: Least value in it.
        last: Greatest; None where the last bin takes all that is longer.
        counts: Split → rows.
    """

    first: int
    last: int | None
    counts: Mapping[str, int]


def histogram(by_value: Mapping[str, Counter[int]], *, at_most: int) -> list[Bin]:
    """Count values from 1 on in bins of one width.

    The width is a power of two, or that times what all values are multiples of: conversations that
    alternate have even numbers of turns. A bin ends with a multiple of it, so that a maximum such
    as 2,048 lies in the bin below it. One value in two hundred may lie in a last bin without an
    end, so that a few very long rows do not squeeze all others into one bar.

    Args:
        by_value: Split → value → rows.
        at_most: Bins, the one without an end included.
    """
    merged: Counter[int] = Counter()
    for counter in by_value.values():
        merged.update(counter)
    if not merged:
        return []
    step = max(math.gcd(*merged), 1)
    width = _width(percentile(merged, 99.5), step, at_most - 1)
    greatest = max(*merged, 1)
    size = min(-(-greatest // width), at_most)
    counts = [dict.fromkeys(by_value, 0) for _ in range(size)]
    for split, counter in by_value.items():
        for value, rows in counter.items():
            counts[min((max(value, 1) - 1) // width, size - 1)][split] += rows
    bins = [
        Bin(first=index * width + step, last=(index + 1) * width, counts=count)
        for index, count in enumerate(counts)
    ]
    if greatest > width * size:
        bins[-1] = replace(bins[-1], last=None)
    return bins


def _width(greatest: int, step: int, at_most: int) -> int:
    width = step
    while -(-greatest // width) > at_most:
        width *= 2
    return width


def percentile(by_value: Mapping[int, int], percent: float) -> int:
    """Return the least value that at least so many percent of all do not exceed.

    Raises:
        ValueError: If there is no value.
    """
    count = sum(by_value.values())
    seen = 0
    for value in sorted(by_value):
        seen += by_value[value]
        if seen * 100 >= percent * count:
            return value
    raise ValueError("no values")


def months(by_month: Mapping[str, Counter[int]], *, at_most: int) -> list[Bin]:
    """Count months in bins of one, three or twelve months, or more years where that is too many.

    Returns:
        Bins without a gap, numbered in months since January 1970; a bin of years begins in January.
    """
    used = [month for counter in by_month.values() for month in counter]
    if not used:
        return []
    width = next(width for width in _spans() if _bins(used, width) <= at_most)
    start = min(used) // width * width
    counts = [dict.fromkeys(by_month, 0) for _ in range(_bins(used, width))]
    for split, counter in by_month.items():
        for month, rows in counter.items():
            counts[(month - start) // width][split] += rows
    return [
        Bin(first=start + index * width, last=start + (index + 1) * width - 1, counts=count)
        for index, count in enumerate(counts)
    ]


def _bins(used: Iterable[int], width: int) -> int:
    numbers = [month // width for month in used]
    return max(numbers) - min(numbers) + 1


def _spans() -> Iterable[int]:
    yield from (1, 3)
    years = 1
    while True:
        yield 12 * years
        years *= 10
