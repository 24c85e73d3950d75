"""Personal style: lengths, emoji, times, words, answers."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.style import TrainingDataCreator
from resonare_pipeline.style.emojis import find_emojis, place_emojis
from resonare_pipeline.style.labels import adaptation_level, preferred_length, style_difference
from resonare_pipeline.style.words import asks, count_words, split_words
from tests.style.making import ALICE, START, YOU, signal


def style_of(*lines: Any, zone: str = "UTC", at: dt.datetime = START) -> dict[str, Any]:
    creator = TrainingDataCreator(time_zone=zone)
    return creator.analyze_personal_texting_style(
        signal(*lines, at=at), include_word_frequency=True, analyze_time_patterns=True
    )


def test_lengths_are_put_into_their_classes_at_the_borders() -> None:
    made = style_of(*[(1, YOU, "x" * n) for n in (9, 10, 29, 30, 99, 100, 200, 201)])
    assert made["message_length_distribution"] == {
        "very_short": 1,
        "short": 2,
        "medium": 2,
        "long": 2,
        "very_long": 1,
    }
    assert made["total_messages"] == 8


def test_only_your_own_messages_count() -> None:
    made = style_of((0, ALICE, "x" * 500), (1, YOU, "four"), (1, YOU, None))
    assert made["avg_message_length"] == 4.0
    assert made["total_messages"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👨‍👩‍👧 and 🇩🇪🇫🇷", ["👨‍👩‍👧", "🇩🇪", "🇫🇷"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("❤️ and ❤", ["❤️", "❤"]),
        ("1️⃣ is not 1", ["1️⃣"]),
        ("Brand™ © 2024 #1", []),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", ["🏴󠁧󠁢󠁳󠁣󠁴󠁿"]),
    ],
)
def test_emoji_are_counted_by_grapheme(text: str, expected: list[str]) -> None:
    assert find_emojis(text) == expected


def test_emoji_stand_at_the_start_in_the_middle_or_at_the_end() -> None:
    assert place_emojis("😀 a 😂 b 🤔 ") == [("😀", "start"), ("😂", "middle"), ("🤔", "end")]
    assert place_emojis("😀😂") == [("😀", "start"), ("😂", "start")]


def test_emoji_rate_is_the_share_of_messages() -> None:
    made = style_of((0, YOU, "ha 😂😂"), (1, YOU, "no"), (1, YOU, "well"), (1, YOU, "hm"))
    usage = made["emoji_usage"]
    assert (usage["emoji_frequency"], usage["emoji_usage_rate"]) == (0.25, "25.0%")
    assert (usage["messages_with_emojis"], usage["emojis_per_message"]) == (1, 0.5)


def test_hours_and_days_are_those_of_the_time_zone() -> None:
    late = dt.datetime(2024, 7, 5, 22, 30, tzinfo=dt.UTC)  # a Friday; in Berlin half past midnight
    lines = [(0, YOU, "good night")] * 3
    assert style_of(*lines, at=late)["time_patterns"]["most_active_hours"] == [22]
    there = style_of(*lines, at=late, zone="Europe/Berlin")["time_patterns"]
    assert there["most_active_hours"] == [0]
    assert there["most_active_days"] == ["Saturday"]
    assert there["time_zone"] == "Europe/Berlin"


def test_hours_change_with_the_clocks() -> None:
    spring = dt.datetime(2024, 3, 31, 0, 30, tzinfo=dt.UTC)  # at 01:00 UTC Berlin goes to summer
    made = style_of((0, YOU, "a"), (3_600, YOU, "b"), at=spring, zone="Europe/Berlin")
    assert made["time_patterns"]["most_active_hours"] == [1, 3]


def test_unknown_time_zone_is_refused() -> None:
    with pytest.raises(SettingsError, match="Mars/Olympus"):
        TrainingDataCreator(time_zone="Mars/Olympus")


def test_response_percentiles_are_delays_that_occurred() -> None:
    lines = []
    for delay in range(1, 11):
        lines += [(4_000, ALICE, "question"), (delay, YOU, "answer")]
    times = style_of(*lines)["time_patterns"]["response_time_percentiles"]
    assert times == {"p50": 5, "p75": 8, "p90": 9}


def test_answer_after_more_than_a_day_is_none() -> None:
    made = style_of((0, ALICE, "question"), (86_401, YOU, "answer"))
    times = made["time_patterns"]["response_time_percentiles"]
    assert times == {"p50": None, "p75": None, "p90": None}


def test_messages_per_day_count_days_from_first_to_last() -> None:
    made = style_of((0, YOU, "a"), (3 * 86_400, YOU, "b"))
    assert made["time_patterns"]["avg_messages_per_day"] == 0.5


def test_bursts_are_counted() -> None:
    made = style_of((0, YOU, "a"), (10, YOU, "b"), (20, YOU, "c"), (30, ALICE, "d"), (5, YOU, "e"))[
        "burst_patterns"
    ]
    assert made == {
        "total_bursts": 1,
        "avg_burst_size": 3.0,
        "burst_frequency": 0.75,
        "max_burst_size": 3,
        "burst_intervals": [15.0],
    }


def test_words_are_lower_case_and_links_are_none() -> None:
    counts = count_words(["Don't go, DON'T https://example.org/some/page", "l’amour naïve x2"])
    assert counts == {"don't": 2, "go": 1, "l'amour": 1, "naïve": 1, "x2": 1}


def test_languages_without_spaces_have_words_too() -> None:
    assert count_words(["我喜欢茶", "我也是"]) == {
        "我": 2, "喜": 1, "欢": 1, "茶": 1, "也": 1, "是": 1
    }  # fmt: skip
    assert count_words(["カタカナです"]) == {"カタカナ": 1, "で": 1, "す": 1}
    assert len(split_words("ฉันรักเธอ")) > 3


@given(st.text(st.sampled_from("aé'’_9я ²ßİΩ\n😀"), max_size=20))
def test_words_are_the_same_by_either_way_of_finding_them(text: str) -> None:
    assert count_words([text]) + count_words(["中"]) == count_words([f"{text} 中"])


def test_words_that_everybody_uses_are_no_most_common_ones() -> None:
    made = style_of((0, YOU, "the yeah and the yeah of the haha"))["vocabulary"]
    assert made["most_common_words"] == [("yeah", 2), ("haha", 1)]
    assert made["unique_words"] == 5
    assert made["avg_words_per_message"] == 8.0


def test_questions_are_told_in_any_script_and_links_do_not_ask() -> None:
    assert all(map(asks, ["really?", "真的？", "حقا؟"]))
    assert not any(map(asks, ["see https://example.org/?q=1", "no"]))


def test_labels_follow_their_formulas() -> None:
    assert [preferred_length(n) for n in (45.2, 50, 99.9, 100)] == [
        "concise",
        "balanced",
        "balanced",
        "lengthy",
    ]
    assert style_difference(100, 50) == style_difference(50, 100) == 0.5
    assert style_difference(0, 0) == 0.0
    assert adaptation_level(usual=10, here=100, partner=1_000) == pytest.approx(0.5)
    assert adaptation_level(usual=10, here=5, partner=1_000) == 0.0
    assert adaptation_level(usual=10, here=10_000, partner=1_000) == 1.0


def test_nothing_gives_a_style_of_zeros() -> None:
    made = style_of()
    assert made["total_messages"] == 0
    assert made["avg_message_length"] == 0.0
    assert made["emoji_usage"]["emoji_usage_rate"] == "0.0%"
    assert made["time_patterns"]["most_active_hours"] == []
    assert made["vocabulary"]["most_common_words"] == []
