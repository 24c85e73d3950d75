"""Notes stand where they are called, once, and nothing of them is lost."""

from tests.books.making import chapters, epub


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


def test_a_note_is_written_once_and_calls_in_one_section_share_it() -> None:
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
