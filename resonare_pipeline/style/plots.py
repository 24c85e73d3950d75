"""The plots of style.md. Each is a function of style.json alone."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from resonare_pipeline.plotting.drawing import can_write
from resonare_pipeline.plotting.hours import hours_page
from resonare_pipeline.plotting.pages import (
    OTHERS,
    OWNER,
    bars_page,
    height_of,
    new_page,
    nothing,
)
from resonare_pipeline.plotting.scales import Row
from resonare_pipeline.style.files import EMOJI_FILE, HOURS_FILE, LENGTHS_FILE, RESPONSES_FILE

LENGTH_NAMES = {
    "very_short": "below 10",
    "short": "10 to 29",
    "medium": "30 to 99",
    "long": "100 to 200",
    "very_long": "over 200",
}
RESPONSE_NAMES = (
    "under 10 s",
    "10 s to 1 min",
    "1 to 5 min",
    "5 min to 1 h",
    "1 to 6 h",
    "6 h to a day",
)
Document = Mapping[str, Any]


def draw_plots(document: Document) -> dict[str, bytes]:
    """Return file name → PNG."""
    zone = document["time_zone"]
    return {
        HOURS_FILE: hours_page(
            document["hours_by_weekday"], "When you write", f"your messages; times in {zone}"
        ),
        LENGTHS_FILE: _lengths(document),
        RESPONSES_FILE: _responses(document),
        EMOJI_FILE: _emoji(document),
    }


def _bars(title: str, below: str, rows: Sequence[Row], unit: str, *, both: bool) -> bytes:
    legend = (("you", OWNER), ("others", OTHERS)) if both else (("you", OWNER),)
    canvas = new_page(height_of(rows), title, below, legend)
    if not any(row.value for row in rows):
        return nothing(canvas, "Nothing to show")
    return bars_page(canvas, rows, unit)


def _lengths(document: Document) -> bytes:
    counts = document["you"]["message_length_distribution"]
    rows = [Row(label=LENGTH_NAMES[key], value=counts[key], kind="owner") for key in LENGTH_NAMES]
    mean = document["you"]["avg_message_length"]
    below = f"{sum(counts.values()):,} messages of {mean:,.1f} characters on average"
    return _bars("How long your messages are", below, rows, "messages", both=False)


def _responses(document: Document) -> bytes:
    times = document["response_times"]
    rows = [
        Row(label=f"{name}, {who}", value=value, kind=kind)
        for name, own, other in zip(RESPONSE_NAMES, times["you"], times["others"], strict=True)
        for who, value, kind in (("you", own, "owner"), ("others", other, "others"))
    ]
    total = sum(times["you"]) + sum(times["others"])
    below = f"{total:,} answers within a day"
    return _bars("How fast you answer, and others answer you", below, rows, "answers", both=True)


def _emoji(document: Document) -> bytes:
    counts = document["emojis"]
    rows = [
        Row(label=emoji_label(emoji), value=count, kind="owner") for emoji, count in counts.items()
    ]
    usage = document["you"]["emoji_usage"]
    below = f"{usage['messages_with_emojis']:,} messages with emoji"
    return _bars("Your emoji", below, rows, "times", both=False)


def emoji_label(emoji: str) -> str:
    """Return an emoji's name, after the emoji itself where the font can draw it."""
    from emoji import EMOJI_DATA  # 50 ms, which only drawing needs

    name = EMOJI_DATA.get(emoji, {}).get("en", "").strip(":").replace("_", " ")
    name = name or unicodedata.name(emoji[0], "emoji").lower()
    return f"{emoji} {name}" if all(map(can_write, emoji)) else name
