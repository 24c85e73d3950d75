import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.markdown import LONGEST_NAME, bar, cell, duration


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann", "Ann"),
        ("a|b", r"a\|b"),
        ("one\n\ttwo\r\n", "one two"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
        ("[a](b) <i>", r"\[a\](b) \<i\>"),
        ("snake_case", "snake_case"),
        ("_a__b_", r"\_a\_\_b\_"),
        ("A & B &amp; &#42;", r"A & B \&amp; \&#42;"),
        ("back\\slash|", r"back\\slash\|"),
        ("\u202eevil\u2069", "evil"),
        ("\u2028\x00", "–"),
        ("", "–"),
        (None, "–"),
        ("👩‍👧 माया", "👩‍👧 माया"),
        ("x" * 100, "x" * (LONGEST_NAME - 1) + "…"),
    ],
)
def test_cell_of_a_name_is_one_line_of_plain_text(name: str | None, shown: str) -> None:
    assert cell(name) == shown


@given(st.text())
def test_cell_of_any_name_neither_ends_the_line_nor_the_cell(name: str) -> None:
    shown = cell(name)
    assert shown
    assert len(shown.splitlines()) == 1
    assert "|" not in shown.replace("\\\\", "").replace("\\|", "")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0, "0 s"),
        (59, "59 s"),
        (59.7, "1 min"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (86_400 + 3 * 3_600 + 59, "1 d 3 h"),
    ],
)
def test_duration_is_given_in_its_two_largest_units(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_bar_shows_any_value_over_zero_and_grows_with_it() -> None:
    bars = [bar(value, 1_000) for value in (0, 1, 100, 500, 1_000)]
    assert bars[0] == ""
    assert bars[1] == "▏"
    assert [len(shown) for shown in bars] == sorted(len(shown) for shown in bars)
    assert bars[-1] == "█" * len(bars[-1])
