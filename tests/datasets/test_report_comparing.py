from pathlib import Path

import pytest

from resonare_pipeline.datasets.report.comparing import ExampleChanges, compare_examples
from resonare_pipeline.datasets.report.versions import (
    Difference,
    SettingDifference,
    number_differences,
    setting_differences,
)
from tests.datasets.making import dataset, example, summary_of


@pytest.mark.parametrize("part_rows", [1, 3, 1_000])
def test_examples_of_two_versions_are_told_apart_exactly(tmp_path: Path, part_rows: int) -> None:
    before = dataset(
        tmp_path / "before",
        {
            "train": [example(number) for number in range(10)],
            "validation": [example(50), example(51)],
        },
        shard_rows=4,
    )
    now = dataset(
        tmp_path / "now",
        {
            "train": [
                example(50),  # moved
                example(3, "hello", "another text"),
                *[example(number) for number in range(4, 10)],
                *[example(4, repeat=repeat) for repeat in (1, 2)],  # copies count for nothing
                example(100, "q", "r", tokens=70),
            ],
            "validation": [example(51)],
        },
        shard_rows=3,
    )
    assert compare_examples(now, before, part_rows=part_rows) == ExampleChanges(
        kept=9,
        kept_tokens=9 * 20,
        added=1,
        added_tokens=70,
        removed=3,
        removed_tokens=3 * 20,
        moved=1,
        rewritten=1,
    )


def test_text_that_only_moved_between_turns_is_another_text(tmp_path: Path) -> None:
    before = dataset(tmp_path / "a", {"train": [example(1, "ab", "c")]})
    now = dataset(tmp_path / "b", {"train": [example(1, "a", "bc")]})
    assert compare_examples(now, before).rewritten == 1


def test_role_that_changed_is_another_text(tmp_path: Path) -> None:
    row = example(1, "a", "b")
    other = row | {"messages": [turn | {"role": "system"} for turn in row["messages"]]}
    before = dataset(tmp_path / "a", {"train": [row]})
    assert compare_examples(dataset(tmp_path / "b", {"train": [other]}), before).rewritten == 1
    assert compare_examples(dataset(tmp_path / "c", {"train": [row]}), before).rewritten == 0


def test_versions_without_rows_can_be_compared(tmp_path: Path) -> None:
    empty = dataset(tmp_path / "a", {})
    full = dataset(tmp_path / "b", {"train": [example(1)]})
    assert compare_examples(full, empty) == ExampleChanges(added=1, added_tokens=20)
    assert compare_examples(empty, full) == ExampleChanges(removed=1, removed_tokens=20)


def test_numbers_that_differ_come_largest_change_first() -> None:
    before = summary_of(
        {"train": [example(1)], "test": [example(2)]},
        dropped={"duplicate": 5, "too_long": 2},
        redactions={"phone": 1},
    )
    now = summary_of(
        {"train": [example(1), example(3)]},
        dropped={"duplicate": 5, "near_duplicate": 7, "too_long": 1},
        redactions={"phone": 1},
    )
    found = number_differences(now, before)
    assert found["Examples by split"] == [
        Difference(name="test", before=1, now=None),
        Difference(name="train", before=1, now=2),
    ]
    assert found["Left out, by reason"] == [
        Difference(name="near_duplicate", before=None, now=7),
        Difference(name="too_long", before=2, now=1),
    ]
    assert [difference.change for difference in found["Left out, by reason"]] == [7, -1]
    assert "Redactions, by kind" not in found
    assert "Examples by language" not in found


def test_languages_that_differ_are_named() -> None:
    before = summary_of({"train": [example(1), example(2)]})
    now = summary_of({"train": [example(1), example(2, language="de")]})
    assert number_differences(now, before)["Examples by language"] == [
        Difference(name="English", before=2, now=1),
        Difference(name="German", before=None, now=1),
    ]


def test_settings_that_differ_are_named_with_both_values() -> None:
    rows = {"train": [example(1)]}
    before = summary_of(rows, settings={"dataset": {"seed": 0, "a": [1]}, "old": {"k": True}})
    now = summary_of(rows, settings={"dataset": {"seed": 1, "a": [1]}}, tokenizer="gpt2")
    assert setting_differences(now, before) == [
        SettingDifference(name="dataset.seed", before="0", now="1"),
        SettingDifference(name="old.k", before="true", now=""),
        SettingDifference(name="tokenizer, as loaded", before='"o200k_base"', now='"gpt2"'),
    ]
