"""XHTML → Markdown: nothing is lost, nothing stands twice, and structure is kept."""

import pytest

from tests.books.making import MATH, markdown


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<div><p>Once.</p></div>", "Once."),
        ("<div>bare <p>inside</p> after</div>", "bare\n\ninside\n\nafter"),
        ("<p>a <em>b </em><strong>c</strong>d</p>", "a *b* **c**d"),
        ("<p><i>a</i><i>b</i></p>", "*ab*"),
        ("<p>10<sup>-3</sup> of H<sub>2</sub>O, x<sup>2</sup>3</p>", "10^{-3} of H_2O, x^{2}3"),
        ("<p>x<sub>ij</sub> y<sup>n</sup></p>", "x_{ij} y^n"),
        ("<p>1. not a list</p>", "1\\. not a list"),
        ("<p># no heading</p>", "\\# no heading"),
        ("<p>a*b_c _d_ `e` &lt;f&gt; snake_case</p>", "a\\*b_c \\_d\\_ \\`e\\` \\<f> snake_case"),
        ("<p>$5 and $10, 5$</p>", "\\$5 and \\$10, 5\\$"),
        (r"<p>so $x_i^2$ and \(a*b\) stay</p>", r"so $x_i^2$ and \(a*b\) stay"),
        (
            r"<p>\begin{align}a &amp;= b*c\\ d\end{align}</p>",
            r"\begin{align}a &= b*c\\ d\end{align}",
        ),
        ("<p>one<br/>two<br/></p>", "one  \ntwo"),
        (
            "<p>see <a href='https://example.org/a_(b)'>it</a></p>",
            "see [it](https://example.org/a_%28b%29)",
        ),
        ("<p>see <a href='two.xhtml#x'>it</a></p>", "see it"),
        (
            "<p><a href='https://example.org/?a=1&amp;b=&lt;'>x</a> "
            "<img src='a' alt='A &amp;lt; B'/></p>",
            "[x](https://example.org/?a=1&b=<) ![A \\&lt; B](a)",
        ),
        ("<div id='s'><p>a <a href='#s'>¶</a><a href='#n'>¶</a></p></div>", "a ¶"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<p><code>a*b  c</code> <code>`x`</code></p>", "`a*b c` `` `x` ``"),
        ("<p>漢字\n仮名</p>", "漢字仮名"),
        ("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby></p>", "漢（かん）"),
        ("<p>a<wbr/>b&nbsp;c&shy;d</p>", "ab\u00a0c\u00add"),
        ("<p>שלום <b>עולם</b></p>", "שלום **עולם**"),
        ("<hr/>", "---"),
        ("<p><q>a</q></p>", "“a”"),
        ("<p>[^1] and [a](b)</p>", "\\[^1] and [a\\](b)"),
    ],
)
def test_inline_and_paragraphs(body: str, expected: str) -> None:
    assert markdown(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c"),
        ("<ol start='9'><li>a</li><li>b<ol><li>c</li></ol></li></ol>", "9. a\n10. b\n    1. c"),
        ("<ol><li value='4'>a</li><li>b</li></ol>", "4. a\n5. b"),
        ("<ol reversed=''><li>a</li><li>b</li></ol>", "2. a\n1. b"),
        ("<ol type='a' start='27'><li>a</li></ol>", "aa. a"),
        ("<ol type='I' start='4'><li>a</li></ol>", "IV. a"),
        ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "- a\n\n  b\n\n- c"),
        ("<ul>stray<li>a</li></ul>", "- stray\n- a"),
        (
            "<dl><dt>T</dt><dd>one</dd><dd><p>two</p><p>more</p></dd><dt>U</dt><dd>x</dd></dl>",
            "T\n:   one\n:   two\n\n    more\n\nU\n:   x",
        ),
        ("<dl><dd>alone</dd></dl>", "alone"),
        ("<dl><div><dt>T</dt><dd>one</dd></div></dl>", "T\n:   one"),
        ("<ol><li><pre><code>x\n  y</code></pre></li></ol>", "1. ```\n   x\n     y\n   ```"),
    ],
)
def test_lists(body: str, expected: str) -> None:
    assert markdown(body) == expected


def test_tables_keep_spans_headers_and_captions() -> None:
    body = (
        "<table><caption>Table 1</caption><thead><tr><th rowspan='2'>N</th><th colspan='2'>AB</th>"
        "</tr><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td rowspan='2'>1</td><td>x|y</td>"
        "<td><p>p</p><p>q</p></td></tr><tr><td colspan='2'>z</td></tr></tbody></table>"
    )
    assert markdown(body).split("\n") == [
        "Table 1",
        "",
        "| N | AB<br>A | B |",
        "| --- | --- | --- |",
        "| 1 | x\\|y | p<br>q |",
        "|  | z |  |",
    ]


def test_a_table_that_only_lays_out_a_page_becomes_its_content() -> None:
    body = (
        "<table role='presentation'><tr><td><p>a</p></td><td><ul><li>b</li></ul></td></tr></table>"
    )
    assert markdown(body) == "a\n\n- b"


def test_a_formula_in_a_table_holds_no_bar() -> None:
    formula = f"<math xmlns='{MATH}'><mo>|</mo><mi>x</mi><mo>|</mo></math>"
    body = f"<table><tr><th>a</th></tr><tr><td>{formula}</td><td>b</td></tr></table>"
    assert r"| $\vert x\vert $ | b |" in markdown(body)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "<tr><td colspan='1000'>a</td></tr><tr><td>b</td><td>c</td></tr>",
            ["|  |  |", "| --- | --- |", "| a |  |", "| b | c |"],
        ),
        (
            "<tr><td colspan='2'>a</td><td colspan='3'>b</td></tr>"
            "<tr><td colspan='3'>c</td><td colspan='2'>d</td></tr>",
            ["|  |  |  |", "| --- | --- | --- |", "| a | b |  |", "| c |  | d |"],
        ),
        (
            "<tbody><tr><td rowspan='0'>a</td><td>b</td></tr><tr><td>c</td></tr></tbody>"
            "<tbody><tr><td>d</td><td>e</td></tr></tbody>",
            ["|  |  |", "| --- | --- |", "| a | b |", "|  | c |", "| d | e |"],
        ),
        (
            "<thead><tr><th rowspan='65534'>a</th><th>b</th></tr></thead>"
            "<tr><td>c</td><td colspan='abc'>d</td></tr>",
            ["| a | b |", "| --- | --- |", "| c | d |"],
        ),
        (
            "<tr><td colspan='0'>a</td><td colspan='-1'>b</td><td colspan='2px'>c</td></tr>"
            "<tr><td rowspan='-3'>d</td><td rowspan=''>e</td><td>f</td><td>g</td></tr>",
            [
                "|  |  |  |  |",
                "| --- | --- | --- | --- |",
                "| a | b | c |  |",
                "| d | e | f | g |",
            ],
        ),
        (
            "<tr><th>a</th></tr><tr><td><table><tr><td>x</td><td>y</td></tr><tr><td>z</td></tr>"
            "</table></td></tr>",
            ["| a |", "| --- |", "| x; y<br>z |"],
        ),
    ],
)
def test_a_table_has_the_columns_that_its_rows_need(rows: str, expected: list[str]) -> None:
    assert markdown(f"<table>{rows}</table>").split("\n") == expected


def test_a_large_table_keeps_every_cell_in_its_column() -> None:
    groups = "".join(
        f"<tr><td rowspan='9'>g{g}</td><td rowspan='9'>h{g}</td><td>{g}.0</td></tr>"
        + "".join(f"<tr><td>{g}.{row}</td></tr>" for row in range(1, 9))
        for g in range(4_000)
    )
    lines = markdown(f"<table><tr><th>a</th><th>b</th><th>c</th></tr>{groups}</table>").split("\n")
    assert len(lines) == 2 + 4_000 * 9
    assert lines[-9:-7] == ["| g3999 | h3999 | 3999.0 |", "|  |  | 3999.1 |"]
    assert {line.count("|") for line in lines} == {4}


@pytest.mark.parametrize(
    "rows",
    [
        "<tr>" + "<td colspan='1000'>x</td>" * 1_000 + "</tr>" + "<tr><td/><td>y</td></tr>" * 1_000,
        "<tr>" + "<td rowspan='0'>x</td>" * 1_000 + "</tr>" + "<tr><td>y</td></tr>" * 2_000,
        ("<tr>" + "<td rowspan='65534' colspan='1000'>x</td>" * 9 + "</tr>") * 300,
        "<tr>" + "<td>x</td>" * 2_000 + "</tr>" + "<tr><td colspan='1999'/><td>y</td></tr>" * 3_000,
    ],
)
def test_spans_are_no_way_to_fill_memory(rows: str) -> None:
    assert len(markdown(f"<table><tr><th>h</th></tr>{rows}</table>")) < 8_000_000


def test_huge_spans_are_no_way_to_fill_memory() -> None:
    row = "<tr>" + "<td colspan='1000' rowspan='65000'>x</td>" * 50 + "</tr>"
    assert len(markdown(f"<table><tr><th>h</th></tr>{row * 20}</table>")) < 5_000_000


@pytest.mark.parametrize(
    ("attributes", "language"),
    [
        ("<pre class='language-python'>{}</pre>", "python"),
        ("<pre><code class='lang-c++'>{}</code></pre>", "c++"),
        ("<pre class='sourceCode haskell'>{}</pre>", "haskell"),
        ("<pre data-language='R'>{}</pre>", "r"),
        ("<pre class='brush: js'>{}</pre>", "js"),
        ("<pre>{}</pre>", ""),
    ],
)
def test_code_keeps_its_white_space_and_language(attributes: str, language: str) -> None:
    code = "def f(x):\n\treturn  x*2 <br/>\n\n    # $a$ end"
    expected = f"```{language}\ndef f(x):\n\treturn  x*2 \n\n\n    # $a$ end\n```"
    assert markdown(attributes.format(code)) == expected


def test_code_that_holds_fences_has_a_longer_one() -> None:
    assert markdown("<pre>```\nx\n```</pre>") == "````\n```\nx\n```\n````"


def test_verse_keeps_its_lines_and_stanzas() -> None:
    body = (
        "<div class='poem'><div class='stanza'><span>a</span>\n<span>b</span></div>"
        "<div class='stanza'><span class='i0'>c<br/></span><span class='i1'>d<br/></span></div>"
        "</div>"
    )
    assert markdown(body) == "a  \nb\n\nc  \nd"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "<div class='linegroup'><div>a,<span class='lnum'>10</span></div>\n<div>b</div></div>",
            "a,  \nb",
        ),
        (
            "<div class='poem'><p class='line'>a</p><p class='line'>b</p></div><p>c</p>",
            "a  \nb\n\nc",
        ),
        ("<div class='poem'><p>a<br/>b</p><p>c<br/>d</p></div>", "a  \nb\n\nc  \nd"),
        ("<div class='poem'><p>a stanza</p><p>another</p></div>", "a stanza\n\nanother"),
        (
            "<div class='poem'><div class='stanza'><p>a</p><p>b</p></div>"
            "<div class='stanza'><p>c</p><p>d</p></div></div>",
            "a  \nb\n\nc  \nd",
        ),
        ("<div class='verse'><h2>T</h2><div>a</div></div>", "# T\n\na"),
        (
            "<div class='linegroup'><div>a</div><div>b</div>"
            "<blockquote><div><div>c</div><div>d</div></div></blockquote><div>e</div></div>",
            "a  \nb\n\n> c  \n> d\n\ne",
        ),
        ("<p>\u00a0<br/>a\u00a0\u00a0 <br/>b</p>", "a  \nb"),
        ("<p>a<br/>\u00a0<br/>b<br/>\u00a0\u00a0c</p>", "a\n\nb  \n\u00a0\u00a0c"),
    ],
)
def test_lines_of_verse_are_lines_of_a_stanza(body: str, expected: str) -> None:
    assert markdown(body) == expected


def test_figures_keep_alternative_text_and_caption() -> None:
    body = "<figure><img src='../OPS/a.png' alt='A [cat]'/><figcaption>Fig. 1</figcaption></figure>"
    assert markdown(body) == "![A [cat]](../OPS/a.png)\n\nFig. 1"


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden=''>x</p>",
        "<div aria-hidden='true'><p>x</p></div>",
        "<p style='display: none'>x</p>",
        "<script>x</script>",
        "<nav><p>x</p></nav>",
        "<span epub:type='pagebreak' id='p12' title='12'>12</span>",
        "<span class='pagenum'>[Pg 12]</span>",
        "<p><span class='linenum'>15</span></p>",
        "<div class='related-links'><p>Next topic: <a href='b.xhtml'>B</a></p></div>",
        "<!-- x --><?x y?>",
    ],
)
def test_what_a_reader_does_not_see_is_left_out(hidden: str) -> None:
    assert markdown(f"<p>a</p>{hidden}<p>b</p>") == "a\n\nb"


def test_a_page_number_in_a_word_does_not_part_it() -> None:
    assert markdown("<p>cow<span class='pagenum'>{21}</span>bells</p>") == "cowbells"


def test_a_switch_gives_mathml_or_its_default_and_never_both() -> None:
    case = (
        f"<epub:case required-namespace='{MATH}'><math xmlns='{MATH}'><mi>x</mi></math></epub:case>"
    )
    default = "<epub:default><p>an ex</p></epub:default>"
    assert markdown(f"<epub:switch>{case}{default}</epub:switch>") == "$x$"
    other = "<epub:case required-namespace='urn:other'><p>no</p></epub:case>"
    assert markdown(f"<epub:switch>{other}{default}</epub:switch>") == "an ex"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("d4p_eqn_block", "$$x$$"), ("equation", "$$x$$"), ("display-math", "$$x$$"), ("p", "$x$")],
)
def test_a_paragraph_for_a_formula_alone_is_a_displayed_one(name: str, expected: str) -> None:
    formula = f"<math xmlns='{MATH}'><mi>x</mi></math>"
    assert markdown(f"<p class='{name}'> {formula} </p>") == expected
    assert markdown(f"<p class='{name}'>so {formula}</p>") == "so $x$"


def test_an_image_of_a_formula_is_its_tex() -> None:
    assert (
        markdown(r"<p>so <img class='math' src='a.png' alt='\frac{a}{b}'/></p>")
        == r"so $\frac{a}{b}$"
    )
