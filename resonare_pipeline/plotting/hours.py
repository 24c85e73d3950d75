"""A heat map of the hours of a week."""

from collections.abc import Mapping, Sequence

from resonare_pipeline.plotting.drawing import FAINT_INK, Canvas, text_width
from resonare_pipeline.plotting.pages import (
    FOOT,
    HEAD,
    MARGIN,
    ROW,
    WIDTH,
    Frame,
    axis_name,
    new_page,
)

# From a tint that a cell with one message still shows, to the blue of all messages and darker.
HEAT = ("#dbe7f3", "#12395f")
EMPTY_CELL = "#f3f5f7"


def hours_page(days: Mapping[str, Sequence[int]], title: str, below: str) -> bytes:
    """Draw how much falls into each hour of each weekday.

    Args:
        days: Weekday → counts of its 24 hours.
        below: The line below the title, which tells the time zone.
    """
    greatest = max((max(hours) for hours in days.values()), default=0)
    canvas = new_page(HEAD + 7 * ROW + FOOT, title, below)
    left = MARGIN + max((text_width(day[:3]) for day in days), default=0) + 8
    frame = Frame(left=left, top=HEAD, right=WIDTH - MARGIN, bottom=HEAD + 7 * ROW)
    step = (frame.right - frame.left) / 24
    for row, (day, hours) in enumerate(days.items()):
        top = frame.top + row * ROW
        canvas.text(left - 8, top + ROW / 2, day[:3], colour=FAINT_INK, anchor="rm")
        for hour, count in enumerate(hours):
            x = frame.left + hour * step
            canvas.bar(x, top, x + step - 2, top + ROW - 2, _heat(count, greatest))
    for hour in range(24):
        at = frame.left + (hour + 0.5) * step - 1
        canvas.text(at, frame.bottom + 6, f"{hour:02d}", colour=FAINT_INK, anchor="ma")
    axis_name(canvas, frame, "hour")
    _heat_legend(canvas, greatest)
    return canvas.png()


def _heat(count: int, greatest: int) -> str:
    """Return the colour of a cell; its square root spreads the many small counts."""
    if not count:
        return EMPTY_CELL
    return _between(*HEAT, (count / greatest) ** 0.5)


def _between(low: str, high: str, part: float) -> str:
    pairs = zip(bytes.fromhex(low[1:]), bytes.fromhex(high[1:]), strict=True)
    return "#" + bytes(round(a + (b - a) * part) for a, b in pairs).hex()


def _heat_legend(canvas: Canvas, greatest: int) -> None:
    most = f"{greatest:,} messages"
    steps = 24
    right: float = WIDTH - MARGIN
    canvas.text(right, MARGIN + 3, most, anchor="ra")
    right -= text_width(most) + 8
    for index in range(steps):
        count = greatest * index // (steps - 1)
        left = right - (steps - index) * 4
        canvas.bar(left, MARGIN + 4, left + 4, MARGIN + 15, _heat(count, greatest))
    canvas.text(right - steps * 4 - 6, MARGIN + 3, "0", anchor="ra")
