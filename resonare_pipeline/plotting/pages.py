"""Pages of charts: head, legend, axes and bars. One colour has one meaning on all of them.

What may not live here: what a chart shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from resonare_pipeline.plotting.drawing import (
    FAINT_INK,
    INK,
    RULE,
    Canvas,
    fitted,
    text_width,
)
from resonare_pipeline.plotting.scales import Row, ticks

WIDTH = 800  # points, as for all lengths here
HEIGHT = 320
MARGIN = 20
HEAD = 68  # title and the line below it
FOOT = 44  # labels and the name of the axis
ROW = 22
LONGEST_LABEL = 190
TITLE = 15

OWNER = "#c2571a"
OTHERS = "#3a6ea5"
REST = "#a8b1ba"
COLOURS = {
    "owner": OWNER,
    "others": OTHERS,
    "rest": REST,
    "messages": "#b08900",
    "enriched_messages": "#7a5ea8",
    "blocks": "#2f8f83",
}

Legend = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The area inside the axes."""

    left: float
    top: float
    right: float
    bottom: float


def new_page(height: float, title: str, below: str, legend: Legend = ()) -> Canvas:
    """Return a page with its title, a line below that, and a legend at the right."""
    canvas = Canvas(WIDTH, height)
    canvas.text(MARGIN, MARGIN, title, size=TITLE, anchor="la")
    canvas.text(MARGIN, MARGIN + 22, below, colour=FAINT_INK, anchor="la")
    right: float = WIDTH - MARGIN
    for name, colour in reversed(legend):
        canvas.text(right, MARGIN + 3, name, anchor="ra")
        right -= text_width(name) + 14
        canvas.bar(right, MARGIN + 5, right + 9, MARGIN + 14, colour)
        right -= 16
    return canvas


def nothing(canvas: Canvas, text: str) -> bytes:
    """Finish a page that has nothing to show."""
    canvas.text(WIDTH / 2, canvas.height / 2 + MARGIN, text, colour=FAINT_INK, anchor="mm")
    return canvas.png()


def value_axis(canvas: Canvas, greatest: int) -> tuple[Frame, int]:
    """Draw horizontal rules at round numbers; return the frame and the number at its top."""
    marks = ticks(greatest)
    width = max(text_width(f"{mark:,}") for mark in marks)
    frame = Frame(
        left=MARGIN + width + 8, top=HEAD, right=WIDTH - MARGIN, bottom=canvas.height - FOOT
    )
    for mark in marks:
        y = frame.bottom - (frame.bottom - frame.top) * mark / marks[-1]
        canvas.bar(frame.left, y, frame.right, y, RULE)
        canvas.text(frame.left - 8, y, f"{mark:,}", colour=FAINT_INK, anchor="rm")
    return frame, marks[-1]


def axis_name(canvas: Canvas, frame: Frame, text: str) -> None:
    """Write what the axis below the frame stands for."""
    middle = (frame.left + frame.right) / 2
    canvas.text(middle, canvas.height - 8, text, colour=FAINT_INK, anchor="md")


def legend_below(canvas: Canvas, legend: Legend) -> None:
    """Draw a legend that is too long to stand beside the title."""
    left = float(MARGIN)
    for name, colour in legend:
        canvas.bar(left, HEAD - 2, left + 9, HEAD + 7, colour)
        canvas.text(left + 14, HEAD - 4, name, anchor="la")
        left += 14 + text_width(name) + 16


def height_of(rows: Sequence[Row]) -> float:
    """Return the height of a page with so many horizontal bars."""
    return HEAD + max(len(rows), 3) * ROW + FOOT


def bars_page(canvas: Canvas, rows: Sequence[Row], unit: str, *, top: float = HEAD) -> bytes:
    """Draw horizontal bars, each with its name before it and its number after it."""
    labels = [fitted(row.label, LONGEST_LABEL) for row in rows]
    numbers = [f"{row.value:,}" for row in rows]
    left = MARGIN + max(map(text_width, labels)) + 8
    room = WIDTH - MARGIN - max(map(text_width, numbers)) - 8 - left
    greatest = max(row.value for row in rows)
    for index, (row, label, number) in enumerate(zip(rows, labels, numbers, strict=True)):
        middle = top + (index + 0.5) * ROW
        end = left + room * row.value / max(greatest, 1)
        canvas.text(left - 8, middle, label, anchor="rm")
        canvas.bar(left, middle - 8, end, middle + 8, COLOURS.get(row.kind, REST))
        canvas.text(end + 6, middle, number, colour=FAINT_INK, anchor="lm")
    bottom = top + len(rows) * ROW
    canvas.bar(left, top, left, bottom, INK)
    frame = Frame(left=left, top=top, right=left + room, bottom=bottom)
    axis_name(canvas, frame, unit)
    return canvas.png()
