"""The plots of an export's statistics. Each is a function of statistics.json alone.

`charts` says what each shows, `pages` and `drawing` how a page is laid out and drawn on.
"""

from collections.abc import Sequence

from resonare_pipeline.chats.statistics.charts import (
    ACTIVITY_FILE,
    DROPPED_FILE,
    HOURS_FILE,
    MONTHS_OF_YEAR,
    PEOPLE_FILE,
    TOKENS_FILE,
    activity,
    left_out,
    people,
)
from resonare_pipeline.chats.statistics.model import Bin, BlockStatistics, Statistics
from resonare_pipeline.plotting.drawing import (
    FAINT_INK,
    INK,
    Canvas,
    can_write,
)
from resonare_pipeline.plotting.hours import hours_page
from resonare_pipeline.plotting.pages import (
    COLOURS,
    HEAD,
    HEIGHT,
    MARGIN,
    OTHERS,
    OWNER,
    REST,
    Frame,
    axis_name,
    bars_page,
    height_of,
    legend_below,
    new_page,
    nothing,
    value_axis,
)
from resonare_pipeline.plotting.scales import ticks

WIDEST_COLUMN = 60
NARROWEST_LABEL = 52  # between two labels of a time axis
MARK = "#b3261e"  # bounds
WHERE_LEFT_OUT = {
    "messages": "when the export was read",
    "enriched_messages": "by the rules for messages",
    "blocks": "when blocks were cut",
}


def draw_plots(statistics: Statistics) -> dict[str, bytes]:
    """Return file name → PNG."""
    return {
        ACTIVITY_FILE: _activity(statistics),
        HOURS_FILE: hours_page(
            statistics.hours_by_weekday, "Messages by hour and weekday", "times are UTC"
        ),
        PEOPLE_FILE: _people(statistics),
        TOKENS_FILE: _tokens(statistics.blocks),
        DROPPED_FILE: _dropped(statistics),
    }


def _activity(statistics: Statistics) -> bytes:
    shown = activity(statistics.months)
    totals = [sum(both) for both in zip(shown.by_owner, shown.by_others, strict=True)]
    canvas = new_page(
        HEIGHT,
        f"Messages by {shown.period}",
        f"{sum(totals):,} messages; times are UTC",
        (("owner", OWNER), ("others", OTHERS)),
    )
    if not totals:
        return nothing(canvas, "No messages")
    frame, most = value_axis(canvas, max(totals))
    step = (frame.right - frame.left) / len(totals)
    half = min(step * 0.8, WIDEST_COLUMN) / 2
    height = (frame.bottom - frame.top) / most
    for index, (owner, total) in enumerate(zip(shown.by_owner, totals, strict=True)):
        at = frame.left + (index + 0.5) * step
        left, right = at - half, at + half
        middle = frame.bottom - owner * height
        if owner:
            canvas.bar(left, middle, right, frame.bottom, OWNER)
        if total > owner:
            canvas.bar(left, frame.bottom - total * height, right, middle, OTHERS)
    canvas.bar(frame.left, frame.bottom, frame.right, frame.bottom, INK)
    _time_labels(canvas, frame, shown.months, step)
    axis_name(canvas, frame, shown.period)
    return canvas.png()


def _time_labels(canvas: Canvas, frame: Frame, months: Sequence[int], step: float) -> None:
    """Name the columns: every month while there is room, else years, then every few years."""
    if step >= NARROWEST_LABEL:
        for index, month in enumerate(months):
            year, number = divmod(month, MONTHS_OF_YEAR)
            at = frame.left + (index + 0.5) * step
            label = f"{year:04d}-{number + 1:02d}"
            canvas.text(at, frame.bottom + 6, label, colour=FAINT_INK, anchor="ma")
        return
    last_right = 0.0
    for index, month in enumerate(months):
        year, number = divmod(month, MONTHS_OF_YEAR)
        is_first = not index and MONTHS_OF_YEAR - number > MONTHS_OF_YEAR // 2
        at = frame.left + index * step
        if (number == 0 or is_first) and at >= last_right:
            label = f"{year:04d}" if number == 0 else f"{year:04d}-{number + 1:02d}"
            canvas.bar(at, frame.bottom, at, frame.bottom + 4, INK)
            canvas.text(at, frame.bottom + 6, label, colour=FAINT_INK, anchor="la")
            last_right = at + NARROWEST_LABEL


def _people(statistics: Statistics) -> bytes:
    rows = people(statistics.participants, can_write)
    count = len(statistics.participants)
    legend = [("owner", OWNER), ("others", OTHERS)]
    if any(row.kind == "rest" for row in rows):
        legend.append(("all others together", REST))
    below = f"{sum(row.value for row in rows):,} messages of {count:,} people"
    canvas = new_page(height_of(rows), "Messages by participant", below, legend)
    return bars_page(canvas, rows, "messages") if rows else nothing(canvas, "Nobody")


def _dropped(statistics: Statistics) -> bytes:
    rows = left_out(statistics.dropped)
    legend = [
        (text, COLOURS[asset])
        for asset, text in WHERE_LEFT_OUT.items()
        if any(row.kind == asset for row in rows)
    ]
    totals = statistics.totals
    below = (
        f"{sum(row.value for row in rows):,} left out; {totals.messages_in_blocks:,} of "
        f"{totals.messages:,} messages are in conversations"
    )
    canvas = new_page(height_of(rows) + 22, "Left out, by reason", below)
    legend_below(canvas, legend)
    if not rows:
        return nothing(canvas, "Nothing was left out")
    return bars_page(canvas, rows, "messages and other entries", top=HEAD + 22)


def _tokens(blocks: BlockStatistics) -> bytes:
    bins = blocks.tokens_even_histogram
    least, most = blocks.min_tokens, blocks.max_tokens
    canvas = new_page(
        HEIGHT,
        "Conversations by length",
        f"{blocks.tokens.count:,} conversations; bounds: {least:,} and {most:,} tokens",
        (("bounds", MARK),),
    )
    if not bins:
        return nothing(canvas, "No conversations")
    frame, top = value_axis(canvas, max(entry.count for entry in bins))
    # A length n takes the place from n - 1 to n.
    filled = bins[-1].below - 1
    # A maximum that is far away would press all bars together.
    end = most if filled < most <= 4 * filled else filled
    _draw_bins(canvas, frame, bins, end, top)
    for bound in (least - 1, most):
        if bound <= end:
            x = frame.left + (frame.right - frame.left) * bound / end
            canvas.bar(x - 0.75, frame.top - 4, x + 0.75, frame.bottom, MARK)
    canvas.bar(frame.left, frame.bottom, frame.right, frame.bottom, INK)
    axis_name(canvas, frame, f"tokens of a conversation, {bins[0].below - 1:,} in a bar")
    return canvas.png()


def _draw_bins(canvas: Canvas, frame: Frame, bins: Sequence[Bin], end: int, top: int) -> None:
    across = (frame.right - frame.left) / end
    height = (frame.bottom - frame.top) / top
    for entry in bins:
        if entry.count:
            canvas.bar(
                frame.left + (entry.at_least - 1) * across + 0.5,
                frame.bottom - entry.count * height,
                frame.left + (entry.below - 1) * across - 0.5,
                frame.bottom,
                OTHERS,
            )
    for mark in ticks(end, most=10):
        if mark <= end:
            x = frame.left + mark * across
            anchor = "ma" if x < frame.right - MARGIN else "ra"
            canvas.text(x, frame.bottom + 6, f"{mark:,}", colour=FAINT_INK, anchor=anchor)
