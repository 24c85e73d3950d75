import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.chats.statistics.charts import (
    MOST_COLUMNS,
    MOST_PEOPLE,
    MOST_REASONS,
    activity,
    left_out,
    people,
    person_label,
)
from resonare_pipeline.chats.statistics.model import (
    DroppedStatistics,
    MonthStatistics,
    ParticipantStatistics,
)
from resonare_pipeline.plotting.drawing import can_write
from resonare_pipeline.plotting.scales import ticks


def month(name: str, messages: int, by_owner: int = 0) -> MonthStatistics:
    return MonthStatistics(month=name, messages=messages, by_owner=by_owner, characters=0)


def person(
    name: str | None, messages: int = 1, *, sender_id: str | None = "telegram:user7"
) -> ParticipantStatistics:
    return ParticipantStatistics(
        sender_id=sender_id,
        name=name,
        is_owner=name == "Owner",
        chats=1,
        messages=messages,
        with_text=messages,
        characters=0,
        average_length=None,
        share=None,
    )


def test_activity_fills_the_months_between_and_splits_by_owner() -> None:
    shown = activity((month("2023-11", 5, 2), month("2024-02", 3, 3)))
    assert shown.period == "month"
    assert [divmod(first, 12) for first in shown.months] == [
        (2023, 10),
        (2023, 11),
        (2024, 0),
        (2024, 1),
    ]
    assert shown.by_owner == (2, 0, 0, 3)
    assert shown.by_others == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("last", "period"),
    [
        ("2033-12", "month"),
        ("2034-01", "quarter"),
        ("2200-01", "year"),
        ("2500-01", "decade"),
        ("9999-12", "century"),
    ],
)
def test_activity_over_many_years_takes_longer_periods(last: str, period: str) -> None:
    shown = activity((month("2004-01", 4, 1), month(last, 2)))
    assert shown.period == period
    assert len(shown.months) <= MOST_COLUMNS


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 9_999), st.integers(1, 12)), st.integers(1, 10**6), max_size=40
    )
)
def test_activity_of_any_months_keeps_every_message(counts: dict[tuple[int, int], int]) -> None:
    months = tuple(
        month(f"{year:04d}-{number:02d}", count, count // 3)
        for (year, number), count in sorted(counts.items())
    )
    shown = activity(months)
    assert len(shown.months) <= MOST_COLUMNS
    assert sum(shown.by_owner) == sum(entry.by_owner for entry in months)
    assert sum(shown.by_owner + shown.by_others) == sum(counts.values())


def test_people_beyond_the_most_active_are_one_row() -> None:
    crowd = tuple(person(f"P{number}", 5_000 - number) for number in range(3_000))
    rows = people((person("Owner", 9_000), *crowd), can_write)
    assert len(rows) == MOST_PEOPLE + 1
    assert (rows[0].label, rows[0].kind) == ("1. Owner", "owner")
    assert rows[-1].label == f"{3_001 - MOST_PEOPLE:,} more"
    assert sum(row.value for row in rows) == 9_000 + sum(entry.messages for entry in crowd)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Maya", "Maya"),
        ("Maya 🌸", "Maya"),
        ("Zoë  Ångström", "Zoë Ångström"),
        ("Zoe\u0308", "Zoë"),
        ("Анастасия", "Анастасия"),
        ("Kai ❤️ Maya", "Kai ❤ Maya"),
        ("evil\u202eeman", "evileman"),
        ("林小雨", "user7"),
        ("عمر", "user7"),
        ("सुनीता", "user7"),
        ("Omar عمر", "user7"),
        ("👩‍👧", "user7"),
        ("", "user7"),
        (None, "user7"),
    ],
)
def test_person_label_is_the_name_where_the_font_can_write_it(name: str | None, label: str) -> None:
    assert person_label(person(name), can_write) == label


def test_person_label_without_name_and_id_is_empty() -> None:
    assert person_label(person("林", sender_id=None), can_write) == ""
    [row] = people((person("林", sender_id=None),), can_write)
    assert row.label == "1."


@given(st.text())
def test_person_label_of_any_name_holds_only_what_can_be_written(name: str) -> None:
    label = person_label(person(name), can_write)
    assert all(can_write(letter) for letter in label)
    assert not any(unicodedata.category(letter) == "Cc" for letter in label)


def test_left_out_with_many_reasons_keeps_the_total() -> None:
    reasons = tuple(
        DroppedStatistics(asset="blocks", reason=f"reason_{number}", items=number)
        for number in range(1, 40)
    )
    rows = left_out(reasons)
    assert len(rows) == MOST_REASONS
    assert sum(row.value for row in rows) == sum(range(1, 40))
    assert rows[-1].label == "20 more reasons"
    assert left_out(reasons[:1])[0].label == "reason 1"


@given(st.integers(0, 10**12), st.integers(1, 12))
def test_ticks_are_few_even_and_reach_the_greatest(greatest: int, most: int) -> None:
    marks = ticks(greatest, most=most)
    assert marks[0] == 0
    assert marks[-1] >= greatest
    assert len(marks) <= max(most, 1) + 1
    assert len({after - before for before, after in pairwise(marks)}) == 1
