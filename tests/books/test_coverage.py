"""Words of chapters held against words of documents: what is lost or doubled is seen."""

import pytest

from resonare_pipeline.books.coverage import Coverage, measure
from resonare_pipeline.books.words import word_count
from tests.books.making import MATH, chapters, epub, opened

BODY = (
    "<h1>A title</h1><p>10<sup>-3</sup> of H<sub>2</sub>O, 5$ and $x^2$, \\(y\\)</p>"
    "<ol start='3'><li>one<br/>two</li></ol><table><tr><th>a|b</th><td>c</td></tr></table>"
    "<pre>x = 1</pre><p>see <a href='https://example.org/long'>here</a></p>"
    f"<p>漢字 <ruby>仮<rt>か</rt></ruby> <math xmlns='{MATH}'><mi>x</mi></math></p>"
    "<p hidden=''>unseen</p><figure><img src='a.png' alt='A cat'/></figure>"
)


def coverage(change: tuple[str, str] = ("", ""), body: str = BODY) -> Coverage:
    content = epub({"a.xhtml": body})
    made = chapters(content)
    for row in made.rows:
        row["text"] = row["text"].replace(*change, 1)
    return measure(opened(content), made)


def test_a_book_that_is_kept_whole_has_no_difference() -> None:
    found = coverage()
    assert (found.lost, found.doubled) == (0, 0)
    assert (found.formulas, found.written) == (1, 1)
    assert found.words > 25


@pytest.mark.parametrize(
    ("change", "lost", "doubled"),
    [(("title", ""), 1, 0), (("one", "one one"), 0, 1), (("here", "there"), 1, 1)],
)
def test_a_word_that_is_lost_or_doubled_is_seen(
    change: tuple[str, str], lost: int, doubled: int
) -> None:
    found = coverage(change)
    assert (found.lost, found.doubled) == (lost, doubled)


def test_addresses_that_are_read_are_words_and_targets_are_none() -> None:
    body = (
        "<p>see <a href='https://example.org/one'>https://example.org/one</a> and "
        "<a href='https://example.org/a_(b)/two'>here</a> <img src='../a b (1).png' alt='A cat'/>"
        "</p>"
    )
    found = coverage(body=body)
    assert (found.lost, found.doubled) == (0, 0)
    text = chapters(epub({"a.xhtml": body})).rows[0]["text"]
    assert text.endswith(
        "[here](https://example.org/a_%28b%29/two) ![A cat](../a%20b%20%281%29.png)"
    )
    assert word_count("[here](https://example.org/two) ![A cat](OPS/images/page-7.png)") == 3
    assert word_count(r"\[a\](b)") == 2


def test_numbers_and_letters_of_lists_are_no_words_beyond_the_book() -> None:
    items = "<li>x</li>" * 40
    lists = f"<ol type='a'>{items}</ol><p>1. or</p><ol type='I'>{items}</ol>"
    numbers = f"<ol start='9'>{items}<li/></ol>"
    table = f"<table><tr><th>1. t</th></tr><tr><td>{numbers}</td></tr></table>"
    found = coverage(body=lists + table)
    assert (found.lost, found.doubled) == (0, 0)
    assert found.words > 240


def test_labels_of_many_notes_are_no_words_and_notes_that_are_lost_are_seen() -> None:
    calls = "".join(f"<p>w<a epub:type='noteref' href='#n{n}'>*</a></p>" for n in range(300))
    notes = "".join(f"<aside id='n{n}'>five words are in it</aside>" for n in range(300))
    found = coverage(body=calls + notes)
    assert (found.lost, found.doubled) == (0, 0)
    gone = coverage(change=("five words are in it", ""), body=calls + notes)
    assert gone.lost == 5
    assert coverage(body="<p>a <code>[^abc]</code></p>").lost == 0


def test_titles_of_drawings_are_not_seen() -> None:
    found = coverage(body="<p>x</p><svg><title>t u</title><desc>v</desc><text>w</text></svg>")
    assert (found.words, found.lost, found.doubled) == (2, 0, 0)


def test_words_are_counted_in_bounded_time_and_ideographs_by_themselves() -> None:
    assert word_count("don't 3.14 e-mail 漢字 a b") == 7
    assert word_count("." * 200_000 + " > " * 100_000 + "-" * 100_000) == 0


@pytest.mark.parametrize(
    "image",
    [
        '<img src="i.png" class="math" alt="x_{i} + y^2"/>',
        '<img src="i.png" class="mwe-math-fallback-image-inline" alt="\\frac{a}{b}"/>',
        '<img src="i.png" class="latex" alt="$x_1$"/>',
        '<img src="i.png" alt="$a+b$"/>',
        '<img src="i.png" alt="\\(a\\) and \\[b\\]"/>',
        '<img src="i.png" alt="Graph of $f(x)$"/>',
        '<img src="i.png" alt="a $5 bill beside a $10 bill [sic]"/>',
    ],
)
def test_what_images_are_said_to_show_is_neither_lost_nor_doubled(image: str) -> None:
    page = f"<h1>One</h1>{f'<p>Look {image} here.</p>' * 40}"
    found = coverage(body=page)
    assert (found.lost, found.doubled) == (0, 0)
