import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.added_lines import IMAGE, LINK, POST, added_line, without_added_lines

ADDED = (
    added_line(LINK, "A title — what it says"),
    added_line(LINK, "Wedding of [forgotten]"),
    added_line(POST, "Hi", by="Ada (@ada)"),
    added_line(POST, by="Ada (@ada)"),
    added_line(POST, "Hi"),
    added_line(POST),
    added_line(IMAGE, "A red kite."),
)


def test_lines_are_written_as_people_read_them() -> None:
    assert ADDED[0] == "[Link: A title — what it says]"
    assert ADDED[2:] == (
        "[Post by Ada (@ada): Hi]",
        "[Post by Ada (@ada)]",
        "[Post: Hi]",
        "[Post]",
        "[Image: A red kite.]",
    )


@given(
    st.text().filter(lambda text: not text.endswith("]")),
    st.lists(st.sampled_from(ADDED)),
)
def test_whatever_was_written_is_what_is_left_without_added_lines(
    text: str, lines: list[str]
) -> None:
    assert without_added_lines("\n".join([text, *lines])) == text


@pytest.mark.parametrize("line", ADDED)
def test_a_text_that_is_nothing_but_added_lines_is_empty_without_them(line: str) -> None:
    assert without_added_lines(f"{line}\n{ADDED[0]}") == ""


@pytest.mark.parametrize(
    "text",
    [
        "see [Link: this]",
        "[Link: this] is it",
        f"{ADDED[0]}\nmy words",
        "[Postscript]",
        "[sticker]",
        "[Link]",
        "a [b]\n[c: d]",
    ],
)
def test_brackets_that_people_write_stay(text: str) -> None:
    assert without_added_lines(text) == text
