"""Statistics as a page that people read: Markdown tables with small bars.

Names come from strangers: each is put on one line, shortened, and escaped, so that it can neither
break a table nor be taken for markup. Nothing is counted here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

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

MOST_ROWS = 50  # a longer table is read in statistics.json
MOST_REACTIONS = 20
LONGEST_NAME = 60  # characters
BAR_WIDTH = 20  # characters
NOTHING = "–"

# An underscore within a word and an ampersand that begins no entity are harmless, and stay legible.
_MARKUP = re.compile(r"([\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
_BIDI_CONTROLS = frozenset(  # embeddings, overrides, isolates and marks
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
_EIGHTHS = " ▏▎▍▌▋▊▉"

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def render_statistics(statistics: Statistics) -> str:
    """Return the page, with a final newline."""
    parts = [
        "# Statistics\n\nTimes are UTC. Names are as the export gives them.",
        _section("In all", _totals(statistics)),
        _section("Chats", _chats(statistics.chats)),
        _section("Participants", _participants(statistics.participants), plot=PEOPLE_FILE),
        _section("Months", _months(statistics), plot=ACTIVITY_FILE),
        _section("Hours and weekdays", _hours(statistics.hours_by_weekday), plot=HOURS_FILE),
        _section("Blocks", _blocks(statistics), plot=TOKENS_FILE),
        _section("Left out", _left_out(statistics.dropped), plot=DROPPED_FILE),
        _section("Silences and replies", _pace(statistics)),
        _section("Media", _counted("kind", statistics.media_kinds)),
        _section("Reactions", _counted("reaction", statistics.reactions)),
    ]
    return "\n\n".join(parts) + "\n"


def cell(name: str | None) -> str:
    """Return a name so that it is only text in a table's cell.

    Line ends and other control characters become spaces, marks that turn the direction of writing
    are left out, and what means something in Markdown or HTML is escaped.
    """
    if name is None:
        return NOTHING
    plain = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
        for letter in name
        if letter not in _BIDI_CONTROLS
    )
    plain = " ".join(plain.split())
    if len(plain) > LONGEST_NAME:
        plain = plain[: LONGEST_NAME - 1].rstrip() + "…"
    return _MARKUP.sub(r"\\\1", plain) or NOTHING


def duration(seconds: float | None) -> str:
    """Return seconds in their two largest units, as in `2 h 5 min`."""
    if seconds is None:
        return NOTHING
    rest = round(seconds)
    for index, (size, unit) in enumerate(_UNITS):
        if rest >= size and size > 1:
            next_size, next_unit = _UNITS[index + 1]
            lesser = rest % size // next_size
            return f"{rest // size} {unit}" + (f" {lesser} {next_unit}" if lesser else "")
    return f"{rest} s"


def bar(value: int, greatest: int) -> str:
    """Return a bar in eighths of a character; any value over zero can be seen."""
    if not value:
        return ""
    eighths = max(1, round(value / greatest * BAR_WIDTH * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _section(title: str, body: str, *, plot: str = "") -> str:
    """Return a section; its plot, a file beside the page, stands before its tables."""
    image = f"![{title}]({plot})\n\n" if plot else ""
    return f"## {title}\n\n{image}{body}"


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: Iterable[int] = (0,)
) -> str:
    """Return a table whose columns are aligned right, but for those in `left`."""
    rules = ["---" if index in set(left) else "--:" for index in range(len(heads))]
    lines = ["| " + " | ".join(row) + " |" for row in (heads, rules, *rows)]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"


def _minute(time: str | None) -> str:
    return NOTHING if time is None else time[:16].replace("T", " ")


def _day(time: str | None) -> str:
    return NOTHING if time is None else time[:10]


def _totals(statistics: Statistics) -> str:
    totals = statistics.totals
    rows = (
        ("Chats", _number(totals.chats)),
        ("Participants", _number(totals.participants)),
        ("Messages", _number(totals.messages)),
        ("… with text", _number(totals.with_text)),
        ("… media only", _number(totals.media_only)),
        ("… by the owner", _percent(totals.owner_share)),
        ("Characters", _number(totals.characters)),
        ("First message", _minute(totals.first_sent_at)),
        ("Last message", _minute(totals.last_sent_at)),
        ("Days with messages", _number(totals.days_with_messages)),
        ("Blocks", _number(totals.blocks)),
        ("Messages in blocks", _number(totals.messages_in_blocks)),
        ("… of all messages", _percent(totals.coverage)),
        ("Tokens in blocks", _number(totals.tokens)),
    )
    return _table(("what", "how many"), rows)


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
            _number(chat.messages),
            _number(chat.participants),
            _percent(chat.owner_share),
            _number(chat.blocks),
            _number(chat.messages_in_blocks),
            _percent(chat.coverage),
            _number(chat.tokens),
            _day(chat.first_sent_at),
            _day(chat.last_sent_at),
        )
        for chat in chats[:MOST_ROWS]
    )
    return _table(heads, rows, left=(0, 1)) + _more(len(chats), MOST_ROWS)


def _participants(people: Sequence[ParticipantStatistics]) -> str:
    if not people:
        return "Nobody."
    heads = ("", "who", "owner", "chats", "messages", "share", "", "characters", "average length")
    greatest = people[0].messages
    rows = (
        (
            _number(position),
            cell(person.name or person.sender_id),
            "yes" if person.is_owner else "",
            _number(person.chats),
            _number(person.messages),
            _percent(person.share),
            bar(person.messages, greatest),
            _number(person.characters),
            _number(person.average_length),
        )
        for position, person in enumerate(people[:MOST_ROWS], start=1)
    )
    return _table(heads, rows, left=(1, 2, 6)) + _more(len(people), MOST_ROWS)


def _months(statistics: Statistics) -> str:
    months = statistics.months
    if not months:
        return "No messages."
    greatest = max(month.messages for month in months)
    rows = (
        (
            month.month,
            _number(month.messages),
            bar(month.messages, greatest),
            _number(month.by_owner),
            _number(month.characters),
        )
        for month in months
    )
    return _table(("month", "messages", "", "by owner", "characters"), rows, left=(0, 2))


def _hours(hours_by_weekday: Mapping[str, Sequence[int]]) -> str:
    by_hour = list(zip(*hours_by_weekday.values(), strict=True))
    totals = [sum(hour) for hour in by_hour]
    if not any(totals):
        return "No messages."
    rows = [
        (
            f"{hour:02d}",
            *(_number(count) if count else "" for count in by_hour[hour]),
            _number(totals[hour]) if totals[hour] else "",
            bar(totals[hour], max(totals)),
        )
        for hour in range(24)
    ]
    by_day = [sum(day) for day in hours_by_weekday.values()]
    rows.append(("all", *(_number(count) for count in by_day), _number(sum(by_day)), ""))
    heads = ("hour", *(day[:3] for day in hours_by_weekday), "all", "")
    return _table(heads, rows, left=(0, len(heads) - 1))


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
            _number(entry.count),
            bar(entry.count, greatest),
        )
        for entry in bins
    )
    return _table(("tokens", "blocks", ""), rows, left=(0, 2))


def _left_out(dropped: Sequence[DroppedStatistics]) -> str:
    if not dropped:
        return "Nothing."
    greatest = max(reason.items for reason in dropped)
    rows = (
        (reason.asset, reason.reason, _number(reason.items), bar(reason.items, greatest))
        for reason in dropped
    )
    return _table(("by", "reason", "items", ""), rows, left=(0, 1, 3))


def _spreads(spreads: Mapping[str, Distribution], *, in_seconds: bool) -> str:
    heads = ("", "count", "min", "p10", "p25", "median", "mean", "p75", "p90", "p99", "max")
    form = duration if in_seconds else _number
    rows = (
        (
            name,
            _number(spread.count),
            *(form(getattr(spread, head)) for head in heads[2:]),
        )
        for name, spread in spreads.items()
    )
    return _table(heads, rows)


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
    silences = _table(
        ("silence over", "how often"),
        (
            (duration(silence.longer_than_seconds), _number(silence.count))
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
        (cell(name), _number(count), bar(count, greatest))
        for name, count in list(counts.items())[:MOST_REACTIONS]
    )
    return _table((head, "count", ""), rows, left=(0, 2)) + _more(len(counts), MOST_REACTIONS)
