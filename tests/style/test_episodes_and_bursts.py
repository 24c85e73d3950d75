"""Episodes and bursts, by hand and against a plain rewriting of the rules."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import InputError
from resonare_pipeline.style import TrainingDataCreator
from tests.style.making import ALICE, BOB, YOU, rows_of, signal

MINUTE = 60
CREATOR = TrainingDataCreator(min_message_length=1)


def episodes(frame: pd.DataFrame, **arguments: Any) -> list[dict[str, Any]]:
    return CREATOR.segment_natural_dialogues(frame, **arguments)


def test_silence_ends_an_episode_and_its_id_names_the_first_message() -> None:
    frame = signal(
        (0, YOU, "a"), (60, ALICE, "b"), (60, YOU, "c"),
        (31 * MINUTE, ALICE, "d"), (60, YOU, "e"), (60, ALICE, "f"),
        thread=123, first_id=456,
    )  # fmt: skip
    made = episodes(frame)
    assert [e["episode_id"] for e in made] == ["ep_123_456", "ep_123_459"]
    assert [e["metadata"]["duration_seconds"] for e in made] == [120, 120]
    assert [e["metadata"]["initiator"] for e in made] == ["You", "Other"]
    assert [e["metadata"]["initiatior"] for e in made] == ["You", "Other"]


def test_turns_are_neighbouring_messages_of_one_person() -> None:
    frame = signal((0, YOU, "a"), (1, YOU, "b"), (1, ALICE, "c"), (1, BOB, "d"), (1, YOU, "e"))
    (episode,) = episodes(frame)
    assert episode["metadata"]["participant_turns"] == {"You": 2, "Other": 2}
    assert episode["metadata"]["participant_messages"] == {"You": 3, "Other": 2}


def test_response_time_is_the_mean_over_changes_of_author() -> None:
    frame = signal((0, YOU, "a"), (10, ALICE, "b"), (500, ALICE, "c"), (30, YOU, "d"))
    assert episodes(frame)[0]["metadata"]["avg_response_time"] == 20.0


def test_response_time_is_none_where_nobody_answers() -> None:
    frame = signal((0, YOU, "a"), (10, YOU, "b"), (10, YOU, "c"))
    assert episodes(frame)[0]["metadata"]["avg_response_time"] is None


def test_long_episode_is_cut_into_even_parts_that_lose_nothing() -> None:
    frame = signal(*[(1, (YOU, ALICE)[n % 2], str(n)) for n in range(101)])
    made = episodes(frame, max_episode_length=50)
    assert [e["metadata"]["message_count"] for e in made] == [33, 34, 34]
    assert [m["text"] for e in made for m in e["messages"]] == [str(n) for n in range(101)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["hi", "hey", "how are you"], "chat"),
        (["Shall we meet tomorrow?", "yes", "18:30 at mine"], "planning"),
        (["I think that " + "this is a long thought about it, " * 3] * 3, "discussion"),
        (["明天见吗", "好", "周末也行"], "planning"),
    ],
)
def test_conversation_type_follows_its_formula(texts: list[str], expected: str) -> None:
    frame = signal(*[(1, (YOU, ALICE)[n % 2], text) for n, text in enumerate(texts)])
    assert episodes(frame)[0]["metadata"]["conversation_type"] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_episode_length": 0},
        {"min_episode_length": 9, "max_episode_length": 8},
        {"time_gap_minutes": 0},
    ],
)
def test_bounds_that_fit_no_episode_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(InputError):
        episodes(signal((0, YOU, "a")), **arguments)


def test_burst_of_the_reference_comes_out_as_printed() -> None:
    frame = signal(
        (0, YOU, "Hey I just realized something"),
        (15.2, YOU, "Remember when we talked about that project?"),
        (15.2, YOU, "I think we should reconsider the timeline"),
    )
    (example,) = CREATOR.create_burst_sequence_data(frame)
    assert example["input"] == (
        "You: Hey I just realized something\nYou: Remember when we talked about that project?"
    )
    assert example["output"] == "I think we should reconsider the timeline"
    assert example["metadata"]["burst_size"] == 3
    assert example["metadata"]["avg_time_between"] == 15.2
    assert example["metadata"]["burst_momentum"] == "rapid"


def test_answer_ends_a_burst() -> None:
    frame = signal((0, YOU, "a"), (1, ALICE, "b"), (1, YOU, "c"))
    assert CREATOR.create_burst_sequence_data(frame) == []


@pytest.mark.parametrize(
    "arguments", [{"min_burst_size": 1}, {"min_burst_size": 4, "max_burst_size": 3}]
)
def test_sizes_that_fit_no_burst_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(InputError):
        CREATOR.create_burst_sequence_data(signal((0, YOU, "a")), **arguments)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 119, 120, 121, 3_700]), st.sampled_from([YOU, YOU, ALICE])),
        max_size=40,
    ),
    st.integers(2, 4),
)
def test_bursts_are_those_of_a_plain_reading_of_the_rules(
    steps: list[tuple[int, int]], least: int
) -> None:
    frame = signal((0, ALICE, "hi"), *[(a, who, str(n)) for n, (a, who) in enumerate(steps)])
    groups: list[list[str]] = []
    last, before = ALICE, 0
    for row in rows_of(frame):
        if row["from_recipient_id"] == YOU:
            if last != YOU or row["date_sent"] - before > 120_000:
                groups.append([])
            groups[-1].append(row["body"])
        last, before = row["from_recipient_id"], row["date_sent"]
    made = TrainingDataCreator(min_message_length=0).create_burst_sequence_data(
        frame.assign(to_recipient_id=YOU), min_burst_size=least, max_burst_size=1_000
    )
    assert [[*e["input"].replace("You: ", "").split("\n"), e["output"]] for e in made] == [
        group for group in groups if len(group) >= least
    ]
