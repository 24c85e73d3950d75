import re

import pytest
from bs4 import BeautifulSoup
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from resonare_pipeline.chats import cutting
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.datasets import candidates
from resonare_pipeline.datasets.openai import LeftOut
from resonare_pipeline.datasets.report.charts import Column, Mark, columns_chart, strip, ticks
from resonare_pipeline.datasets.report.funnel import EXPLANATIONS
from resonare_pipeline.datasets.report.language_names import NAMES, language_name
from resonare_pipeline.datasets.report.template import STYLE_FILE, read_file
from resonare_pipeline.datasets.report.text import (
    about,
    day,
    month,
    name,
    number,
    percent,
    plural,
    short,
    shown,
    signed,
)


@pytest.mark.parametrize(
    ("greatest", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (100, [0, 20, 40, 60, 80, 100]),
        (101, [0, 25, 50, 75, 100, 125]),
        (1_234_567, [0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000]),
    ],
)
def test_ticks_are_round_and_reach_the_greatest_value(greatest: int, expected: list[float]) -> None:
    assert ticks(greatest) == expected


def test_chart_stacks_parts_in_proportion() -> None:
    columns = [
        Column(title="a", parts={"split-train": 5, "split-test": 5}, label="1"),
        Column(title="b", parts={"split-train": 0, "split-test": 0}),
    ]
    svg = BeautifulSoup(
        columns_chart("c", "Title", "Text", columns, Mark(at=0.5, label="median")), "html.parser"
    )
    bars = svg.select("rect:not(.hit)")
    assert [(bar["y"], bar["height"]) for bar in bars] == [("100", "100"), ("0", "100")]
    assert [bar["class"] for bar in bars] == [["split-train"], ["split-test"]]
    line = svg.select_one("line.mark")
    assert line is not None
    assert line["x1"] == "25%"


def test_chart_shows_the_smallest_value_that_is_not_nothing() -> None:
    columns = [Column(title="a", parts={"x": 1}), Column(title="b", parts={"x": 1_000_000})]
    svg = BeautifulSoup(columns_chart("c", "Title", "Text", columns), "html.parser")
    assert svg.select("rect.x")[0]["height"] == "1"


def test_chart_escapes_what_it_is_given() -> None:
    columns = [Column(title="<b>", parts={"x": 1}, label="<i>")]
    svg = str(columns_chart("c", "<u>", "<s>", columns))
    assert not re.search("<[bius]>", svg)
    assert svg.count("&lt;") == 4


def test_strip_draws_shares_of_a_whole() -> None:
    svg = BeautifulSoup(strip({"a": 1, "b": 0, "c": 2}, whole=4), "html.parser")
    bars = [(bar["x"], bar["width"]) for bar in svg.find_all("rect")]
    assert bars == [("0%", "25%"), ("25%", "50%")]
    assert BeautifulSoup(strip({"a": 0}), "html.parser").find_all("rect") == []


def test_numbers_are_written_for_people() -> None:
    assert [number(value) for value in (None, 0, 1_234, 2.5, 100.0, 1 / 3)] == [
        "–",
        "0",
        "1,234",
        "2.5",
        "100",
        "0.33",
    ]
    assert [signed(value) for value in (3, -1_000, 0)] == ["+3", "−1,000", "±0"]
    assert [short(value) for value in (0, 950, 1_500, 34_000_000)] == [
        "0",
        "950",
        "1.5\xa0k",
        "34\xa0M",
    ]
    assert [percent(*pair) for pair in ((0, 5), (5, 5), (1, 3), (1, 9_999), (9_999, 10_000))] == [
        "0\xa0%",
        "100\xa0%",
        "33.3\xa0%",
        "<0.1\xa0%",
        "99.9\xa0%",
    ]
    assert percent(1, 0) == "–"
    assert [about(2, 3), about(1, 10_000)] == ["67\xa0%", "<0.1\xa0%"]
    assert [plural(1, "turn"), plural(2, "turn"), plural(0, "copy", "copies")] == [
        "1 turn",
        "2 turns",
        "0 copies",
    ]
    assert [month(0), month(649), month(-1)] == ["1970-01", "2024-02", "1969-12"]
    assert [day(0), day(-1), day(None)] == ["1970-01-01", "1969-12-31", ""]


def test_text_is_shown_with_control_characters_as_code_points() -> None:
    assert shown("a<b\u202e\x00") == (
        'a&lt;b<span class="unseen">U+202E</span><span class="unseen">U+0000</span>'
    )
    assert name("<") == "<bdi>&lt;</bdi>"


def test_languages_are_named_where_they_are_known() -> None:
    assert [language_name(code) for code in ("de", "ht", "und", "zu", "qqq")] == [
        "German",
        "Haitian Creole",
        "not known",
        "Zulu",
        "qqq",
    ]


def test_every_reason_is_explained_and_no_other() -> None:
    rules = {"before_since", "after_until", "excluded_sender"}
    reasons = [*Reason, *cutting.DropReason, *candidates.DropReason, *LeftOut, *rules]
    assert EXPLANATIONS.keys() == set(map(str, reasons))


def test_every_language_that_can_be_guessed_has_a_name() -> None:
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    assert {str(code) for code in model.nb_classes} <= NAMES.keys()


def palette(style: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


INKS = {
    "ink": ["paper", "card", "bubble-user", "bubble-assistant", "bubble-system"],
    "soft": ["paper", "card", "bubble-user", "bubble-assistant", "bubble-system"],
    "accent": ["paper", "card"],
    "good-ink": ["good-ground"],
    "warn-ink": ["warn-ground"],
    "bad-ink": ["bad-ground", "paper", "card"],
}
MARKS = ("train", "validation", "test", "other", "assistant", "rest", "plain", "lost")


@pytest.mark.parametrize("is_dark", [False, True])
def test_colours_have_the_contrast_that_reading_takes(is_dark: bool) -> None:
    light, dark = read_file(STYLE_FILE).split("@media (prefers-color-scheme: dark)", 1)
    colours = palette(dark if is_dark else light)
    assert colours.keys() == palette(light).keys()
    poor = {
        (ink, ground): round(contrast(colours[ink], colours[ground]), 2)
        for ink, grounds in INKS.items()
        for ground in grounds
        if contrast(colours[ink], colours[ground]) < 4.5
    } | {
        (mark, ground): round(contrast(colours[mark], colours[ground]), 2)
        for mark in MARKS
        for ground in ("paper", "card")
        if contrast(colours[mark], colours[ground]) < 3
    }
    assert poor == {}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
