"""Splitting one message into pieces."""

import regex  # type: ignore[import-untyped]  # publishes no types
from hypothesis import given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.splitting import split_text
from resonare_pipeline.counting import count_text

FAMILY = "👩‍👩‍👧‍👦"


def at_most(characters: int, text: str) -> list[str]:
    spans = split_text(text, lambda piece: len(piece) <= characters)
    return [text[start:end] for start, end in spans]


def test_split_text_paragraphs_come_before_sentences() -> None:
    text = "One. Two three.\n\nFour five. Six seven eight."
    assert at_most(30, text) == ["One. Two three.", "Four five. Six seven eight."]


def test_split_text_sentences_come_before_words() -> None:
    text = "First things first. Second things are longer than that."
    assert at_most(40, text) == ["First things first.", "Second things are longer than that."]


def test_split_text_words_come_before_characters() -> None:
    assert at_most(11, "alpha beta gamma delta") == ["alpha beta", "gamma delta"]


def test_split_text_numbers_and_addresses_are_no_sentence_ends() -> None:
    assert at_most(16, "costs 3.14 at a.example now") == ["costs 3.14 at", "a.example now"]


def test_split_text_chinese_sentences_need_no_space() -> None:
    assert at_most(8, "今天天气很好。我们去公园！") == ["今天天气很好。", "我们去公园！"]


def test_split_text_quote_closing_a_sentence_stays_with_it() -> None:
    assert at_most(9, "「今天很好。」他说了这些") == ["「今天很好。」", "他说了这些"]


def test_split_text_arabic_and_hindi_sentences_are_known() -> None:
    assert at_most(18, "كيف حالك اليوم؟ أنا بخير جدا") == ["كيف حالك اليوم؟", "أنا بخير جدا"]
    assert at_most(17, "मैं घर जा रहा। वह भी आएगा अब") == ["मैं घर जा रहा।", "वह भी आएगा अब"]


def test_split_text_joined_emoji_is_kept_whole() -> None:
    assert at_most(8, FAMILY * 3) == [FAMILY] * 3
    assert at_most(13, FAMILY * 3) == [FAMILY] * 3


def test_split_text_marks_stay_with_their_letter() -> None:
    pieces = at_most(5, "e\u0301" * 10)
    assert all(not piece.startswith("\u0301") for piece in pieces)
    assert "".join(pieces) == "e\u0301" * 10


def test_split_text_that_fits_is_one_span_without_outer_space() -> None:
    assert split_text("  all of it \n", lambda _: True) == [(2, 11)]


def test_split_text_nothing_fits_gives_no_span() -> None:
    assert split_text("text", lambda _: False) == []


def test_split_text_no_white_space_at_all_is_split_by_tokens() -> None:
    text = "x1y2z3" * 17_000
    budget = 500
    spans = split_text(text, lambda piece: count_text(piece) <= budget)
    pieces = [text[start:end] for start, end in spans]
    assert "".join(pieces) == text
    counts = [count_text(piece) for piece in pieces]
    assert max(counts) <= budget
    assert min(counts[:-1]) > budget // 2


PARTS = [
    "a",
    "word ",
    "Ein Satz. ",
    "\n\n",
    "。",
    "日本",
    "😂",
    FAMILY,
    "e\u0301",
    " ",
    "\t",
    "!? ",
]


@settings(max_examples=400, deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=60), budget=st.integers(8, 40))
def test_split_text_any_text_loses_only_white_space_and_fits(parts: list[str], budget: int) -> None:
    text = "".join(parts)
    spans = split_text(text, lambda piece: count_text(piece) <= budget)
    at = 0
    clusters = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    for start, end in spans:
        assert text[at:start].strip() == ""
        assert start < end
        assert text[start:end] == text[start:end].strip()
        assert count_text(text[start:end]) <= budget
        at = end
        if max(map(count_text, regex.findall(r"\X", text))) <= budget:
            assert start in clusters
    assert text[at:].strip() == ""
