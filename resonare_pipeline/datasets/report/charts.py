"""Charts as SVG inside the page, drawn so that they need neither a script nor a fixed width.

All lengths across are percentages and there is no view box, so bars stretch with the page while
their texts keep their size. Colours stand in the style sheet, by class: one colour has one meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from resonare_pipeline.datasets.report.text import number, short

HEIGHT = 200  # pixels, of the area with bars
FOOT = 26  # pixels, for the labels below it
MOST_LABELS = 10  # below a chart
_TICKS = (1, 2, 2.5, 5, 10)

_GRID = Markup(
    '<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
    '<text class="axis" x="-8" y="{y}" dy="0.32em" text-anchor="end">{label}</text>'
)
_COLUMN = Markup('<g class="column"><title>{title}</title>{hit}{bars}</g>')
_HIT = Markup('<rect class="hit" x="{x}%" y="0" width="{width}%" height="{height}"/>')
_BAR = Markup('<rect class="{kind}" x="{x}%" y="{y}" width="{width}%" height="{height}"/>')
_LABEL = Markup('<text class="axis{minor}" x="{x}%" y="{y}" text-anchor="{anchor}">{label}</text>')
_MARK = Markup(
    '<line class="mark" x1="{x}%" x2="{x}%" y1="-6" y2="{height}"/>'
    '<text class="marked" x="{x}%" y="-10" text-anchor="{anchor}">{label}</text>'
)
_CHART = Markup(
    '<svg class="chart" role="img" aria-labelledby="{id}-title {id}-text" width="100%"'
    ' height="{height}"><title id="{id}-title">{title}</title>'
    '<desc id="{id}-text">{text}</desc>{content}</svg>'
)
_STRIP = Markup(
    '<svg class="strip" aria-hidden="true" width="100%" height="{height}">{content}</svg>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One stack of a chart.

    Attributes:
        title: Shown where a mouse rests on it.
        parts: Class of a part → its value, from below.
        label: Stands below it, if there is room.
    """

    title: str
    parts: Mapping[str, int]
    label: str = ""

    @property
    def height(self) -> int:
        """All of it."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line across a chart; `at` counts columns from the left edge."""

    at: float
    label: str


def columns_chart(
    chart_id: str, title: str, text: str, columns: Sequence[Column], mark: Mark | None = None
) -> Markup:
    """Draw stacked columns over an axis.

    Args:
        chart_id: The beginning of ids inside it.
        text: What it shows, for those who do not see it.
    """
    marks = ticks(max((column.height for column in columns), default=0))
    content = [_grid(value, marks[-1]) for value in marks]
    width = 100 / max(len(columns), 1)
    content += [
        _column(column, index * width, width, marks[-1]) for index, column in enumerate(columns)
    ]
    content += _labels(columns, width)
    if mark is not None:
        x = mark.at * width
        content.append(_MARK.format(x=_r(x), height=HEIGHT, anchor=_anchor(x), label=mark.label))
    return _CHART.format(
        id=chart_id, height=HEIGHT + FOOT, title=title, text=text, content=Markup().join(content)
    )


def _grid(value: float, greatest: float) -> Markup:
    return _GRID.format(y=_r(HEIGHT - HEIGHT * value / greatest), label=short(value))


def _column(column: Column, x: float, width: float, greatest: float) -> Markup:
    gap = 0.12 * width
    bars: list[Markup] = []
    base = float(HEIGHT)
    for kind, value in column.parts.items():
        if not value:
            continue
        height = max(HEIGHT * value / greatest, 1.0)  # pixels: what is there can be seen
        base -= height
        lengths = {"x": _r(x + gap / 2), "y": _r(base), "width": _r(width - gap)}
        bars.append(_BAR.format(kind=kind, height=_r(height), **lengths))
    hit = _HIT.format(x=_r(x), width=_r(width), height=HEIGHT)
    return _COLUMN.format(title=column.title, hit=hit, bars=Markup().join(bars))


def _labels(columns: Sequence[Column], width: float) -> list[Markup]:
    """Place labels below a chart; every other one is minor, and left out where room is short."""
    labelled = [(index, column.label) for index, column in enumerate(columns) if column.label]
    every = -(-len(labelled) // MOST_LABELS) if labelled else 1
    found: list[Markup] = []
    for position, (index, label) in enumerate(labelled[::every]):
        x = (index + 0.5) * width
        minor = " minor" if position % 2 else ""
        found.append(
            _LABEL.format(minor=minor, x=_r(x), y=HEIGHT + 18, anchor=_anchor(x), label=label)
        )
    return found


def _anchor(x: float) -> str:
    """Return how a text is placed at x %, so that it does not stand out over an edge."""
    if x < 4:
        return "start"
    return "end" if x > 96 else "middle"


def ticks(greatest: float, *, at_most: int = 5) -> list[float]:
    """Return round numbers from 0 to the first that is not below the greatest value."""
    step = 1.0
    scale = 1.0
    while True:
        for factor in _TICKS:
            step = factor * scale
            if step == int(step) and greatest <= step * at_most:
                count = max(1, -(-int(greatest) // int(step)))
                return [index * step for index in range(count + 1)]
        scale *= 10


def strip(parts: Mapping[str, float], *, height: int = 14, whole: float = 0) -> Markup:
    """Draw a bar of parts beside one another, as a share of `whole` or of all parts together."""
    total = whole or sum(parts.values())
    x = 0.0
    content: list[Markup] = []
    for kind, value in parts.items():
        if value and total:
            width = 100 * value / total
            content.append(
                _BAR.format(kind=kind, x=_r(x), y=0, width=_r(max(width, 0.3)), height=height)
            )
            x += width
    return _STRIP.format(height=height, content=Markup().join(content))


def tip(label: str, parts: Mapping[str, int]) -> str:
    """Return what is shown where a mouse rests on a column."""
    values = [f"{name}: {number(value)}" for name, value in parts.items() if value]
    return f"{label} – {', '.join(values) or 'none'}"


def _r(value: float) -> str:
    """Return a length with two places at the most: equal on every machine, and short."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
