"""Statistics as a page that people read: Markdown tables with small bars.

Names come from strangers, so each goes through `markdown.cell`. Nothing is counted here.
"""

from collections.abc import Mapping, Sequence

from resonare_pipeline.chats.statistics.charts import (
    ACTIVITY_FILE,
    DROPPED_FILE,
    HOURS_FILE,
    PEOPLE_FILE,
    TOKENS_FILE,
)
from resonare_pipeline.chats.statistics.model import (
    Bin,
    ChatStatistics,
    Distribution,
    DroppedStatistics,
    ParticipantStatistics,
    Statistics,
)
from resonare_pipeline.markdown import (
    NOTHING,
    bar,
    cell,
    duration,
    number,
    percent,
    section,
    table,
)

MOST_ROWS = 50  # a longer table is read in statistics.json
MOST_REACTIONS = 20


def render_statistics(statistics: Statistics) -> str:
    """Return the page, with a final newline."""
    parts = [
        "# Statistics\n\nTimes are UTC. Names are as the export gives them.",
        section("In all", _totals(statistics)),
        section("Chats", _chats(statistics.chats)),
        section("Participants", _participants(statistics.participants), plot=PEOPLE_FILE),
        section("Months", _months(statistics), plot=ACTIVITY_FILE),
        section("Hours and weekdays", _hours(statistics.hours_by_weekday), plot=HOURS_FILE),
        section("Blocks", _blocks(statistics), plot=TOKENS_FILE),
        section("Left out", _left_out(statistics.dropped), plot=DROPPED_FILE),
        section("Silences and replies", _pace(statistics)),
        section("Media", _counted("kind", statistics.media_kinds)),
        section("Reactions", _counted("reaction", statistics.reactions)),
    ]
    return "\n\n".join(parts) + "\n"


def _minute(time: str | None) -> str:
    return NOTHING if time is None else time[:16].replace("T", " ")


def _day(time: str | None) -> str:
    return NOTHING if time is None else time[:10]


def _totals(statistics: Statistics) -> str:
    totals = statistics.totals
    rows = (
        ("Chats", number(totals.chats)),
        ("Participants", number(totals.participants)),
        ("Messages", number(totals.messages)),
        ("… with text", number(totals.with_text)),
        ("… media only", number(totals.media_only)),
        ("… by the owner", percent(totals.owner_share)),
        ("Characters", number(totals.characters)),
        ("First message", _minute(totals.first_sent_at)),
        ("Last message", _minute(totals.last_sent_at)),
        ("Days with messages", number(totals.days_with_messages)),
        ("Blocks", number(totals.blocks)),
        ("Messages in blocks", number(totals.messages_in_blocks)),
        ("… of all messages", percent(totals.coverage)),
        ("Tokens in blocks", number(totals.tokens)),
    )
    return table(("what", "how many"), rows)


def _more(count: int, most: int) -> str:
    return f"\n\n{count - most:,} more in statistics.json." if count > most else ""


def _chats(chats: Sequence[ChatStatistics]) -> str:
    if not chats:
        return "No chats."
    heads = (
        "chat",
        "kind",
        "messages",
        "people",
        "by owner",
        "blocks",
        "messages in blocks",
        "coverage",
        "tokens",
        "first",
        "last",
    )
    rows = (
        (
            cell(chat.name or chat.chat_id),
            cell(chat.kind),
            number(chat.messages),
            number(chat.participants),
            percent(chat.owner_share),
            number(chat.blocks),
            number(chat.messages_in_blocks),
            percent(chat.coverage),
            number(chat.tokens),
            _day(chat.first_sent_at),
            _day(chat.last_sent_at),
        )
        for chat in chats[:MOST_ROWS]
    )
    return table(heads, rows, left=(0, 1)) + _more(len(chats), MOST_ROWS)


def _participants(people: Sequence[ParticipantStatistics]) -> str:
    if not people:
        return "Nobody."
    heads = ("", "who", "owner", "chats", "messages", "share", "", "characters", "average length")
    greatest = people[0].messages
    rows = (
        (
            number(position),
            cell(person.name or person.sender_id),
            "yes" if person.is_owner else "",
            number(person.chats),
            number(person.messages),
            percent(person.share),
            bar(person.messages, greatest),
            number(person.characters),
            number(person.average_length),
        )
        for position, person in enumerate(people[:MOST_ROWS], start=1)
    )
    return table(heads, rows, left=(1, 2, 6)) + _more(len(people), MOST_ROWS)


def _months(statistics: Statistics) -> str:
    months = statistics.months
    if not months:
        return "No messages."
    greatest = max(month.messages for month in months)
    rows = (
        (
            month.month,
            number(month.messages),
            bar(month.messages, greatest),
            number(month.by_owner),
            number(month.characters),
        )
        for month in months
    )
    return table(("month", "messages", "", "by owner", "characters"), rows, left=(0, 2))


def _hours(hours_by_weekday: Mapping[str, Sequence[int]]) -> str:
    by_hour = list(zip(*hours_by_weekday.values(), strict=True))
    totals = [sum(hour) for hour in by_hour]
    if not any(totals):
        return "No messages."
    rows = [
        (
            f"{hour:02d}",
            *(number(count) if count else "" for count in by_hour[hour]),
            number(totals[hour]) if totals[hour] else "",
            bar(totals[hour], max(totals)),
        )
        for hour in range(24)
    ]
    by_day = [sum(day) for day in hours_by_weekday.values()]
    rows.append(("all", *(number(count) for count in by_day), number(sum(by_day)), ""))
    heads = ("hour", *(day[:3] for day in hours_by_weekday), "all", "")
    return table(heads, rows, left=(0, len(heads) - 1))


def _blocks(statistics: Statistics) -> str:
    blocks = statistics.blocks
    if not blocks.tokens.count:
        return "No blocks."
    sizes = _spreads({"tokens": blocks.tokens, "messages": blocks.messages}, in_seconds=False)
    return f"{sizes}\n\n{_histogram(blocks.tokens_histogram)}"


def _histogram(bins: Sequence[Bin]) -> str:
    greatest = max(entry.count for entry in bins)
    rows = (
        (
            f"{entry.at_least:,} to {entry.below - 1:,}",
            number(entry.count),
            bar(entry.count, greatest),
        )
        for entry in bins
    )
    return table(("tokens", "blocks", ""), rows, left=(0, 2))


def _left_out(dropped: Sequence[DroppedStatistics]) -> str:
    if not dropped:
        return "Nothing."
    greatest = max(reason.items for reason in dropped)
    rows = (
        (reason.asset, reason.reason, number(reason.items), bar(reason.items, greatest))
        for reason in dropped
    )
    return table(("by", "reason", "items", ""), rows, left=(0, 1, 3))


def _spreads(spreads: Mapping[str, Distribution], *, in_seconds: bool) -> str:
    heads = ("", "count", "min", "p10", "p25", "median", "mean", "p75", "p90", "p99", "max")
    form = duration if in_seconds else number
    rows = (
        (
            name,
            number(spread.count),
            *(form(getattr(spread, head)) for head in heads[2:]),
        )
        for name, spread in spreads.items()
    )
    return table(heads, rows)


def _pace(statistics: Statistics) -> str:
    pace = statistics.pace
    if not pace.gaps.count:
        return "No two messages in one chat."
    spreads = _spreads(
        {
            "between messages": pace.gaps,
            "until a reply": pace.replies,
            "… by the owner": pace.replies_by_owner,
            "… by others": pace.replies_by_others,
        },
        in_seconds=True,
    )
    silences = table(
        ("silence over", "how often"),
        (
            (duration(silence.longer_than_seconds), number(silence.count))
            for silence in pace.silences
        ),
    )
    within = duration(pace.reply_within_seconds)
    note = f"A reply is a message of someone else, within {within} of the one before it."
    return f"{spreads}\n\n{note}\n\n{silences}"


def _counted(head: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return "None."
    greatest = max(counts.values())
    rows = (
        (cell(name), number(count), bar(count, greatest))
        for name, count in list(counts.items())[:MOST_REACTIONS]
    )
    return table((head, "count", ""), rows, left=(0, 2)) + _more(len(counts), MOST_REACTIONS)
