import io
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resonare_pipeline.chats.statistics.charts import PLOT_FILES
from resonare_pipeline.chats.statistics.model import (
    BlockStatistics,
    Distribution,
    DroppedStatistics,
    MonthStatistics,
    PaceStatistics,
    ParticipantStatistics,
    Statistics,
    Totals,
    distribution,
    even_bins,
)
from resonare_pipeline.chats.statistics.plots import draw_plots
from resonare_pipeline.plotting.drawing import (
    Canvas,
    can_write,
    fitted,
    text_width,
)
from resonare_pipeline.plotting.hours import HEAT
from resonare_pipeline.plotting.pages import OTHERS, OWNER

MOST_BYTES = 60_000  # what an event of the web UI may hold

NAMES = ["Kai", "Maya 🌸", "林小雨", "عمر", "सुनीता", "Jü" * 60, "a|b $x$", "\u202e", "", None]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def made(
    *,
    people: list[ParticipantStatistics] | None = None,
    months: list[MonthStatistics] | None = None,
    hours: Mapping[str, tuple[int, ...]] | None = None,
    tokens: list[int] | None = None,
    bounds: tuple[int, int] = (64, 2_048),
    dropped: list[DroppedStatistics] | None = None,
) -> Statistics:
    sizes = np.array(tokens or [], dtype=np.int32)
    shape: dict[str, Any] = dict.fromkeys(Totals.__struct_fields__, 0)
    return Statistics(
        totals=Totals(**shape),
        chats=(),
        participants=tuple(people or ()),
        months=tuple(months or ()),
        hours_by_weekday=dict(hours or dict.fromkeys(DAYS, (0,) * 24)),
        blocks=BlockStatistics(
            min_tokens=bounds[0],
            max_tokens=bounds[1],
            tokens=distribution(sizes),
            tokens_histogram=(),
            tokens_even_histogram=even_bins(sizes, at_most=80),
            messages=distribution(sizes),
        ),
        dropped=tuple(dropped or ()),
        pace=PaceStatistics(
            gaps=Distribution(count=0),
            silences=(),
            reply_within_seconds=1,
            replies=Distribution(count=0),
            replies_by_owner=Distribution(count=0),
            replies_by_others=Distribution(count=0),
        ),
        media_kinds={},
        reactions={},
    )


def person(name: str | None, messages: int, *, is_owner: bool = False) -> ParticipantStatistics:
    return ParticipantStatistics(
        sender_id="telegram:user7",
        name=name,
        is_owner=is_owner,
        chats=1,
        messages=messages,
        with_text=messages,
        characters=0,
        average_length=None,
        share=None,
    )


def month(year: int, number: int, messages: int, by_owner: int = 0) -> MonthStatistics:
    return MonthStatistics(
        month=f"{year:04d}-{number:02d}", messages=messages, by_owner=by_owner, characters=0
    )


def pixels(content: bytes) -> dict[str, int]:
    """Return colour → how many pixels have it."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    found = np.unique(np.asarray(image).reshape(-1, 3), axis=0, return_counts=True)
    return {f"#{bytes(colour).hex()}": count for colour, count in zip(*found, strict=True)}


def area(content: bytes, colour: str) -> int:
    """Return how many pixels have nearly a colour: the palette may move it by a step."""
    wanted = bytes.fromhex(colour[1:])
    return sum(
        count
        for found, count in pixels(content).items()
        if all(abs(a - b) <= 4 for a, b in zip(wanted, bytes.fromhex(found[1:]), strict=True))
    )


def large() -> Statistics:
    numbers = random.Random(5)  # noqa: S311  # a shape, no secret
    return made(
        people=[
            person(name, 9_000 // (rank + 1), is_owner=not rank)
            for rank, name in enumerate([*NAMES, *map(str, range(4_000))])
        ],
        months=[
            month(year, number, numbers.randint(1, 9_999_999), 1)
            for year in range(2004, 2025)
            for number in range(1, 13)
        ],
        hours={day: tuple(numbers.randint(0, 90_000) for _ in range(24)) for day in DAYS},
        tokens=[numbers.randint(64, 2_048) for _ in range(5_000)],
        dropped=[
            DroppedStatistics(asset=asset, reason=f"reason_{number}", items=number * 999_999)
            for asset in ("messages", "enriched_messages", "blocks")
            for number in range(9)
        ],
    )


CASES = {
    "empty": made(),
    "tiny": made(
        people=[person("A", 1)],
        months=[month(2024, 2, 1)],
        hours=dict.fromkeys(DAYS, (0,) * 24) | {"Monday": (1, *(0,) * 23)},
        tokens=[64],
        dropped=[DroppedStatistics(asset="blocks", reason="no_text", items=1)],
    ),
    "large": large(),
    "old times": made(months=[month(1, 1, 1), month(9_999, 12, 1)]),
    "far bound": made(tokens=[3, 5], bounds=(1, 1_000_000)),
    "one size": made(tokens=[2_048] * 3, bounds=(2_048, 2_048)),
    "below the bounds": made(tokens=[1], bounds=(1, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_plots_of_any_statistics_are_small_png_twice_as_dense(case: str) -> None:
    plots = draw_plots(CASES[case])
    assert tuple(plots) == PLOT_FILES
    for content in plots.values():
        image = Image.open(io.BytesIO(content))
        image.load()
        assert image.format == "PNG"
        assert image.width == 1_600
        assert 300 < image.height < 1_600
        assert len(content) < MOST_BYTES
        assert set(image.info) == {"dpi"}  # neither dates nor versions
    assert draw_plots(CASES[case]) == plots


def test_activity_gives_owner_and_others_areas_in_proportion() -> None:
    content = draw_plots(made(months=[month(2024, 1, 100, 25), month(2024, 2, 100, 25)]))[
        "activity_by_month.png"
    ]
    assert area(content, OWNER) * 3 == pytest.approx(area(content, OTHERS), rel=0.05)


def test_hours_are_darkest_where_most_was_written() -> None:
    hours = dict.fromkeys(DAYS, (0,) * 24) | {"Wednesday": (*(0,) * 20, 50, *(0,) * 3)}
    content = draw_plots(made(hours=hours))["hours_by_weekday.png"]
    image = Image.open(io.BytesIO(content)).convert("RGB")
    cells = np.asarray(image).astype(int)[136:]  # below the legend
    darkest = np.abs(cells - list(bytes.fromhex(HEAT[1][1:]))).max(axis=2) <= 4
    rows, columns = np.nonzero(darkest)
    assert len(rows) > 2_000  # one cell, and nothing else
    assert columns.min() > image.width * 0.8
    assert columns.max() - columns.min() < image.width / 24
    assert (rows // 44 == DAYS.index("Wednesday")).all()


def test_participants_give_the_owner_a_bar_in_proportion() -> None:
    people = [person("B", 300), person("A", 100, is_owner=True)]
    content = draw_plots(made(people=people))["messages_by_participant.png"]
    assert area(content, OWNER) * 3 == pytest.approx(area(content, OTHERS), rel=0.05)


def test_font_writes_latin_greek_and_cyrillic_and_knows_what_it_lacks() -> None:
    assert all(map(can_write, "aZ9é ßłŞαЖӘ…–’"))
    assert not any(map(can_write, "林ع🌸क"))


def test_fitted_text_is_no_wider_than_its_place() -> None:
    assert fitted("short", 200) == "short"
    cut = fitted("W" * 100, 100)
    assert cut.endswith("…")
    assert text_width(cut) <= 100


def test_canvas_draws_the_thinnest_bar_as_one_pixel() -> None:
    canvas = Canvas(20, 20)
    canvas.bar(3, 3, 3, 3, "#ff0000")
    assert pixels(canvas.png())["#ff0000"] == 1
