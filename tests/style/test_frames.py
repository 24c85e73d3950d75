"""What frames may look like, and what is said of those that cannot be used."""

import pickle
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest

from resonare_pipeline.errors import InputError, MissingColumnsError, UnknownPersonError
from resonare_pipeline.style import ConversationProcessor, StyleAnalyzer, TrainingDataCreator
from tests.style.making import ALICE, BOB, YOU, months, project, recipients, signal

CREATOR = TrainingDataCreator()
DIALOGUE = signal((0, ALICE, "how are you?"), (5, YOU, "very well"), (5, ALICE, "good"))


@pytest.mark.parametrize(
    "call",
    [
        CREATOR.create_conversation_windows,
        CREATOR.segment_natural_dialogues,
        CREATOR.analyze_personal_texting_style,
        CREATOR.create_training_examples,
        CREATOR.create_conversational_data,
        CREATOR.create_burst_sequence_data,
        CREATOR.create_adaptive_training_data,
        StyleAnalyzer().analyze_all_communication_styles,
        ConversationProcessor().process_conversations,
    ],
)
def test_missing_columns_are_named_by_every_call(call: Any) -> None:
    with pytest.raises(MissingColumnsError, match="missing columns: thread_id, body"):
        call(DIALOGUE.drop(columns=["body", "thread_id"]))
    with pytest.raises(KeyError):
        call(DIALOGUE.drop(columns=["body"]))


def test_what_is_no_frame_is_refused() -> None:
    wrong: Any = [{"body": "hi"}]
    with pytest.raises(InputError, match="list"):
        CREATOR.create_conversation_windows(wrong)


def test_unknown_recipient_id_lists_the_known_ones() -> None:
    with pytest.raises(UnknownPersonError, match=r"recipient id 99.*one of 2, 7") as caught:
        TrainingDataCreator(99).create_conversation_windows(DIALOGUE)
    assert isinstance(caught.value, ValueError)


def test_you_may_have_been_silent_in_a_frame() -> None:
    frame = signal((0, ALICE, "hello?"), (5, ALICE, "anybody there?"))
    assert CREATOR.create_conversation_windows(frame) == []
    assert CREATOR.analyze_personal_texting_style(frame)["total_messages"] == 0


def test_empty_frame_gives_nothing() -> None:
    empty = DIALOGUE.iloc[:0]
    assert CREATOR.create_conversation_windows(empty) == []
    assert CREATOR.segment_natural_dialogues(empty) == []
    assert CREATOR.create_burst_sequence_data(empty) == []
    assert CREATOR.create_adaptive_training_data(empty, recipients()) == []
    examples, style = CREATOR.create_training_examples(
        empty, recipients(), strategies=["conversational", "burst", "adaptive", "completion", "qa"]
    )
    assert (examples, style["total_messages"]) == ([], 0)
    assert StyleAnalyzer().analyze_all_communication_styles(empty) == {}
    assert len(ConversationProcessor().process_conversations(empty)) == 0


def test_missing_bodies_are_messages_without_text() -> None:
    frame = signal((0, ALICE, "first"), (5, ALICE, None), (5, YOU, "second one"), (5, YOU, None))
    frame["body"] = frame["body"].where(frame["body"].notna(), np.nan)
    (window,) = CREATOR.create_conversation_windows(frame, min_window_messages=2)
    assert [line["text"] for line in window["context"]] == ["first"]


def test_frame_of_this_project_gives_what_signals_own_gives() -> None:
    frame = months(6)
    ours = project(frame)
    strategies = ["conversational", "burst", "adaptive", "completion", "qa"]
    made, style = CREATOR.create_training_examples(frame, strategies=strategies)
    other, other_style = CREATOR.create_training_examples(ours, strategies=strategies)
    assert style == other_style
    kinds = [e["metadata"]["type"] for e in made]
    assert kinds == [e["metadata"]["type"] for e in other]
    same = [e for e in made if e["metadata"]["type"] != "completion"]
    assert [(e["input"], e["output"]) for e in same] == [
        (e["input"], e["output"]) for e in other if e["metadata"]["type"] != "completion"
    ]
    assert other[0]["metadata"]["conversation_partner"] == "Alice"


def test_sender_id_as_text_chooses_whose_style_it_is() -> None:
    ours = project(months(2))
    as_bob = TrainingDataCreator("signal:8", min_message_length=1)
    assert as_bob.analyze_personal_texting_style(ours)["total_messages"] == 4
    with pytest.raises(UnknownPersonError, match="signal:7"):
        TrainingDataCreator("signal:99").analyze_personal_texting_style(ours)


def test_ids_that_pandas_holds_as_floats_are_the_same_ids() -> None:
    floats = DIALOGUE.astype({"from_recipient_id": float, "thread_id": float, "_id": float})
    assert CREATOR.create_conversation_windows(floats, min_window_messages=2) == (
        CREATOR.create_conversation_windows(DIALOGUE, min_window_messages=2)
    )


def test_order_of_rows_stays_where_it_is_not_to_be_preserved_by_time() -> None:
    frame = DIALOGUE.iloc[[2, 0, 1]]
    as_it_stands = TrainingDataCreator(preserve_message_order=False)
    (window,) = as_it_stands.create_conversation_windows(frame)
    assert [line["text"] for line in window["context"]] == ["good", "how are you?"]


OLD_NAMES = {
    "166-184": {"from_recipient_id": "recipient_id"},
    "before 166": {"from_recipient_id": "address", "type": "msg_box", "date_sent": "date"},
}


def as_of(version: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as an old database has it: of what you sent it names whom it went to."""
    sent = frame.from_recipient_id == YOU
    other = frame.from_recipient_id.where(~sent, frame.to_recipient_id)
    named = frame.assign(from_recipient_id=other).drop(columns="to_recipient_id")
    return named.rename(columns=OLD_NAMES[version])


@pytest.mark.parametrize("version", OLD_NAMES)
def test_frames_of_old_databases_give_what_new_ones_give(version: str) -> None:
    frame = months(6)
    old = as_of(version, frame)
    strategies = ["conversational", "burst", "adaptive", "completion", "qa"]
    assert CREATOR.create_training_examples(old, recipients(), strategies=strategies) == (
        CREATOR.create_training_examples(frame, recipients(), strategies=strategies)
    )
    enhanced = enhance(old, recipients())
    assert enhanced.sender_name.tolist() == enhance(frame, recipients()).sender_name.tolist()


def enhance(frame: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    return ConversationProcessor().process_conversations(frame, people)


HELD_AS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "Arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "categorical": lambda frame: frame.astype("category"),
    "nullable": lambda frame: frame.convert_dtypes(),
    "objects": lambda frame: frame.astype(object),
    "texts": lambda frame: frame.astype(str),
    "texts of floats": lambda frame: frame.astype(
        dict.fromkeys(frame.columns.difference(["body"]), float)
    ).astype(str),
}


@pytest.mark.parametrize("held_as", HELD_AS)
@pytest.mark.parametrize("version", OLD_NAMES)
def test_frames_of_old_databases_may_hold_values_as_anything(version: str, held_as: str) -> None:
    frame = months(6)
    old = HELD_AS[held_as](as_of(version, frame))
    before = old.copy(deep=True)
    strategies = ["conversational", "burst", "adaptive", "completion", "qa"]
    assert CREATOR.create_training_examples(old, recipients(), strategies=strategies) == (
        CREATOR.create_training_examples(frame, recipients(), strategies=strategies)
    )
    assert enhance(old, recipients()).sender_name.tolist() == (
        enhance(frame, recipients()).sender_name.tolist()
    )
    pd.testing.assert_frame_equal(old, before)


@pytest.mark.parametrize("version", OLD_NAMES)
def test_what_blocked_people_got_in_old_databases_is_left_out(version: str) -> None:
    frame = months(6)
    others = frame.thread_id.map({1: ALICE, 2: BOB})
    sent = frame.from_recipient_id == YOU
    frame = frame.assign(to_recipient_id=others.where(sent, YOU))
    people, strategies = recipients(blocked=BOB), ["burst", "completion"]
    made, _ = CREATOR.create_training_examples(
        as_of(version, frame), people, strategies, filters={"exclude_blocked": True}
    )
    wanted, _ = CREATOR.create_training_examples(frame[frame.thread_id != 2], people, strategies)
    assert made == wanted
    assert made != CREATOR.create_training_examples(frame, people, strategies)[0]


def test_a_frame_of_an_old_database_must_tell_what_was_sent() -> None:
    with pytest.raises(MissingColumnsError, match="missing columns: type"):
        CREATOR.create_conversation_windows(as_of("166-184", DIALOGUE).drop(columns="type"))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("type", 1, "system"),
        ("type", 0xA00017 | 0x10000, "system"),
        ("type", 27, "not_sent"),
        ("remote_deleted", 1, "deleted"),
        ("latest_revision_id", 9, "old_revision"),
        ("view_once", 1, "view_once"),
        ("story_type", 1, "story"),
        ("scheduled_date", 1_700_000_000_000, "scheduled"),
        ("reveal_duration", 1, "view_once"),
        ("is_story", 1, "story"),
    ],
)
def test_rows_that_are_no_sent_messages_are_left_out(column: str, value: int, reason: str) -> None:
    frame = DIALOGUE.copy()
    if column not in frame:
        frame[column] = None
    frame.loc[0, column] = value
    creator = TrainingDataCreator(debug=True)
    assert creator.create_conversation_windows(frame, min_window_messages=2) == []
    assert creator.debug_info["left_out"] == {reason: 1}


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_flags_and_ids_that_say_nothing_leave_nothing_out(nothing: float | None) -> None:
    columns = ("remote_deleted", "latest_revision_id", "view_once", "story_type", "scheduled_date")
    frame = DIALOGUE.assign(**dict.fromkeys(columns, nothing))
    plain = TrainingDataCreator().create_conversation_windows(DIALOGUE, min_window_messages=2)
    assert TrainingDataCreator().create_conversation_windows(frame, min_window_messages=2) == plain
    assert plain


def test_system_messages_stay_if_they_are_asked_for() -> None:
    frame = DIALOGUE.assign(type=[1, 0xA00017, 0xA00014])
    creator = TrainingDataCreator(include_system_messages=True)
    assert len(creator.create_conversation_windows(frame, min_window_messages=2)) == 1


def test_names_are_those_of_recipients_and_never_numbers() -> None:
    people = recipients().assign(nickname_joined_name=None, profile_joined_name=None)
    (window,) = CREATOR.create_conversation_windows(
        DIALOGUE, min_window_messages=2, recipients_df=people
    )
    assert window["metadata"]["conversation_partner"] == "Recipient 7"
    with pytest.raises(MissingColumnsError, match="recipients_df: missing columns: _id"):
        CREATOR.create_conversation_windows(DIALOGUE, recipients_df=people.drop(columns="_id"))


def test_times_in_seconds_and_as_dates_are_understood() -> None:
    expected = CREATOR.create_conversation_windows(DIALOGUE, min_window_messages=2)
    in_seconds = DIALOGUE.assign(date_sent=DIALOGUE.date_sent // 1000)
    as_dates = DIALOGUE.assign(date_sent=pd.to_datetime(DIALOGUE.date_sent, unit="ms"))
    for frame in (in_seconds, as_dates):
        assert CREATOR.create_conversation_windows(frame, min_window_messages=2) == expected


def test_debug_shows_counts_and_no_text() -> None:
    creator = TrainingDataCreator(debug=True)
    creator.create_training_examples(DIALOGUE, recipients())
    assert creator.debug_info["rows"] == 3
    assert creator.debug_info["made"] == {"conversational": 0}
    assert "very well" not in str(creator.debug_info)
    assert TrainingDataCreator().debug_info == {}


def test_creator_is_the_same_after_pickling() -> None:
    creator = pickle.loads(pickle.dumps(TrainingDataCreator(seed=3)))  # noqa: S301  # made here
    assert vars(creator) == vars(TrainingDataCreator(seed=3))


def test_threads_in_other_processes_give_what_one_call_gives() -> None:
    frame = months(4)
    groups = [group for _, group in frame.groupby("thread_id")]
    with get_context("spawn").Pool(2) as pool:
        parts = pool.map(CREATOR.create_conversational_data, groups)
    assert [example for part in parts for example in part] == (
        CREATOR.create_conversational_data(frame)
    )


def test_profiles_tell_partners_of_groups_from_those_of_two() -> None:
    group = signal((0, ALICE, "hello all"), (5, BOB, "hello"), (5, YOU, "hello both"), thread=3)
    profiles = StyleAnalyzer().analyze_all_communication_styles(
        pd.concat([DIALOGUE, group.assign(_id=group["_id"] + 100)]), YOU, recipients()
    )
    assert profiles[ALICE]["conversations"] == 1
    assert profiles[BOB]["conversations"] is None
    assert profiles[BOB]["adaptation_level"] is None
    assert [profile["name"] for profile in profiles.values()] == ["Alice", "Bob"]
