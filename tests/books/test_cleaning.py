"""Rules mend text, each by itself, and touch neither code nor formulas."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonare_pipeline.books.cleaning.cleaning import NAMES, clean
from resonare_pipeline.books.cleaning.rules import EXAMPLES
from resonare_pipeline.books.cleaning.segments import protected

BOOK = "information information information hello hello hello the inter of a “x” “y” “z” ’s"


def cleaned(
    text: str, *, language: str = "en", off: tuple[str, ...] = (), rest: str = BOOK
) -> tuple[str, dict[str, int]]:
    made = clean([text, rest], ["A Title"], language, off=off)
    return made.texts[0], {name: tally.count for name, tally in made.tallies.items() if tally.count}


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("mojibake", "cafÃ© au lait", "café au lait"),
        ("ligatures", "ﬁnal eﬃcient ﬂow", "final efficient flow"),
        ("composition", "cafe\u0301", "caf\u00e9"),
        ("line_hyphens", "infor- mation", "information"),
        ("line_hyphens", "infor\u00admation", "information"),
        ("broken_words", "infor mation", "information"),
        ("digits_in_numbers", "in 2O15 and 1l5, 3.l4", "in 2015 and 115, 3.14"),
        ("digits_in_words", "he1lo inf0rmation heIlo", "hello information hello"),
        ("quotes", '"Yes," he said. It\'s so.', "“Yes,” he said. It’s so."),
        ("quotes", "so \\`\\`called'' x", "so “called” x"),
        ("dashes", "one--two, 10--12 -- so", "one—two, 10–12 — so"),
        ("spaces", "a\u200bb  c\u00a0 d , e .", "ab c d, e."),
        (
            "spaces",
            "by $x$ , where ( $y$ ) , the $z$ -axis .",
            "by $x$, where ($y$), the $z$-axis.",
        ),
        ("spaces", "Theorem\u00a0HSC, $x$\u00a0km, the\u00a0$x$", "Theorem HSC, $x$ km, the $x$"),
        ("spaces", "(i.e.\u00a0 $x$\u00a0 or)", "(i.e. $x$ or)"),
        ("spaces", "is it $x$ ? Or `y` ;", "is it $x$? Or `y`;"),
        ("spaces", "see ( Appendix A ) and [ 26]", "see (Appendix A) and [26]"),
        ("powers", "10⁻³ m² H₂O 5 x 10^{-3}", "10^{-3} m^2 H_2O 5 × 10^{-3}"),
        ("units", "20 ℃, 20ºC, 5 μm, 10kg", "20 °C, 20 °C, 5 µm, 10 kg"),
    ],
)
def test_each_rule_mends_what_it_is_for_and_can_be_switched_off(
    rule: str, before: str, after: str
) -> None:
    made, counts = cleaned(before)
    assert made == after
    assert counts[rule] > 0
    unmade, without = cleaned(before, off=(rule,))
    assert unmade != after
    assert rule not in without


@pytest.mark.parametrize(
    "text",
    [
        "well- known and pre- and post-war",  # not in the book, and a suspended hyphen
        "a lot of it, the inter of a",
        "|  | x |  |\n| --- | --- | --- |\n| a |  |  |",
        "O2 and CO2, I10, B12, x1, Figure 1a, HO1O",
        '5\'10" tall and an unpaired " here',
        "--- and a list\n\n- a\n- b\n\n---\n\n| a | b |\n| --- | --- |\n| c | d |",
        "1. one\n   more\n\n    four",
        "line one  \nline two",
        "a note¹ here, word² there",
        '$10⁻³ "x" -- ﬁ$ and `a  b "c" -- ﬁ` and \\(x  --  y\\)',
        '```python\nx  =  "ﬁ"  -- 10⁻³\n```',
        '[a](http://x.org/a--b_"ﬁ") <https://x.org/a--b> https://x.org/a--b',
        "see[^1] and\n\n[^1]: note",
        "... and so on . . . more, $x$ ... and $y$ . . . or $a$ -b",
        "- [ ] open\n- [x] done",
        "",
    ],
)
def test_what_is_right_stays(text: str) -> None:
    assert cleaned(text)[0] == text


def test_quotes_and_dashes_follow_the_language() -> None:
    assert cleaned('er "sagte" -- so', language="de", rest="„a“ „b“")[0] == "er „sagte“ – so"
    assert cleaned("il « dit » : oui !", language="fr")[0] == "il « dit » : oui !"


def test_straight_quotes_stay_where_the_book_has_them_throughout() -> None:
    assert cleaned('"Yes," he said.', rest='"a" "b"')[0] == '"Yes," he said.'


def test_a_running_head_inside_sentences_goes_and_they_are_joined() -> None:
    page = "a sentence that goes\n\n12 A TITLE\n\non and stops at\n\nA Title 13\n\nlast."
    made, counts = cleaned(page)
    assert made == "a sentence that goes on and stops at last."
    assert counts["running_heads"] == 2


def test_a_title_that_stands_by_itself_stays() -> None:
    text = "A sentence.\n\nA Title\n\nAnother.\n\nA Title\n\nmore"
    assert cleaned(text)[0] == text


def test_ten_examples_are_kept_of_many_changes() -> None:
    text = " ".join(f"w{chr(97 + n)}ﬁx" for n in range(25))
    tallies = clean([text], [], "en").tallies
    assert tallies["ligatures"].count == 25
    assert len(tallies["ligatures"].examples) == EXAMPLES
    before, after = tallies["ligatures"].examples[0]
    assert "ﬁ" in before
    assert before.replace("ﬁ", "fi", 1) == after


def test_a_rare_word_beside_a_usual_one_is_no_half_of_a_word() -> None:
    rest = "under under under under under underground underground underground ag ain again again"
    assert cleaned("under ground and ag ain again", rest=rest)[0].startswith("under ground")


def test_titles_are_cleaned_as_texts_are() -> None:
    titles = ["1  Eﬃcient infor- mation", "The “he1lo” -- 10kg", "2. In 2O15", "\u200b", "A b"]
    made = clean([BOOK], titles, "en")
    assert list(made.titles) == titles
    assert list(made.titles.values()) == [
        "1 Efficient information",
        "The “hello” — 10 kg",
        "2. In 2015",
        "\u200b",
        "A b",
    ]


def test_a_running_head_is_known_by_its_title_as_it_was_and_as_it_is() -> None:
    page = "a sentence that goes\n\n{}\n\non and stops at\n\n{}\n\nlast."
    for heads in (("eﬃcient words", "eﬃcient words"), ("efficient words", "efficient words")):
        made = clean([page.format(*heads), BOOK], ["Eﬃcient Words"], "en")
        assert made.texts[0] == "a sentence that goes on and stops at last."


def test_all_rules_have_a_meaning() -> None:
    assert len(NAMES) == 13
    assert all(meaning.endswith(".") for meaning in NAMES.values())


PIECES = st.sampled_from(
    [
        *"abIl0O1 \n\"'`$*_-–—.,:^{}|#>~\\",
        *("  \n", "\n\n", "ﬁ", "é", "e\u0301", "Ã©", "\u00ad", "\u00a0", "\u200b", "⁻³", "₂"),
        *("10", "kg", "℃", "infor", "mation", "information", "A Title", "``", "''", "--", "```\n"),
        *("$x$", "\\(y\\)", "[^1]", "](b)", "<https://a.b>", "| --- |", "he1lo", "hello"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join), st.sampled_from(["en", "de", "fr", ""]))
def test_cleaning_twice_is_cleaning_once_and_protects_code_and_formulas(
    text: str, language: str
) -> None:
    title = " ".join(text.split())
    once = clean([text, BOOK], ["A Title", title], language)
    twice = clean(once.texts, once.titles.values(), language)
    assert twice.texts == once.texts
    assert list(twice.titles) == list(twice.titles.values())
    assert not any(tally.count for tally in twice.tallies.values())
    assert protected(once.texts[0]) == protected(text)
