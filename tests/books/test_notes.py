"""Notes stand where they are called, in each section that calls them, and none is lost."""

import re

import pytest

from resonare_pipeline.books.chapters import MOST_REPEATED
from resonare_pipeline.books.cleaning.segments import notes_that_do_not_match
from resonare_pipeline.books.coverage import measure
from tests.books.making import chapters, epub, opened

LABEL = re.compile(r"(?<!\\)\[\^[^\]\s]+\]")


def texts(documents: dict[str, str]) -> list[str]:
    return [row["text"] for row in chapters(epub(documents)).rows]


def test_a_note_that_the_book_names_is_moved_to_its_call() -> None:
    body = (
        "<p>a<a id='r' epub:type='noteref' href='#n'>1</a> b</p><p>c</p>"
        "<aside epub:type='footnote' id='n'><p>Note. <a href='#r' epub:type='backlink'>↩</a></p>"
        "<p>More.</p></aside>"
    )
    assert texts({"a.xhtml": body}) == ["a[^1] b\n\n[^1]: Note.\n\n    More.\n\nc"]


def test_notes_at_the_end_of_a_book_go_to_their_chapters() -> None:
    documents = {
        "a.xhtml": "<h1>A</h1><p>x<sup><a id='r1' href='n.xhtml#n1'>1</a></sup></p>",
        "b.xhtml": "<h1>B</h1><p>y<sup><a id='r2' href='n.xhtml#n2'>1</a></sup></p>",
        "n.xhtml": "<section epub:type='endnotes'><h1>Notes</h1><ol><li id='n1'><p>first "
        "<a href='a.xhtml#r1'>↩</a></p></li><li id='n2'><p>second</p></li>"
        "<li id='n3'><p>uncalled</p></li></ol></section>",
    }
    assert texts(documents) == [
        "# A\n\nx[^1]\n\n[^1]: first",
        "# B\n\ny[^1]\n\n[^1]: second",
        "# Notes\n\n3. uncalled",
    ]


def test_links_that_lead_to_one_another_are_a_call_and_a_note() -> None:
    body = (
        "<p>a<a id='FNanchor_1' href='#Footnote_1'>[1]</a></p><p>b<a id='FNanchor_2' "
        "href='#Footnote_2'>[2]</a></p><div class='footnote'><p><a id='Footnote_1' "
        "href='#FNanchor_1'><span>[1]</span></a> one</p><p>more</p></div><div class='footnote'>"
        "<p><a id='Footnote_2' href='#FNanchor_2'>[2]</a> two</p></div>"
    )
    assert texts({"a.xhtml": body}) == ["a[^1]\n\n[^1]: one\n\n    more\n\nb[^2]\n\n[^2]: two"]


def test_numbers_that_lead_to_chapters_are_no_calls() -> None:
    documents = {
        "a.xhtml": "<p><a id='t1' href='b.xhtml#c1'>1</a> <a href='b.xhtml#c2'>2</a></p>",
        "b.xhtml": "<h1 id='c1'><a href='a.xhtml#t1'>1</a></h1><p>x</p><h1 id='c2'>2</h1><p>y</p>",
    }
    assert texts(documents) == ["1 2", "# 1\n\nx", "# 2\n\ny"]


def test_a_note_is_written_once_where_calls_of_one_section_share_it() -> None:
    body = (
        "<p>a<a epub:type='noteref' href='#n'>*</a> b<a epub:type='noteref' href='#n'>*</a></p>"
        "<aside id='n'>N.</aside>"
    )
    assert texts({"a.xhtml": body}) == ["a[^note] b[^note]\n\n[^note]: N."]


def test_a_note_may_call_another_and_two_may_call_one_another() -> None:
    body = (
        "<p>a<a epub:type='noteref' href='#n'>1</a></p>"
        "<aside id='n'>N<a epub:type='noteref' href='#m'>2</a></aside>"
        "<aside id='m'>M<a epub:type='noteref' href='#n'>1</a></aside>"
        "<aside id='p'>P<a epub:type='noteref' href='#q'>3</a></aside>"
        "<aside id='q'>Q<a epub:type='noteref' href='#p'>4</a></aside>"
    )
    text = "\n".join(texts({"a.xhtml": body}))
    assert text.startswith("a[^1]\n\n[^1]: N[^2]\n\n[^2]: M[^1]")
    assert text.endswith("Q4\n\nP3")
    assert [text.count(word) for word in "NMPQ"] == [1, 1, 1, 1]


def test_two_notes_of_one_mark_in_a_section_have_two_labels() -> None:
    documents = {
        "a.xhtml": "<h1>A</h1><p>x<a epub:type='noteref' href='#n'>1</a></p>"
        "<aside id='n'>N</aside>",
        "b.xhtml": "<p>y<a epub:type='noteref' href='#n'>1</a></p><aside id='n'>M</aside>",
    }
    assert texts(documents) == ["# A\n\nx[^1]\n\n[^1]: N\n\ny[^1-2]\n\n[^1-2]: M"]


def test_a_word_that_calls_a_note_stays() -> None:
    body = "<p>a <a epub:type='noteref' href='#n'>word</a></p><aside id='n'>N.</aside>"
    assert texts({"a.xhtml": body}) == ["a word[^note]\n\n[^note]: N."]


def test_a_call_without_a_note_is_text() -> None:
    assert texts({"a.xhtml": "<p>a<a epub:type='noteref' href='#gone'>1</a></p>"}) == ["a1"]


def test_each_section_that_calls_a_note_holds_it() -> None:
    call = "<a epub:type='noteref' href='n.xhtml#n'>*</a>"
    other = "<a epub:type='noteref' href='n.xhtml#m'>1</a>"
    documents = {
        "a.xhtml": f"<h1>A</h1><p>x{call}</p><h2>AA</h2><p>y{call}</p>",
        "b.xhtml": f"<h1>B</h1><p>z{other} and{call}</p>",
        "n.xhtml": f"<aside id='n'>N{other}</aside><aside id='m'>M</aside>",
    }
    content = epub(documents)
    made = chapters(content)
    assert [row["text"] for row in made.rows] == [
        "# A\n\nx[^note]\n\n[^note]: N[^1]\n\n[^1]: M",
        "## AA\n\ny[^note]\n\n[^note]: N[^1]\n\n[^1]: M",
        "# B\n\nz[^1] and[^note]\n\n[^1]: M\n\n[^note]: N[^1]",
    ]
    assert (made.notes, len(made.repeated)) == (2, 4)
    found = measure(opened(content), made)
    assert found.doubled <= found.allowed


def test_a_label_means_one_note_in_all_sections_of_a_chapter() -> None:
    call = "<a epub:type='noteref' href='#{0}'>*</a>"
    body = (
        f"<h1>A</h1><p>x{call.format('n')}</p><h2>AA</h2><p>y{call.format('m')}</p>"
        f"<h2>AB</h2><p>z{call.format('n')}</p><h1>B</h1><p>t{call.format('m')}</p>"
        "<aside id='n'>N</aside><aside id='m'>M</aside>"
    )
    labels = [LABEL.findall(text)[0] for text in texts({"a.xhtml": body})]
    assert labels == ["[^note]", "[^note-2]", "[^note]", "[^note]"]


def test_a_long_note_that_many_sections_call_fills_no_memory() -> None:
    count, note = 40, "long " * 20_000
    body = "".join(
        f"<h1>{number}</h1><p>x<a epub:type='noteref' href='#n'>7</a></p>"
        for number in range(count)
    )
    found = texts({"a.xhtml": f"{body}<aside id='n'>{note}</aside>"})
    assert sum(map(len, found)) < MOST_REPEATED + 3 * len(note)
    assert found[-1] == f"# {count - 1}\n\nx7"


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("<p>[<a href='#r'>1</a>] text</p>", "text"),
        ("<hr/><p><a href='#r'>1</a>. text</p>", "text"),
        ("<p>(1) text</p>", "text"),
        ("<p>1 text</p>", "text"),
        ("<p>1984 was a year</p>", "1984 was a year"),
        ("<p>[sic] text</p>", "[sic] text"),
    ],
)
def test_a_note_begins_without_its_mark(note: str, expected: str) -> None:
    call = "<p>a<a id='r' epub:type='noteref' href='#n'>1</a></p>"
    body = f"{call}<aside epub:type='footnote' id='n'>{note}</aside>"
    assert texts({"a.xhtml": body}) == [f"a[^1]\n\n[^1]: {expected}"]


def test_a_mark_that_is_a_sign_of_markdown_is_taken_from_its_note() -> None:
    body = "<p>a<a id='r' href='#n'>**</a></p><aside id='n'><p><a href='#r'/>** text</p></aside>"
    body = body.replace("id='n'", "epub:type='footnote' id='n'")
    assert texts({"a.xhtml": body}) == ["a[^note]\n\n[^note]: text"]


def _all_books() -> dict[str, dict[str, str]]:
    """Return small books of every way in which notes are written."""
    call = "w<sup><a id='r{0}' href='{1}#n{0}'>{0}</a></sup> "
    calls = "".join(call.format(number, "") for number in range(1, 30))
    away = "".join(call.format(number, "n.xhtml") for number in range(1, 30))
    plain = "".join(
        f"<p class='footnote'><a id='n{n}' href='#r{n}'>{n}</a> note {n}</p>" for n in range(1, 30)
    )
    items = "".join(
        f"<li id='n{n}'>note {n}<a href='a.xhtml#r{n}'>↩</a></li>" for n in range(1, 30)
    )
    spans = "".join(
        f"<span id='n{n}' epub:type='footnote'>n {n} <a href='#r{n}'>b</a></span>"
        for n in range(1, 30)
    )
    ends = f"<section epub:type='endnotes'><ol>{items}</ol></section>"
    chain = "".join(
        f"<aside epub:type='footnote' id='n{n}'>x{call.format(n % 29 + 1, '')}</aside>"
        for n in range(1, 30)
    )
    table = f"<table><tr><th>a</th><td>{calls}</td></tr></table><ul><li>{calls}</li></ul>"
    return {
        "paragraphs": {"a.xhtml": f"<p>{calls}</p>{plain}"},
        "a list at the end": {"a.xhtml": f"<h1>A</h1><p>{away}</p>", "n.xhtml": ends},
        "spans": {"a.xhtml": f"<p>{calls}{spans}</p>"},
        "one after another": {"a.xhtml": f"<p>{call.format(1, '')}</p>{chain}"},
        "in tables, lists and titles": {"a.xhtml": f"<h1>A {calls}</h1>{table}{plain}"},
        "two chapters": {
            "a.xhtml": f"<h1>A</h1><p>{away}</p><h2>AA</h2><p>{away}</p>",
            "b.xhtml": f"<h1>B</h1><p>{away}</p>",
            "n.xhtml": ends,
        },
        "called from nowhere": {"a.xhtml": f"<p>x</p><div hidden=''>{calls}</div>{chain}"},
    }


@pytest.mark.parametrize("name", _all_books())
def test_each_text_defines_the_notes_that_it_calls_and_no_others(name: str) -> None:
    found = texts(_all_books()[name])
    assert [notes_that_do_not_match(text) for text in found] == [set()] * len(found)
    for text in found:
        defined = re.findall(r"^(\[\^[^\]\s]+\]):", text, re.MULTILINE)
        called = LABEL.findall(re.sub(r"^\[\^[^\]\s]+\]:", "", text, flags=re.MULTILINE))
        assert set(called) == set(defined)
        assert len(defined) == len(set(defined))
    labels = sum(len(LABEL.findall(text)) for text in found)
    assert (labels == 0) == (name == "called from nowhere")


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("a[^1]\n\n[^1]: N", set()),
        ("a[^1]: so\n\n[^1]: N[^2]\n\n[^2]: M", set()),
        ("[^1]: N", {"[^1]"}),
        ("a[^1] b[^2]\n\n[^2]: M", {"[^1]"}),
        ("a[^1]: so", {"[^1]"}),
        ("`[^a]` and \\[^1]\n\n```\n[^b]\n```\n\n$[^c]$", set()),
        ("> a[^1]\n\n[^1]: N\n\n    [^2]", {"[^2]"}),
    ],
)
def test_a_label_that_is_called_or_defined_alone_is_found(text: str, alone: set[str]) -> None:
    assert notes_that_do_not_match(text) == alone
