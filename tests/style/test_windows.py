"""Windows, against the seed's example, by hand, and against a plain rewriting of the rules."""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import InputError
from resonare_pipeline.style import TrainingDataCreator
from tests.style.making import ALICE, BOB, YOU, Rows, recipients, rows_of, signal

HOUR = 3_600


def windows(frame: pd.DataFrame, length: int = 1, **arguments: Any) -> list[dict[str, Any]]:
    creator = TrainingDataCreator(min_message_length=length)
    return creator.create_conversation_windows(frame, **arguments)


def test_window_of_the_reference_comes_out_as_printed() -> None:
    frame = signal((0, ALICE, "Hey!"), (1, YOU, "Hi there!"), (1, YOU, "How are you?"), thread=123)
    (window,) = windows(frame, length=5, recipients_df=recipients())
    assert [(line["speaker"], line["text"]) for line in window["context"]] == [
        ("Other", "Hey!"),
        ("You", "Hi there!"),
    ]
    assert window["thread_id"] == 123
    assert window["response"]["text"] == "How are you?"
    assert window["response"]["timestamp"] - window["context"][0]["timestamp"] == 2
    assert window["metadata"] == {
        "momentum": "rapid",
        "context_size": 2,
        "avg_time_gap": 1.0,
        "response_delay": 1.0,
        "conversation_partner": "Alice",
        "has_media": False,
    }


def test_window_never_reaches_over_a_silence() -> None:
    frame = signal(
        (0, ALICE, "see you"),
        (5, YOU, "see you"),
        (HOUR + 1, ALICE, "hello again"),
        (5, YOU, "hello"),
    )
    made = windows(frame, min_window_messages=2)
    assert [len(window["context"]) for window in made] == [1, 1]
    assert made[1]["context"][0]["text"] == "hello again"


def test_gap_of_a_day_and_five_minutes_is_a_silence() -> None:
    frame = signal((0, ALICE, "a question?"), (24 * HOUR + 300, YOU, "an answer"))
    assert windows(frame, min_window_messages=2) == []


def test_gap_of_exactly_the_limit_is_no_silence() -> None:
    frame = signal((0, ALICE, "a question?"), (HOUR, YOU, "an answer"))
    (window,) = windows(frame, min_window_messages=2)
    assert window["metadata"]["momentum"] == "slow"
    assert window["metadata"]["response_delay"] == HOUR


def test_windows_of_one_chat_hold_nothing_of_another() -> None:
    one = signal((0, ALICE, "alice one"), (5, YOU, "to alice"), thread=1)
    two = signal((2, BOB, "bob one"), (5, YOU, "to bob"), thread=2, first_id=50)
    made = windows(pd.concat([two, one]), min_window_messages=2)
    assert [(w["thread_id"], w["context"][0]["text"], w["response"]["text"]) for w in made] == [
        (1, "alice one", "to alice"),
        (2, "bob one", "to bob"),
    ]


@pytest.mark.parametrize(
    ("gap", "expected"), [(59, "rapid"), (60, "moderate"), (599, "moderate"), (600, "slow")]
)
def test_momentum_follows_the_mean_gap(gap: int, expected: str) -> None:
    frame = signal((0, ALICE, "one"), (gap, ALICE, "two"), (gap, YOU, "three"))
    assert windows(frame)[0]["metadata"]["momentum"] == expected


def test_short_messages_stay_in_context_and_are_no_response() -> None:
    frame = signal((0, ALICE, "hm"), (1, YOU, "ok"), (1, ALICE, "sure?"), (1, YOU, "very sure"))
    (window,) = windows(frame, length=5)
    assert [line["text"] for line in window["context"]] == ["hm", "ok", "sure?"]


def test_stride_takes_every_so_many_th_window() -> None:
    lines = [(1, sender, f"{n}") for n in range(8) for sender in (ALICE, YOU)]
    every = windows(signal(*lines), min_window_messages=2)
    assert windows(signal(*lines), min_window_messages=2, stride=3) == every[::3]


def test_media_is_told_of_messages_without_text_as_well() -> None:
    frame = signal((0, ALICE, "look"), (1, ALICE, None), (1, YOU, "wow"), (1, YOU, "so nice"))
    made = windows(frame.assign(has_media=[0, 1, 0, 0]), min_window_messages=2)
    assert [window["metadata"]["has_media"] for window in made] == [True, True]
    assert [line["text"] for line in made[0]["context"]] == ["look"]
    assert windows(frame, min_window_messages=2)[0]["metadata"]["has_media"] is False


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"window_size": 2, "min_window_messages": 4}, "min_window_messages"),
        ({"window_size": 0}, "window_size"),
        ({"stride": 0}, "stride"),
    ],
)
def test_sizes_that_fit_no_window_are_refused(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(InputError, match=named):
        windows(signal((0, ALICE, "hello"), (1, YOU, "hello")), **arguments)


def test_chat_that_you_alone_wrote_has_no_windows() -> None:
    frame = signal(*[(1, YOU, f"note number {n}") for n in range(9)])
    assert windows(frame) == []


LINES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 59, 600, HOUR, HOUR + 1]),
        st.sampled_from([YOU, ALICE, BOB]),
        st.sampled_from(["", "a", "hello", "hello there", None]),
    ),
    max_size=30,
)


def plain_runs(frame: pd.DataFrame) -> list[Rows]:
    """Return the rows with a text, parted where nothing at all was sent for more than an hour."""
    runs: list[Rows] = [[]]
    before = 0
    for row in rows_of(frame):
        if row["date_sent"] - before > HOUR * 1000:
            runs.append([])
        before = row["date_sent"]
        if isinstance(row["body"], str) and row["body"]:
            runs[-1].append(row)
    return runs


def plain_windows(run: Rows, size: int, least: int, length: int) -> Iterator[tuple[list[str], str]]:
    """Yield context and response of each window of a run."""
    for place, row in enumerate(run):
        context = run[max(0, place - size) : place]
        answers = any(line["from_recipient_id"] != YOU for line in context)
        yours = row["from_recipient_id"] == YOU and len(row["body"]) >= length
        if yours and answers and len(context) + 1 >= least:
            yield [line["body"] for line in context], row["body"]


@given(LINES, st.integers(2, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 6))
def test_windows_are_those_of_a_plain_reading_of_the_rules(
    lines: list[Any], size: int, stride: int, least: int, length: int
) -> None:
    frame = signal((0, YOU, "me"), *lines)
    expected = [
        window
        for run in plain_runs(frame)
        for window in list(plain_windows(run, size, least, length))[::stride]
    ]
    made = windows(frame, length, window_size=size, stride=stride, min_window_messages=least)
    assert [([c["text"] for c in w["context"]], w["response"]["text"]) for w in made] == expected


@given(LINES, st.randoms(use_true_random=False))
def test_windows_depend_neither_on_the_order_of_rows_nor_on_repeated_ones(
    lines: list[Any], random: Any
) -> None:
    frame = signal((0, YOU, "me"), *lines)
    rows = list(itertools.chain(range(len(frame)), range(0, len(frame), 2)))
    random.shuffle(rows)
    assert windows(frame.iloc[rows]) == windows(frame)
