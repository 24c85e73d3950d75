"""Tables of contents and headings → sections, in the order of the spine."""

from typing import Any

from resonare_pipeline.books.package import Reason
from tests.books.making import chapters, epub, opened, page


def titles(rows: list[dict[str, Any]]) -> list[str]:
    return [" / ".join(row["path"]) for row in rows]


def test_the_table_of_contents_decides_at_any_depth() -> None:
    contents = (
        "<li><a href='a.xhtml'>Part</a><ol><li><a href='a.xhtml#c1'>One</a><ol>"
        "<li><a href='a.xhtml#s'>Deep</a><ol><li><a href='b.xhtml'>Deeper</a></li></ol></li></ol>"
        "</li></ol></li><li><span>Appendices</span><ol><li><a href='c.xhtml'>Tables</a></li></ol>"
        "</li>"
    )
    documents = {
        "a.xhtml": "<h1>Part</h1><p>intro</p><section id='c1'><h2>One</h2><p>x</p></section>"
        "<h3 id='s'>Deep</h3><p>y</p>",
        "b.xhtml": "<p>z</p>",
        "c.xhtml": "<p>t</p>",
    }
    rows = chapters(epub(documents, contents=contents), depth=1).rows
    assert titles(rows) == [
        "Part",
        "Part / One",
        "Part / One / Deep",
        "Part / One / Deep / Deeper",
        "Appendices / Tables",
    ]
    assert [row["level"] for row in rows] == [1, 2, 3, 4, 2]
    assert rows[2]["text"] == "### Deep\n\ny"
    assert [row["anchor"] for row in rows] == ["", "c1", "s", "", ""]
    assert [row["file"][4:5] for row in rows] == ["a", "a", "a", "b", "c"]


def test_a_part_that_begins_with_its_chapter_makes_no_empty_row() -> None:
    contents = "<li><a href='a.xhtml'>Part</a><ol><li><a href='a.xhtml'>One</a></li></ol></li>"
    rows = chapters(epub({"a.xhtml": "<h1>One</h1><p>x</p>"}, contents=contents)).rows
    assert titles(rows) == ["Part / One"]


def test_headings_begin_sections_below_those_of_the_contents() -> None:
    contents = "<li><a href='a.xhtml'>One</a></li><li><a href='b.xhtml'>Two</a></li>"
    documents = {
        "a.xhtml": "<h2>Chapter 1</h2><h3>One</h3><p>x</p><h3>A</h3><p>a</p><h4>B</h4><p>b</p>"
        "<h5>C</h5><p>c</p>",
        "b.xhtml": "<p>no heading</p><h2>D</h2><p>d</p>",
    }
    rows = chapters(epub(documents, contents=contents), depth=3).rows
    assert titles(rows) == ["One", "One / A", "One / A / B", "Two", "Two / D"]
    assert rows[0]["text"] == "# Chapter 1\n\n## One\n\nx"
    assert rows[2]["text"] == "### B\n\nb\n\n#### C\n\nc"


def test_without_contents_headings_and_documents_decide() -> None:
    documents = {
        "a.xhtml": page("<p>cover text</p>", title="Cover"),
        "b.xhtml": "<h1>I</h1><p>x</p><h2>A</h2><p>y</p>",
        "c.xhtml": "<p>goes on</p>",
        "d.xhtml": "<h1>II</h1><p>z</p>",
    }
    rows = chapters(epub(documents)).rows
    assert titles(rows) == ["Cover", "I", "I / A", "II"]
    assert [row["kind"] for row in rows] == ["front", "body", "body", "body"]
    assert rows[2]["text"].endswith("goes on")


def test_an_ncx_serves_where_there_is_no_nav() -> None:
    ncx = (
        "<ncx xmlns='http://www.daisy.org/z3986/2005/ncx/'><navMap><navPoint><navLabel><text>One"
        "</text></navLabel><content src='a.xhtml'/><navPoint><navLabel><text>Sub</text></navLabel>"
        "<content src='a.xhtml#s'/></navPoint></navPoint></navMap></ncx>"
    )
    manifest = "<item id='ncx' href='toc.ncx' media-type='application/x-dtbncx+xml'/>"
    book = epub(
        {"a.xhtml": "<p>x</p><p><a id='s'/>y</p>"}, manifest=manifest, extra={"OPS/toc.ncx": ncx}
    )
    assert titles(chapters(book).rows) == ["One", "One / Sub"]


def test_kinds_come_from_types_and_titles() -> None:
    documents = {
        "a.xhtml": page("<p>x</p>", attributes="epub:type='frontmatter dedication'"),
        "b.xhtml": "<h1>Preface</h1><p>x</p>",
        "c.xhtml": "<section epub:type='chapter'><h1>Indexing</h1><p>x</p></section>",
        "d.xhtml": "<section epub:type='backmatter index'><h1>Words</h1><p>x</p></section>",
        "e.xhtml": "<h1>Sachregister</h1><p>x</p>",
        "f.xhtml": "<h1>Appendix A</h1><p>x</p>",
        "g.xhtml": "<section epub:type='endnotes'><p>x</p></section>",
    }
    kinds = [row["kind"] for row in chapters(epub(documents)).rows]
    assert kinds == ["front", "front", "body", "index", "index", "back", "notes"]


def test_what_is_not_linear_comes_last_and_is_marked() -> None:
    documents = {"a.xhtml": "<h1>A</h1><p>x</p>", "b.xhtml": "<p>aside</p>", "c.xhtml": "<p>y</p>"}
    rows = chapters(epub(documents, linear={"b.xhtml": "no"})).rows
    assert [(row["linear"], row["text"]) for row in rows] == [
        (True, "# A\n\nx\n\ny"),
        (False, "aside"),
    ]


def test_spans_are_places_in_the_text_of_the_book() -> None:
    rows = chapters(epub({"a.xhtml": "<h1>A</h1><p>x</p><h1>B</h1><p>𝄞</p>"})).rows
    whole = "\n\n".join(row["text"] for row in rows)
    assert [whole[row["start"] : row["end"]] for row in rows] == [row["text"] for row in rows]


def test_a_group_of_headings_is_one_title() -> None:
    body = "<hgroup><h2>I</h2><p>Appearance</p></hgroup><p>x</p>"
    rows = chapters(epub({"a.xhtml": body})).rows
    assert (rows[0]["title"], rows[0]["text"]) == ("I: Appearance", "# I: Appearance\n\nx")


def test_titles_hold_no_markup_and_no_notes() -> None:
    call = "<a epub:type='noteref' href='#n'>1</a>"
    body = f"<h1>On <em>x*</em>{call}</h1><p>t</p><aside id='n'>N.</aside>"
    rows = chapters(epub({"a.xhtml": body})).rows
    assert rows[0]["title"] == "On x*"
    assert rows[0]["text"] == "# On *x\\**[^1]\n\n[^1]: N.\n\nt"


def test_titles_hold_no_addresses() -> None:
    body = (
        "<h1>On <a href='https://example.org/a_(b)'>Wikis</a> <img src='a.png' alt='old'/> "
        "<a href='https://example.org'>https://example.org</a></h1><p>t</p>"
    )
    row = chapters(epub({"a.xhtml": body})).rows[0]
    assert row["title"] == "On Wikis old https://example.org"
    assert "[Wikis](https://example.org/a_%28b%29)" in row["text"]


def test_a_title_on_a_page_that_is_an_image_begins_the_text_after_it() -> None:
    contents = "<li><a href='a.xhtml'>One</a></li><li><a href='t.xhtml'>Two</a></li>"
    documents = {
        "a.xhtml": "<h1>One</h1><p>x</p>",
        "t.xhtml": "<img src='two.png' alt='Two'/>",
        "b.xhtml": "<p>y</p>",
        "c.xhtml": "<p>z</p>",
    }
    rows = chapters(epub(documents, contents=contents)).rows
    assert [(row["path"], row["text"]) for row in rows] == [
        (["One"], "# One\n\nx"),
        (["Two"], "y\n\nz"),
    ]


def test_what_is_left_out_has_a_reason() -> None:
    manifest = (
        "<item id='m' href='gone.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='r' href='https://example.org/x.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='i' href='x.png' media-type='image/png'/><item id='none'/>"
        "<item id='s' href='x.mp3' media-type='audio/mpeg'/>"
    )
    spine = (
        "<spine><itemref idref='m'/><itemref idref='r'/><itemref idref='i'/><itemref idref='u'/>"
        "<itemref idref='s'/>"
        "<itemref idref='d0'/><itemref idref='d1'/><itemref idref='d0'/></spine>"
    )
    book = epub({"a.xhtml": "<p>x</p>", "b.xhtml": "<div/>"}, manifest=manifest, spine=spine)
    made = chapters(book)
    assert [row["text"] for row in made.rows] == ["x"]
    assert dict(made.left_out) == {
        "gone.xhtml": Reason.MISSING,
        "https://example.org/x.xhtml": Reason.REMOTE,
        "x.png": Reason.IMAGE,
        "x.mp3": Reason.NOT_TEXT,
        "u": Reason.MISSING,
        "a.xhtml": Reason.REPEATED,
        "OPS/b.xhtml": Reason.NO_TEXT,
    }


def test_a_broken_table_of_contents_is_none() -> None:
    book = epub({"a.xhtml": "<h1>A</h1><p>x</p>"}, contents="<li>", extra={"OPS/nav.xhtml": b""})
    assert titles(chapters(book).rows) == ["A"]
    assert opened(book).package.notices == ["table of contents OPS/nav.xhtml: it is empty"]
