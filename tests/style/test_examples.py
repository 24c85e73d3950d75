"""Examples by strategy, their choice, filters, validation and files."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import InputError, StoreError
from resonare_pipeline.style import (
    ConversationProcessor,
    TrainingDataCreator,
    ValidationError,
    anonymize_text,
    create_training_data_from_signal,
    validate_example,
    validate_training_data,
)
from resonare_pipeline.style.sampling import fair_shares
from tests.style.making import ALICE, BOB, YOU, months, recipients, signal

ALL = ["conversational", "burst", "adaptive", "completion", "qa"]
CREATOR = TrainingDataCreator(min_message_length=1)
GOOD = {"instruction": "Answer", "input": "Hm?", "output": "Yes"}


def of_kind(frame: pd.DataFrame, strategy: str, **arguments: Any) -> list[dict[str, Any]]:
    return CREATOR.create_training_examples(frame, strategies=[strategy], **arguments)[0]


def test_unknown_strategy_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"bursts.*conversational, burst, adaptive, completion"):
        CREATOR.create_training_examples(months(1), strategies=["qa", "bursts"])
    with pytest.raises(InputError, match="conversational"):
        CREATOR.create_training_examples(months(1), strategies=[])


@pytest.mark.parametrize("strategy", ALL)
def test_every_strategy_gives_valid_examples(strategy: str) -> None:
    examples = of_kind(months(40), strategy)
    assert examples
    assert validate_training_data(examples) == (True, [])


def test_questions_are_paired_with_the_whole_turn_that_answers() -> None:
    frame = signal(
        (0, ALICE, "not this"), (1, ALICE, "where are you?"), (4, YOU, "home"), (1, YOU, "why"),
        (1, ALICE, "because"), (1, YOU, "ok"), (1, ALICE, "sure?"), (4_000, YOU, "too late"),
    )  # fmt: skip
    (example,) = of_kind(frame, "qa")
    assert (example["input"], example["output"]) == ("Partner: where are you?", "home\nwhy")
    assert example["metadata"]["response_delay"] == 4.0
    assert example["metadata"]["answer_messages"] == 2


def test_completion_cuts_a_message_between_words_and_loses_nothing() -> None:
    text = "one two three four five six seven eight nine ten"
    (example,) = of_kind(signal((0, YOU, text)), "completion")
    assert f"{example['input']} {example['output']}" == text
    assert 3 <= len(example["input"].split()) <= 7


def test_completion_works_without_spaces() -> None:
    text = "今天我们一起去公园散步吧"
    (example,) = of_kind(signal((0, YOU, text)), "completion")
    assert example["input"] + example["output"] == text


def test_adaptive_examples_are_of_partners_that_differ_and_are_known_well() -> None:
    frame = months(60)
    made = CREATOR.create_adaptive_training_data(frame, recipients())
    assert {e["metadata"]["partner_style"] for e in made} == {"lengthy_texter", "concise_texter"}
    far = CREATOR.create_adaptive_training_data(frame, recipients(), min_style_difference=0.8)
    assert {e["metadata"]["conversation_partner"] for e in far} == {"Bob"}
    known = CREATOR.create_adaptive_training_data(
        frame, recipients(), min_conversations_per_partner=61
    )
    assert known == []
    going = CREATOR.create_adaptive_training_data(frame, recipients(), min_adaptation_level=0.35)
    assert {e["metadata"]["conversation_partner"] for e in going} == {"Bob"}


def test_adaptation_is_measured_against_how_you_write_to_everybody() -> None:
    rows = []
    for number in range(20):
        day = {"at": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=number)}
        first = {"first_id": 10 * number}
        rows += [
            signal((0, ALICE, "x" * 160), (9, YOU, "y" * 80), thread=1, **first, **day),  # type: ignore[arg-type]
            signal((0, BOB, "x" * 20), (9, YOU, "y" * 20), thread=2, **first, **day),  # type: ignore[arg-type]
        ]
    made = CREATOR.create_adaptive_training_data(pd.concat(rows))
    levels = {e["metadata"]["partner_style"]: e["metadata"]["adaptation_level"] for e in made}
    # Usual length 50: to Alice (160) you write 80, to Bob (20) you write 20.
    assert levels == {"lengthy_texter": 0.4041, "concise_texter": 1.0}


def test_momentum_and_metadata_of_conversational_data() -> None:
    frame = months(3)
    every = CREATOR.create_conversational_data(frame)
    rapid = CREATOR.create_conversational_data(frame, momentum_filter="rapid")
    assert 0 < len(rapid) < len(every)
    assert rapid == [e for e in every if e["metadata"]["momentum"] == "rapid"]
    bare = CREATOR.create_conversational_data(frame, include_metadata=False)
    assert [set(e) for e in bare] == [{"instruction", "input", "output"}] * len(every)
    four = CREATOR.create_conversational_data(frame, min_context_messages=4)
    assert {e["metadata"]["context_size"] for e in four} == {4}
    with pytest.raises(InputError, match="rapid, moderate, slow"):
        CREATOR.create_conversational_data(frame, momentum_filter="fast")


def test_max_examples_are_shared_evenly_and_drawn_by_seed() -> None:
    frame = months(40)
    kinds = ["conversational", "burst", "qa"]

    def draw(seed: int, **more: Any) -> list[dict[str, Any]]:
        creator = TrainingDataCreator(seed=seed, min_message_length=1)
        return creator.create_training_examples(frame, strategies=kinds, max_examples=90, **more)[0]

    counts = Counter(e["metadata"]["type"] for e in draw(0))
    assert counts == {"conversational": 30, "burst_sequence": 30, "qa": 30}
    assert draw(0) == draw(0)
    assert draw(0) != draw(1)
    unbalanced = Counter(e["metadata"]["type"] for e in draw(0, balance_examples=False))
    assert unbalanced["conversational"] > 30
    assert unbalanced.total() == 90


@given(st.lists(st.integers(0, 20), max_size=5), st.integers(0, 60))
def test_shares_are_as_even_as_counts_allow(counts: list[int], most: int) -> None:
    shares = fair_shares(counts, most)
    assert sum(shares) == min(most, sum(counts))
    assert all(share <= count for share, count in zip(shares, counts, strict=True))
    hungry = [s for s, count in zip(shares, counts, strict=True) if s < count]
    assert not hungry or max(shares) - min(hungry) <= 1


def test_date_range_includes_both_days() -> None:
    frame = pd.concat(
        signal(
            (0, ALICE, "hi there"), (5, YOU, day), first_id=10 * n, at=pd.Timestamp(day, tz="UTC")
        )
        for n, day in enumerate(
            [
                "2022-12-31T23:59:50",
                "2023-01-01T00:00:00",
                "2024-01-01T23:59:50",
                "2024-01-02T00:00:00",
            ]
        )
    )
    examples = of_kind(
        frame,
        "completion",
        filters={"date_range": ("2023-01-01", "2024-01-01")},
    )
    assert examples == []
    style = CREATOR.create_training_examples(
        frame, filters={"date_range": ("2023-01-01", "2024-01-01")}
    )[1]
    assert style["total_messages"] == 2
    open_ended = CREATOR.create_training_examples(
        frame, filters={"date_range": (None, "2023-01-01")}
    )
    assert open_ended[1]["total_messages"] == 2


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"min_length": 3}, "min_message_length"),
        ({"date_range": "2023"}, "first and last day"),
        ({"date_range": ("2024-01-02", "2024-01-01")}, "before it begins"),
        ({"date_range": ("soon", "2024-01-01")}, "no date"),
        ({"min_message_length": "ten"}, "whole number"),
    ],
)
def test_filters_that_cannot_be_used_are_refused(filters: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        CREATOR.create_training_examples(months(1), filters=filters)


def test_blocked_people_and_what_you_wrote_to_them_are_left_out() -> None:
    frame = months(3)
    frame.loc[frame.thread_id.eq(2) & frame.from_recipient_id.eq(YOU), "to_recipient_id"] = BOB
    examples, style = CREATOR.create_training_examples(
        frame, recipients(blocked=BOB), filters={"exclude_blocked": True}
    )
    assert {e["metadata"]["conversation_partner"] for e in examples} == {"Alice"}
    assert style["total_messages"] == 9


def test_validation_says_what_is_wrong_and_where() -> None:
    bad = [
        {**GOOD, "output": " "},
        {"instruction": "a", "input": "b"},
        {**GOOD, "input": None},
        "text",
        {**GOOD, "metadata": {"gap": float("nan")}},
        {**GOOD, "output": "\ud83d"},
    ]
    valid, errors = validate_training_data([GOOD, *bad])
    assert not valid
    assert [error.partition(":")[0] for error in errors] == [f"example {n}" for n in range(1, 7)]
    assert [validate_example(example) for example in [GOOD, *bad]] == [True] + [False] * 6


def test_invalid_examples_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="example 1: output is empty") as caught:
        CREATOR.save_training_data([GOOD, {**GOOD, "output": ""}], tmp_path / "a.json")
    assert caught.value.errors == ("example 1: output is empty",)
    assert list(tmp_path.iterdir()) == []
    CREATOR.save_training_data([{**GOOD, "output": ""}], tmp_path / "a.json", validate=False)
    assert (tmp_path / "a.json").exists()


def test_json_holds_examples_and_style(tmp_path: Path) -> None:
    path = CREATOR.save_training_data([GOOD], tmp_path / "new" / "a.json", {"total_messages": 1})
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["examples"] == [GOOD]
    assert document["style_analysis"] == {"total_messages": 1}
    assert document["metadata"]["total_examples"] == 1


def test_json_lines_hold_an_example_each_and_may_be_compressed(tmp_path: Path) -> None:
    path = CREATOR.save_training_data(
        [GOOD, GOOD], tmp_path / "a.jsonl", {"n": 1}, format="jsonl", compress=True
    )
    assert path == tmp_path / "a.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [GOOD, GOOD]
    assert json.loads((tmp_path / "a.style.json").read_text(encoding="utf-8")) == {"n": 1}
    assert CREATOR.save_training_data([GOOD], tmp_path / "b.jsonl").read_bytes().count(b"\n") == 1


def test_format_that_is_unknown_or_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="json, jsonl"):
        CREATOR.save_training_data([GOOD], tmp_path / "a", format="csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        CREATOR.save_training_data([GOOD], tmp_path / "file" / "a.json")


def test_tweets_are_told_by_their_preview() -> None:
    link = "https://twitter.com/somebody/status/123?s=20"
    previews = json.dumps([{"url": link, "title": "T", "description": "Bees dance."}])
    frame = signal(
        (0, ALICE, f"see {link}"), (5, YOU, "nice, and https://x.com/other/status/9 too")
    )
    made = ConversationProcessor().process_conversations(
        frame.assign(link_previews=pd.Series([previews, None])), recipients()
    )
    assert made.body.tolist() == [
        "see [Tweet by @somebody: Bees dance.]",
        "nice, and [Tweet by @other] too",
    ]
    assert made.enhanced.tolist() == [True, True]
    assert made.sender_name.tolist() == ["Alice", "Me"]
    off = ConversationProcessor(enhance_with_twitter=False).process_conversations(frame)
    assert off.body.tolist() == frame.body.tolist()


def test_images_are_described_only_by_what_the_caller_gives() -> None:
    frame = signal((0, ALICE, None), (5, YOU, "pretty")).assign(
        media_kind=pd.Series(["photo", None]), media_path=pd.Series(["cat.jpg", None])
    )
    plain = ConversationProcessor().process_conversations(frame)
    assert plain.enhanced.tolist() == [False, False]
    made = ConversationProcessor(describe_image=lambda path: f"a {path}").process_conversations(
        frame
    )
    assert made.body.tolist() == ["[Image: a cat.jpg]", "pretty"]
    assert made.enhanced.tolist() == [True, False]


def test_anonymized_text_has_no_names_and_numbers() -> None:
    text = "Maya, write to maya@example.org or call +1 202-555-0123"
    assert anonymize_text(text, ["Maya"]) == "[PERSON_1], write to [EMAIL] or call [PHONE]"
    assert anonymize_text("call Maya", "Maya") == anonymize_text("call Maya", ["Maya"])
    assert "Maya" not in anonymize_text("call Maya", "Maya")
    assert anonymize_text(None) is None
    assert pd.Series(["a@example.org", None]).apply(anonymize_text)[0] == "[EMAIL]"


def test_whole_run_filters_enhances_and_writes(tmp_path: Path) -> None:
    link = "https://x.com/other/status/9"
    frame = pd.concat(
        [months(30), signal((0, BOB, f"see {link}"), (5, YOU, "well\rseen"), thread=3, first_id=1)]
    )
    frame.to_csv(tmp_path / "signal.csv", index=False, lineterminator="\n")
    recipients().to_csv(tmp_path / "recipient.csv", index=False)
    made = create_training_data_from_signal(
        tmp_path / "signal.csv",
        tmp_path / "recipient.csv",
        tmp_path / "out.json",
        strategies=ALL,
        max_examples=100,
        filters={"min_message_length": 10, "exclude_blocked": True},
    )
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert made["success"] is True
    assert len(document["examples"]) == made["total_examples"] == 100
    assert made["enhanced_messages"] == 1
    assert all(
        len(e["output"]) >= 10
        for e in document["examples"]
        if e["metadata"]["type"] != "completion"
    )


def test_whole_run_without_examples_is_no_success(tmp_path: Path) -> None:
    signal((0, YOU, "alone")).to_csv(tmp_path / "signal.csv", index=False)
    made = create_training_data_from_signal(tmp_path / "signal.csv", None, tmp_path / "out.json")
    assert (made["success"], made["total_examples"]) == (False, 0)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_file_of_a_table_program_gives_the_same_examples(separator: str, tmp_path: Path) -> None:
    frame = months(2)
    frame.to_csv(tmp_path / "a.csv", index=False, lineterminator="\n")
    frame.iloc[:, ::-1].to_csv(
        tmp_path / "b.csv", index=False, sep=separator, lineterminator="\r\n", encoding="utf-8-sig"
    )
    made = [
        create_training_data_from_signal(tmp_path / name, None, tmp_path / f"{name}.jsonl")
        for name in ("a.csv", "b.csv")
    ]
    assert made[0]["total_examples"] == made[1]["total_examples"] > 0
    assert (tmp_path / "a.csv.jsonl").read_bytes() == (tmp_path / "b.csv.jsonl").read_bytes()


def test_file_that_is_missing_or_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"signal\.csv"):
        create_training_data_from_signal(tmp_path / "signal.csv", None, tmp_path / "out.json")
    (tmp_path / "signal.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"signal\.csv"):
        create_training_data_from_signal(tmp_path / "signal.csv", None, tmp_path / "out.json")
