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


def coverage(change: tuple[str, str] = ("", "")) -> Coverage:
    content = epub({"a.xhtml": BODY})
    texts = [row["text"].replace(*change) for row in chapters(content).rows]
    return measure(opened(content), texts, notes=0, titles=0)


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


def test_words_are_counted_in_bounded_time_and_ideographs_by_themselves() -> None:
    assert word_count("don't 3.14 e-mail 漢字 a b") == 7
    assert word_count("." * 200_000 + " > " * 100_000 + "-" * 100_000) == 0
