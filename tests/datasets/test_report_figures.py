import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.report.figures import (
    FIGURE_COLUMNS,
    Bin,
    Figures,
    LanguageFigures,
    RoleFigures,
    histogram,
    months,
    percentile,
)
from resonare_pipeline.datasets.report.shards import shards, split_batches
from tests.datasets.making import START, dataset, example


def figures_of(artifact: Artifact, *, batch_rows: int = 1_000) -> Figures:
    figures = Figures()
    for split, batch in split_batches(artifact, FIGURE_COLUMNS, batch_rows=batch_rows):
        figures.add(split, batch)
    return figures


def test_shards_come_in_order_and_known_splits_first(tmp_path: Path) -> None:
    rows = [example(number) for number in range(12)]
    splits = {"extra": rows[:1], "test": rows[1:2], "train": rows}
    artifact = dataset(tmp_path, splits, shard_rows=5)
    assert list(shards(artifact)) == ["train", "test", "extra"]
    assert shards(artifact)["train"] == [
        f"data/train-0000{number}-of-00003.parquet" for number in range(3)
    ]
    assert shards(artifact)["extra"] == ["data/extra-00000-of-00001.parquet"]


@pytest.mark.parametrize("batch_rows", [1, 2, 1_000])
def test_figures_of_a_known_dataset_are_exact(tmp_path: Path, batch_rows: int) -> None:
    train = [
        example(1, "héllo 👋", "ok", tokens=30, trained_tokens=7),
        example(1, "héllo 👋", "ok", tokens=30, trained_tokens=7, repeat=1),
        example(2, "a", "b", "c", "d", language=None, started_at=None, ended_at=None),
        example(40, "q", "r", language="de"),
    ]
    validation = [example(5, "only the assistant", language="de")]
    artifact = dataset(tmp_path, {"train": train, "validation": validation}, shard_rows=3)
    figures = figures_of(artifact, batch_rows=batch_rows)

    own = figures.splits["train"]
    assert (own.rows, own.distinct, own.turns) == (4, 3, 2 + 2 + 4 + 2)
    assert (own.tokens, own.trained_tokens) == (30 + 30 + 40 + 20, 7 + 7 + 20 + 10)
    assert own.by_tokens == Counter({30: 2, 40: 1, 20: 1})
    assert own.by_turns == Counter({2: 3, 4: 1})
    assert own.untimed == 1
    february = (2024 - 1970) * 12 + 1
    assert own.by_month == Counter({february + 2: 1, february: 2})  # 29 February; 8 April
    assert figures.splits["validation"].trained_tokens == 10
    assert figures.languages == {
        "en": LanguageFigures(rows=2, tokens=60),
        "und": LanguageFigures(rows=1, tokens=40),
        "de": LanguageFigures(rows=2, tokens=20 + 10),
    }
    assert figures.roles == {
        "user": RoleFigures(turns=2 + 2 + 1, characters=2 * len("héllo 👋") + 2 + 1),
        "assistant": RoleFigures(turns=2 + 2 + 1 + 1, characters=4 + 2 + 1 + 18),
    }
    first = START + dt.timedelta(days=1)
    assert figures.first_at == int(first.timestamp()) * 1_000_000
    last = START + dt.timedelta(days=40, hours=1)
    assert figures.last_at == int(last.timestamp()) * 1_000_000
    assert figures.total("rows") == 5
    assert figures.merged("by_turns") == Counter({2: 3, 4: 1, 1: 1})


def test_figures_of_no_rows_are_empty(tmp_path: Path) -> None:
    figures = figures_of(dataset(tmp_path, {}))
    assert figures == Figures()
    assert figures.total("tokens") == 0


def test_percentile_is_the_least_value_that_enough_do_not_exceed() -> None:
    values = {1: 50, 2: 49, 1_000: 1}
    assert percentile(values, 50) == 1
    assert percentile(values, 51) == 2
    assert percentile(values, 99) == 2
    assert percentile(values, 100) == 1_000
    with pytest.raises(ValueError, match="no values"):
        percentile({}, 50)


def test_histogram_keeps_a_maximum_in_the_bin_that_ends_with_it() -> None:
    found = histogram({"train": Counter({64: 1, 65: 2, 2_047: 4, 2_048: 8})}, at_most=48)
    assert found[0] == Bin(first=1, last=64, counts={"train": 1})
    assert found[1].counts == {"train": 2}
    assert found[-1] == Bin(first=1_985, last=2_048, counts={"train": 12})
    assert len(found) == 32


def test_histogram_gathers_the_longest_rows_in_a_bin_without_an_end() -> None:
    found = histogram({"train": Counter({10: 999, 1_000_000: 1})}, at_most=10)
    assert found[-1].last is None
    assert found[-1].counts == {"train": 1}
    assert sum(entry.counts["train"] for entry in found) == 1_000
    assert len(found) == 10


def test_histogram_of_even_numbers_leaves_no_gap_between_bars() -> None:
    found = histogram({"train": Counter({2: 5, 4: 3}), "test": Counter({6: 1})}, at_most=48)
    assert found == [
        Bin(first=2, last=2, counts={"train": 5, "test": 0}),
        Bin(first=4, last=4, counts={"train": 3, "test": 0}),
        Bin(first=6, last=6, counts={"train": 0, "test": 1}),
    ]


def test_histogram_of_zeros_and_of_nothing_does_not_fail() -> None:
    assert histogram({"train": Counter({0: 3})}, at_most=48)[0].counts == {"train": 3}
    assert histogram({"train": Counter()}, at_most=48) == []


def test_months_have_no_gap_between_the_first_and_the_last() -> None:
    found = months({"train": Counter({648: 1, 651: 2})}, at_most=100)
    assert [entry.first for entry in found] == [648, 649, 650, 651]
    assert [entry.counts["train"] for entry in found] == [1, 0, 0, 2]


@pytest.mark.parametrize(
    ("first", "last", "width"), [(0, 99, 1), (1, 101, 3), (-7, 400, 12), (-20_000, 96_000, 1_200)]
)
def test_months_over_a_long_time_come_in_spans_that_begin_where_years_do(
    first: int, last: int, width: int
) -> None:
    found = months({"train": Counter({first: 1, last: 1})}, at_most=100)
    assert len(found) <= 100
    assert {(entry.last or 0) - entry.first + 1 for entry in found} == {width}
    assert all(entry.first % width == 0 for entry in found)
    assert found[0].first <= first
    assert found[-1].counts == found[0].counts == {"train": 1}
