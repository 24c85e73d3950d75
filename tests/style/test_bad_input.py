"""What frames and arguments cannot be, and that every error says what is allowed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from resonare_pipeline.errors import InputError, MissingColumnsError, UnknownPersonError
from resonare_pipeline.style import (
    ConversationProcessor,
    StyleAnalyzer,
    TrainingDataCreator,
    create_training_data_from_signal,
    validate_training_data,
)
from tests.style.making import ALICE, BOB, YOU, months, project, recipients, signal

CREATOR = TrainingDataCreator()
ALL = ["conversational", "burst", "adaptive", "completion", "qa"]
FRAME = months(22)
CALLS: dict[str, Callable[[Any], Any]] = {
    "windows": lambda f: CREATOR.create_conversation_windows(f, recipients_df=recipients()),
    "episodes": CREATOR.segment_natural_dialogues,
    "style": lambda f: CREATOR.analyze_personal_texting_style(f, True, True),
    "examples": lambda f: CREATOR.create_training_examples(f, recipients(), ALL),
    "filtered": lambda f: CREATOR.create_training_examples(
        f,
        recipients(blocked=BOB),
        filters={"exclude_blocked": True, "date_range": ("2023-06-01", "2030-01-01")},
    ),
    "conversational": lambda f: CREATOR.create_conversational_data(f, recipients_df=recipients()),
    "burst": CREATOR.create_burst_sequence_data,
    "adaptive": lambda f: CREATOR.create_adaptive_training_data(f, recipients()),
    "profiles": lambda f: [*StyleAnalyzer().analyze_all_communication_styles(f).values()],
    "enhanced": lambda f: sorted(
        set(ConversationProcessor().process_conversations(f, recipients())["sender_name"])
    ),
}
EXPECTED = {name: call(FRAME) for name, call in CALLS.items()}
IDS = ["_id", "thread_id", "from_recipient_id", "to_recipient_id"]
TIMES = pd.to_datetime(FRAME["date_sent"], unit="ms", utc=True)
FORMS: dict[str, pd.DataFrame] = {
    "shuffled": FRAME.sample(frac=1, random_state=1),
    "repeated": pd.concat([FRAME, FRAME]),
    "one label for all rows": FRAME.set_axis([0] * len(FRAME)),
    "labels of text": FRAME.set_axis([f"row {place}" for place in range(len(FRAME))]),
    "two levels of labels": FRAME.set_index(["thread_id", "_id"], drop=False),
    "nullable": FRAME.convert_dtypes(),
    "Arrow": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "large texts of Arrow": FRAME.astype({"body": pd.ArrowDtype(pa.large_string())}),
    "categorical": FRAME.astype(dict.fromkeys([*IDS, "type", "body", "date_sent"], "category")),
    "objects": FRAME.astype(object),
    "texts": FRAME.astype(str),
    "floats": FRAME.astype(dict.fromkeys([*IDS, "type"], float)),
    "texts of floats": FRAME.astype(dict.fromkeys([*IDS, "type"], float)).astype(str),
    "small integers": FRAME.astype({"thread_id": "uint8", "from_recipient_id": "int16"}),
    "times without a zone": FRAME.assign(date_sent=TIMES.dt.tz_localize(None)),
    "times of Tokyo": FRAME.assign(date_sent=TIMES.dt.tz_convert("Asia/Tokyo")),
    "times of Arrow": FRAME.assign(
        date_sent=TIMES.astype(pd.ArrowDtype(pa.timestamp("us", "UTC")))
    ),
    "times as objects": FRAME.assign(
        date_sent=pd.Series([time.to_pydatetime() for time in TIMES], dtype=object)
    ),
    "times as ISO 8601": FRAME.assign(date_sent=[time.isoformat() for time in TIMES]),
}


def put(column: str, value: object, row: int = 3) -> pd.DataFrame:
    """Return messages of which one has another value."""
    values: list[object] = FRAME[column].astype(object).tolist()
    values[row] = value
    return FRAME.assign(**{column: pd.Series(values, dtype=object)})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("form", FORMS)
def test_whatever_a_frame_holds_messages_as_the_result_is_the_same(form: str, call: str) -> None:
    frame = FORMS[form]
    before = frame.copy(deep=True)
    assert CALLS[call](frame) == EXPECTED[call]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("time", [float("inf"), 1e30, -1e30, -5, 1e17, 5e16, "a while ago"])
def test_impossible_time_is_refused_with_its_row(call: str, time: object) -> None:
    with pytest.raises(InputError, match=r"row 3 .*date_sent is .*expected milliseconds") as caught:
        CALLS[call](put("date_sent", time))
    assert "a while ago" not in str(caught.value)


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NaT, ""])
def test_message_without_a_time_is_left_out_and_counted(nothing: object) -> None:
    creator = TrainingDataCreator(debug=True)
    creator.segment_natural_dialogues(put("date_sent", nothing))
    assert creator.debug_info["left_out"] == {"no_time": 1}


def test_row_of_an_impossible_time_is_its_place_in_the_frame_that_was_given() -> None:
    frame = put("date_sent", -1, row=7)
    frame["type"] = [1, 1, *frame["type"][2:]]  # two system messages are left out before it
    with pytest.raises(InputError, match="row 7"):
        CREATOR.create_conversation_windows(frame.set_axis(range(100, 100 + len(frame))))
    with pytest.raises(InputError, match="row 7"):
        CREATOR.create_training_examples(
            frame, recipients(blocked=ALICE), filters={"exclude_blocked": True}
        )


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("from_recipient_id", [2], "from_recipient_id: an id is list"),
        ("thread_id", {}, "thread_id: an id is dict"),
        ("_id", 2.5, "_id: an id is float 2.5"),
        ("from_recipient_id", float("inf"), "from_recipient_id: an id is float inf"),
        ("body", b"bytes", "row 3 .*body is bytes"),
        ("body", ["a list"], "row 3 .*body is list"),
    ],
)
def test_values_that_a_column_cannot_hold_are_named(column: str, value: object, named: str) -> None:
    for name in ("windows", "episodes", "style", "examples", "adaptive", "profiles"):
        with pytest.raises(InputError, match=named):
            CALLS[name](put(column, value))


@pytest.mark.parametrize("column", ["body", "type", "_id"])
@pytest.mark.parametrize("call", CALLS)
def test_column_that_stands_there_twice_is_named(call: str, column: str) -> None:
    doubled = pd.concat([FRAME, FRAME[[column]]], axis=1)
    with pytest.raises(InputError, match=f"messages_df: columns that stand there twice: {column}"):
        CALLS[call](doubled)


def test_recipients_with_a_column_twice_are_refused() -> None:
    people = pd.concat([recipients(), recipients()[["_id"]]], axis=1)
    with pytest.raises(InputError, match="recipients_df: columns that stand there twice: _id"):
        CREATOR.create_conversation_windows(FRAME, recipients_df=people)


@pytest.mark.parametrize(
    ("written", "read"),
    [("a \ud83d\ude00 smile in two halves", "a 😀 smile in two halves"), ("a \ud800 b", "a � b")],
)
def test_halves_of_surrogate_pairs_are_joined_or_replaced(written: str, read: str) -> None:
    def said(*texts: str) -> "pd.Series[Any]":
        return pd.Series(texts, dtype=object)

    frame = signal((0, ALICE, ""), (5, ALICE, ""), (5, YOU, ""))
    frame = frame.assign(body=said("hello?", written, written))
    (window,) = CREATOR.create_conversation_windows(frame)
    assert window["context"][1]["text"] == window["response"]["text"] == read
    (episode,) = CREATOR.segment_natural_dialogues(frame)
    assert episode["messages"][2]["text"] == read
    examples, _ = CREATOR.create_training_examples(frame, strategies=ALL, max_examples=10)
    assert examples
    assert validate_training_data(examples) == (True, [])
    linked = said(f"{written} https://x.com/ann/status/12")
    told = ConversationProcessor().process_conversations(signal((0, YOU, "")).assign(body=linked))
    assert told["body"].tolist() == [f"{read} [Tweet by @ann]"]


def test_missing_recipients_or_flags_of_blocked_people_are_named() -> None:
    filters = {"exclude_blocked": True}
    with pytest.raises(MissingColumnsError, match=r"no recipients.*recipients_df .*_id, blocked"):
        CREATOR.create_training_examples(FRAME, filters=filters)
    without = recipients().drop(columns="blocked")
    with pytest.raises(MissingColumnsError, match="recipients_df: missing columns: blocked"):
        CREATOR.create_training_examples(FRAME, without, filters=filters)


def test_blocked_people_are_left_out_without_a_column_that_says_who_got_a_message() -> None:
    group = signal((0, ALICE, "hello all"), (5, BOB, "hello"), (5, YOU, "hello both"), thread=3)
    frame = pd.concat([FRAME, group.assign(_id=group["_id"] + 1)], ignore_index=True)
    expected = frame[(frame["thread_id"] != 2) & (frame["from_recipient_id"] != BOB)]
    wanted, _ = CREATOR.create_training_examples(expected, recipients(), ["burst", "completion"])
    for given in (frame.drop(columns="to_recipient_id"), project(frame)):
        made, _ = CREATOR.create_training_examples(
            given,
            recipients(blocked=BOB),
            ["burst", "completion"],
            filters={"exclude_blocked": True},
        )
        assert inputs_of(made) == inputs_of(wanted)


def inputs_of(examples: list[dict[str, Any]]) -> list[str]:
    return sorted(e["input"] for e in examples if e["metadata"]["type"] == "burst_sequence")


def test_unknown_id_is_said_before_recipients_are_asked_and_recipients_are_checked_first() -> None:
    people = recipients().drop(columns="_id")
    with pytest.raises(MissingColumnsError, match="recipients_df: missing columns: _id"):
        TrainingDataCreator(99).create_conversation_windows(FRAME, recipients_df=people)
    with pytest.raises(UnknownPersonError, match="one of 2, 7, 8"):
        TrainingDataCreator(99).create_conversation_windows(FRAME, recipients_df=recipients())


@pytest.mark.parametrize("you", [YOU, 2.0, "2", "2.0", np.int64(2)])
def test_your_id_may_be_held_as_anything_that_means_it(you: Any) -> None:
    for form in ("texts", "floats", "texts of floats", "nullable"):
        made = TrainingDataCreator(you).create_conversation_windows(
            FORMS[form], recipients_df=recipients()
        )
        assert made == EXPECTED["windows"]


def test_keys_of_profiles_are_found_in_the_frame_they_came_from() -> None:
    for form in ("texts", "texts of floats", "floats", "categorical"):
        frame = FORMS[form]
        profiles = StyleAnalyzer().analyze_all_communication_styles(frame)
        counts = [int((frame["from_recipient_id"] == key).sum()) for key in profiles]
        assert counts == [profile["total_messages"] for profile in profiles.values()]


@pytest.mark.parametrize(
    ("name", "wrong", "allowed"),
    [
        ("min_message_length", ["5", -1, 1.5, None, True, float("nan")], "whole number, 0 or more"),
        ("seed", ["0", 1.5, None], "a whole number"),
        ("max_gap_seconds", [0, -1, float("inf"), float("nan"), "60"], "a number above 0"),
        ("debug", ["no", None, 2], "True or False"),
        ("include_system_messages", ["no"], "True or False"),
        ("your_recipient_id", [None, float("nan"), [2], True, "", 2.5], "_id of a recipient"),
        ("time_zone", ["Mars/Phobos", None, 3], "an IANA name"),
    ],
)
def test_creator_refuses_arguments_and_says_what_is_allowed(
    name: str, wrong: list[Any], allowed: str
) -> None:
    for value in wrong:
        with pytest.raises(ValueError, match=rf"(?s){name}.*expected.*{allowed}") as caught:
            TrainingDataCreator(**{name: value})
        assert type(caught.value) is not ValueError


@pytest.mark.parametrize(
    ("method", "name", "wrong", "allowed"),
    [
        ("create_conversation_windows", "window_size", [0, -1, 2.5, "5"], "number, 1 or more"),
        ("create_conversation_windows", "stride", [0, -3], "number, 1 or more"),
        ("create_conversation_windows", "min_window_messages", [0, -3], "number, 1 or more"),
        ("segment_natural_dialogues", "time_gap_minutes", [0, -5, "30"], "a number above 0"),
        ("segment_natural_dialogues", "min_episode_length", [0, -1], "number, 1 or more"),
        ("segment_natural_dialogues", "max_episode_length", [0, 2], "not below|1 or more"),
        ("analyze_personal_texting_style", "include_word_frequency", ["no"], "True or False"),
        ("create_training_examples", "max_examples", [1.5, -1, "10"], "None, or a whole number"),
        ("create_training_examples", "balance_examples", ["no"], "True or False"),
        (
            "create_training_examples",
            "strategies",
            [[], None, ["x"], [["qa"]], [3]],
            "some of conv",
        ),
        ("create_training_examples", "filters", ["x", 5, ["a"]], "a mapping with"),
        ("create_conversational_data", "window_size", [0], "number, 1 or more"),
        ("create_conversational_data", "min_context_messages", [-1], "number, 0 or more"),
        ("create_conversational_data", "momentum_filter", ["fast", 3, []], "one of rapid"),
        ("create_burst_sequence_data", "max_time_between_messages", [0, -1], "a number above 0"),
        ("create_burst_sequence_data", "min_burst_size", [1, 11], "not below|2 or more"),
        ("create_adaptive_training_data", "min_style_difference", [5, -0.1], "from 0 to 1"),
        ("create_adaptive_training_data", "min_adaptation_level", [2], "from 0 to 1"),
        ("create_adaptive_training_data", "min_conversations_per_partner", [-1], "0 or more"),
    ],
)
def test_method_refuses_arguments_and_says_what_is_allowed(
    method: str, name: str, wrong: list[Any], allowed: str
) -> None:
    for value in wrong:
        for frame in (FRAME, FRAME.iloc[:0]):
            with pytest.raises(InputError, match=f"expected.*({allowed})"):
                getattr(CREATOR, method)(frame, **{name: value})


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({"exclude_blocked": "no"}, "True or False"),
        ({"min_message_length": -1}, "0 or more"),
        ({"date_range": ("2023-01-01", 5)}, "YYYY-MM-DD"),
    ],
)
def test_filters_are_held_to_the_same_rules(filters: dict[str, Any], allowed: str) -> None:
    with pytest.raises(InputError, match=rf"filters.*{allowed}"):
        CREATOR.create_training_examples(FRAME, recipients(), filters=filters)


def test_range_of_dates_may_end_with_the_last_day_there_is() -> None:
    made, _ = CREATOR.create_training_examples(
        FRAME, filters={"date_range": ("0001-01-01", "9999-12-31")}
    )
    assert made == CREATOR.create_training_examples(FRAME)[0]


@pytest.mark.parametrize("examples", [None, 5, "text", {"instruction": ""}, pd.DataFrame()])
def test_what_holds_no_examples_is_no_training_data(examples: Any, tmp_path: Path) -> None:
    valid, errors = validate_training_data(examples)
    assert not valid
    assert errors == [f"training examples are {type(examples).__name__}, not a list of dicts"]
    with pytest.raises(InputError, match="training_examples are"):
        CREATOR.save_training_data(examples, tmp_path / "out.json", validate=False)


def test_folder_or_what_is_no_path_is_refused_for_a_file(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "signal.csv")
    for path, said in ((tmp_path, "is a folder"), (5, "the path of a file"), ("", "path of a")):
        wrong: Any = path
        with pytest.raises(InputError, match=said):
            CREATOR.save_training_data([], wrong)
        with pytest.raises(InputError, match=said):
            create_training_data_from_signal(wrong, None, tmp_path / "out.json")
        with pytest.raises(InputError, match=said):
            create_training_data_from_signal(tmp_path / "signal.csv", wrong, tmp_path / "out.json")
        with pytest.raises(InputError, match=said):
            create_training_data_from_signal(tmp_path / "signal.csv", None, wrong)


def test_messages_without_recipients_have_ids_as_names(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "message.csv", index=False)
    result = create_training_data_from_signal(
        tmp_path / "message.csv", None, tmp_path / "out.jsonl", strategies=["conversational"]
    )
    assert result["total_examples"] > 0
    assert "Recipient 7" in (tmp_path / "out.jsonl").read_text()
    with pytest.raises(MissingColumnsError, match="nothing tells who is blocked"):
        create_training_data_from_signal(
            tmp_path / "message.csv",
            None,
            tmp_path / "out.jsonl",
            filters={"exclude_blocked": True},
        )


def test_who_changes_one_window_or_example_changes_no_other() -> None:
    for call in ("windows", "episodes", "conversational", "burst", "adaptive"):
        made, untouched = CALLS[call](FRAME), CALLS[call](FRAME)
        first = made[0]
        first["metadata"]["added"] = 1
        first["metadata"].pop(next(iter(first["metadata"])))
        for lines in (first.get("context", []), first.get("messages", [])):
            for line in lines:
                line["text"] = "changed"
        first.clear()
        assert made[1:] == untouched[1:]
        assert [type(one) for one in made] == [dict] * len(made)
