"""What the charts show: statistics brought to the few rows and columns that a page can hold.

Nothing is drawn here and nothing is lost: what is put together still adds up to the same total.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from resonare_pipeline.chats.statistics.model import (
    DroppedStatistics,
    MonthStatistics,
    ParticipantStatistics,
)
from resonare_pipeline.plotting.scales import Row

ACTIVITY_FILE = "activity_by_month.png"
HOURS_FILE = "hours_by_weekday.png"
PEOPLE_FILE = "messages_by_participant.png"
TOKENS_FILE = "tokens_by_conversation.png"
DROPPED_FILE = "left_out.png"
PLOT_FILES = (ACTIVITY_FILE, HOURS_FILE, PEOPLE_FILE, TOKENS_FILE, DROPPED_FILE)

MOST_COLUMNS = 360  # thirty years of months: a column is still two points wide
MOST_PEOPLE = 15
MOST_REASONS = 20
MONTHS_OF_YEAR = 12

_PERIODS = (  # months in a column → what it is called
    (1, "month"),
    (3, "quarter"),
    (12, "year"),
    (120, "decade"),
    (1_200, "century"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Messages over time, with no period left out between the first and the last.

    Attributes:
        period: What a column stands for.
        months: First month of each column, in months since the year 0.
    """

    period: str
    months: tuple[int, ...]
    by_owner: tuple[int, ...]
    by_others: tuple[int, ...]


def activity(months: tuple[MonthStatistics, ...]) -> Activity:
    """Return messages by month, or by the least longer period that a page can hold."""
    tallies = {_number(month.month): month for month in months}
    if not tallies:
        return Activity(period="month", months=(), by_owner=(), by_others=())
    first, last = min(tallies), max(tallies)
    span = next(
        (span for span in _PERIODS if last // span[0] - first // span[0] < MOST_COLUMNS),
        _PERIODS[-1],
    )
    length, period = span
    columns = range(first // length, last // length + 1)
    owner, others = dict.fromkeys(columns, 0), dict.fromkeys(columns, 0)
    for number, month in tallies.items():
        owner[number // length] += month.by_owner
        others[number // length] += month.messages - month.by_owner
    return Activity(
        period=period,
        months=tuple(column * length for column in columns),
        by_owner=tuple(owner.values()),
        by_others=tuple(others.values()),
    )


def _number(month: str) -> int:
    year, _, number = month.rpartition("-")
    return int(year) * MONTHS_OF_YEAR + int(number) - 1


def people(
    participants: tuple[ParticipantStatistics, ...], can_write: Callable[[str], bool]
) -> tuple[Row, ...]:
    """Return the people with most messages, by their number in the table, and all others as one.

    Args:
        can_write: Whether a character can be drawn.
    """
    shown = participants[:MOST_PEOPLE]
    rest = participants[MOST_PEOPLE:]
    rows = [
        Row(
            label=f"{number}. {person_label(person, can_write)}".rstrip(),
            value=person.messages,
            kind="owner" if person.is_owner else "others",
        )
        for number, person in enumerate(shown, start=1)
    ]
    if rest:
        total = sum(person.messages for person in rest)
        rows.append(Row(label=f"{len(rest):,} more", value=total, kind="rest"))
    return tuple(rows)


def person_label(person: ParticipantStatistics, can_write: Callable[[str], bool]) -> str:
    """Return a person's name as far as it can be drawn, else the id; empty without either.

    Signs that cannot be drawn, such as emoji, are left out. With a letter left out a name would be
    unreadable, so the id stands for it.
    """
    name = " ".join(unicodedata.normalize("NFC", person.name or "").split())
    drawn = [letter for letter in name if _is_drawn(letter, can_write)]
    lost = [letter for letter in name if letter not in drawn]
    if any(unicodedata.category(letter)[0] in "LMN" and not _is_joiner(letter) for letter in lost):
        drawn = []
    label = " ".join("".join(drawn).split())
    return label or (person.sender_id or "").rpartition(":")[2]


def _is_drawn(letter: str, can_write: Callable[[str], bool]) -> bool:
    return unicodedata.category(letter)[0] != "C" and not _is_joiner(letter) and can_write(letter)


def _is_joiner(letter: str) -> bool:
    """Tell whether a character only chooses how the one before it looks (U+FE00 … U+FE0F)."""
    return "\ufe00" <= letter <= "\ufe0f" or letter == "\u20e3"


def left_out(dropped: tuple[DroppedStatistics, ...]) -> tuple[Row, ...]:
    """Return what was left out, by asset and reason; the smallest reasons are put together."""
    rows = [
        Row(label=reason.reason.replace("_", " "), value=reason.items, kind=reason.asset)
        for reason in dropped
    ]
    if len(rows) <= MOST_REASONS:
        return tuple(rows)
    kept = sorted(rows, key=lambda row: -row.value)[: MOST_REASONS - 1]
    rest = sum(row.value for row in rows) - sum(row.value for row in kept)
    return (
        *(row for row in rows if row in kept),
        Row(label=f"{len(rows) - len(kept)} more reasons", value=rest, kind="rest"),
    )
