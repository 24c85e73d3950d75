"""The charts of the page: which figures stand in which chart, and the same as tables.

How a chart is drawn is the business of `charts`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from resonare_pipeline.datasets.report.charts import Column, Mark, columns_chart, tip
from resonare_pipeline.datasets.report.figures import Bin, Figures, histogram, months, percentile
from resonare_pipeline.datasets.report.text import month, month_in_words, number
from resonare_pipeline.datasets.summary import SPLITS

MOST_BARS = 48  # of a histogram; on a phone each is still seen
MOST_MONTHS = 180  # bars of fifteen years
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, and its numbers as a table.

    Attributes:
        head: What the labels are.
        splits: Splits that it shows, in order; they are the other heads of the table.
        rows: Label, and a number for each split.
    """

    svg: Markup
    head: str
    splits: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


def split_class(split: str) -> str:
    """Return the class that a split is coloured by."""
    return f"split-{split}" if split in SPLITS else "split-other"


def tokens_chart(figures: Figures) -> Chart | None:
    """Draw how long examples are in tokens; None where there are none."""
    by_split = {split: numbers.by_tokens for split, numbers in figures.splits.items()}
    merged = figures.merged("by_tokens")
    return _histogram("tokens-chart", "Examples by tokens", "tokens", by_split, merged)


def turns_chart(figures: Figures) -> Chart | None:
    """Draw how long examples are in turns; None where there are none."""
    by_split = {split: numbers.by_turns for split, numbers in figures.splits.items()}
    merged = figures.merged("by_turns")
    return _histogram("turns-chart", "Examples by turns", "turns", by_split, merged)


def time_chart(figures: Figures) -> Chart | None:
    """Draw when examples were written; None where no time is known."""
    by_split = {split: numbers.by_month for split, numbers in figures.splits.items()}
    bins = months(by_split, at_most=MOST_MONTHS)
    if not bins:
        return None
    text = (
        f"From {month_in_words(bins[0].first)} to {month_in_words(bins[-1].last or 0)}. "
        "The table below holds the numbers."
    )
    columns = [_column(_span(entry), label, entry) for entry, label in _with_years(bins)]
    return Chart(
        svg=columns_chart("time-chart", "Examples by month", text, columns),
        head="month" if bins[0].first == bins[0].last else "months",
        splits=tuple(by_split),
        rows=tuple((_span(entry), tuple(entry.counts.values())) for entry in bins),
    )


def _histogram(
    chart_id: str,
    title: str,
    unit: str,
    by_split: Mapping[str, Counter[int]],
    merged: Counter[int],
) -> Chart | None:
    bins = histogram(by_split, at_most=MOST_BARS)
    if not bins:
        return None
    median = percentile(merged, 50)
    text = (
        f"Half of all examples have at most {number(median)} {unit}, nine in ten at most "
        f"{number(percentile(merged, 90))}, the longest has {number(max(merged))}."
    )
    width = bins[0].last or 1  # the first bin begins behind 0
    step = bins[0].first  # what values are multiples of: the mark stands in the middle of one
    mark = Mark(at=(max(median, step) - step / 2) / width, label=f"median {number(median)}")
    columns = [_column(f"{_range(entry)} {unit}", _end(entry), entry) for entry in bins]
    return Chart(
        svg=columns_chart(chart_id, title, text, columns, mark),
        head=unit,
        splits=tuple(by_split),
        rows=tuple((_range(entry), tuple(entry.counts.values())) for entry in bins),
    )


def _column(title: str, label: str, entry: Bin) -> Column:
    parts: Counter[str] = Counter()  # splits without a colour of their own share one
    for split, rows in entry.counts.items():
        parts[split_class(split)] += rows
    return Column(title=tip(title, entry.counts), parts=parts, label=label)


def _range(entry: Bin) -> str:
    if entry.last is None:
        return f"from {number(entry.first)}"
    if entry.first == entry.last:
        return number(entry.first)
    return f"{number(entry.first)}–{number(entry.last)}"


def _end(entry: Bin) -> str:
    return f"{number(entry.first)}+" if entry.last is None else number(entry.last)


def _span(entry: Bin) -> str:
    last = entry.last or entry.first
    return month(entry.first) if entry.first == last else f"{month(entry.first)} to {month(last)}"


def _with_years(bins: Sequence[Bin]) -> list[tuple[Bin, str]]:
    """Return bins with the year below the first of each; months where they are few."""
    if len(bins) <= MONTHS_A_YEAR and bins[0].first == bins[0].last:
        return [(entry, month(entry.first)) for entry in bins]
    labels: list[tuple[Bin, str]] = []
    before = None
    for entry in bins:
        year = 1970 + entry.first // MONTHS_A_YEAR
        begins = entry.first % MONTHS_A_YEAR == 0 and year != before
        labels.append((entry, str(year) if begins else ""))
        before = year
    return labels
