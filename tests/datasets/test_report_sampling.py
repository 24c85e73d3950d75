from pathlib import Path

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.report.excerpts import shown_sample
from resonare_pipeline.datasets.report.sampling import SAMPLE_COLUMNS, Sample, Samples, SampleTurn
from resonare_pipeline.datasets.report.shards import split_batches
from tests.datasets.making import Row, dataset, example


def drawn(
    artifact: Artifact, count: int, *, seed: int = 0, batch_rows: int = 100
) -> dict[str, list[Sample]]:
    samples = Samples(count, seed)
    for split, batch in split_batches(artifact, SAMPLE_COLUMNS, batch_rows=batch_rows):
        samples.add(split, batch)
    return samples.chosen()


def ids(samples: list[Sample]) -> list[str]:
    return [sample.example_id for sample in samples]


def many(count: int, source: str = "chats/alice", root: str = "r") -> list[Row]:
    return [
        example(number, source=source, root_id=root, example_id=f"{source} {root} {number}")
        for number in range(count)
    ]


def test_samples_are_spread_over_sources_however_unequal(tmp_path: Path) -> None:
    rows = many(900, "chats/large") + many(2, "chats/small") + many(1, "chats/tiny")
    chosen = drawn(dataset(tmp_path, {"train": rows}), 6)["train"]
    found = [sample.source for sample in chosen]
    assert found[:3] == ["chats/large", "chats/small", "chats/tiny"]
    assert found[3:] == ["chats/large", "chats/small", "chats/large"]
    assert len(set(ids(chosen))) == 6


def test_samples_of_one_source_are_spread_over_its_roots(tmp_path: Path) -> None:
    rows = [row for root in "abcd" for row in many(50, "chats", root)]
    roots = {row["example_id"]: row["root_id"] for row in rows}
    chosen = drawn(dataset(tmp_path, {"train": rows}), 6)["train"]
    assert {roots[example_id] for example_id in ids(chosen)[:4]} == set("abcd")
    assert len(set(ids(chosen))) == 6


def test_samples_are_as_many_as_asked_for_or_as_there_are(tmp_path: Path) -> None:
    artifact = dataset(tmp_path, {"train": many(30), "validation": many(2, "chats/bo")})
    chosen = drawn(artifact, 6)
    assert {split: len(samples) for split, samples in chosen.items()} == {
        "train": 6,
        "validation": 2,
    }
    assert drawn(artifact, 0) == {}


def test_samples_pass_over_copies_by_weight(tmp_path: Path) -> None:
    rows = [row | {"repeat": repeat} for row in many(2) for repeat in range(5)]
    assert len(drawn(dataset(tmp_path, {"train": rows}), 6)["train"]) == 2


@pytest.mark.parametrize("batch_rows", [1, 7, 1_000])
def test_samples_depend_neither_on_order_nor_on_batches(tmp_path: Path, batch_rows: int) -> None:
    rows = [row for name in "abcdefghij" for row in many(20, f"chats/{name}", name)]
    expected = ids(drawn(dataset(tmp_path / "a", {"train": rows}), 6)["train"])
    turned = dataset(tmp_path / "b", {"train": rows[::-1]})
    assert ids(drawn(turned, 6, batch_rows=batch_rows)["train"]) == expected


def test_samples_with_another_seed_are_others(tmp_path: Path) -> None:
    artifact = dataset(tmp_path, {"train": many(300)})
    first, second = (ids(drawn(artifact, 6, seed=seed)["train"]) for seed in (0, 1))
    assert set(first) != set(second)


def sample(*contents: str, **rest: object) -> Sample:
    values: dict[str, object] = {
        "example_id": "e1",
        "split": "train",
        "source": "chats/alice",
        "turns": len(contents),
        "tokens": 1,
        "trained_tokens": 1,
        "language": None,
        "started_at": None,
        "tools": None,
        "messages": tuple(
            SampleTurn(role=role, content=content, weight=None)
            for role, content in zip(["user", "assistant"] * 9, contents, strict=False)
        ),
    }
    return Sample(**values | rest)  # type: ignore[arg-type]  # a table of a test's own making


def test_sample_that_is_too_long_is_cut_and_says_how_much() -> None:
    shown = shown_sample(sample("a" * 150, "b" * 150, "c" * 40, "d"), 200)
    assert [len(turn.text) for turn in shown.turns] == [150, 50]
    assert [turn.more for turn in shown.turns] == ["", "100 more characters"]
    assert shown.more == "2 more turns, 41 characters"


def test_sample_that_fits_is_whole_and_open() -> None:
    shown = shown_sample(sample("a" * 100, "b" * 100), 200)
    assert shown.is_open
    assert shown.more == ""
    assert [turn.more for turn in shown.turns] == ["", ""]
    assert not shown_sample(sample("a" * 9_000, "b"), 20_000).is_open


def test_sample_tells_which_turns_are_trained_on() -> None:
    turns = (
        SampleTurn(role="user", content="q", weight=None),
        SampleTurn(role="assistant", content="r", weight=0),
        SampleTurn(role="assistant", content="s", weight=1),
    )
    shown = shown_sample(sample(messages=turns), 200)
    assert [turn.is_trained for turn in shown.turns] == [False, False, True]


def test_sample_names_the_command_that_traces_it_safely_quoted() -> None:
    assert shown_sample(sample("a"), 200).command == "resonare trace e1"
    hostile = shown_sample(sample("a", example_id="x; rm -rf ~"), 200)
    assert hostile.command == "resonare trace 'x; rm -rf ~'"
