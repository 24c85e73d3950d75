"""MathML → LaTeX."""

import pytest

from resonare_pipeline.books.math.latex import to_latex
from resonare_pipeline.books.trees import find, parse_xml
from tests.books.making import MATH, markdown


def latex(inside: str, attributes: str = "") -> str:
    content = f'<math xmlns="http://www.w3.org/1998/Math/MathML" {attributes}>{inside}</math>'
    math = find(parse_xml(content.encode(), "formula"), "math")
    assert math is not None
    return to_latex(math)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<mi>x</mi><mo>=</mo><mn>2</mn>", "x = 2"),
        ("<msup><mi>x</mi><mn>2</mn></msup>", "x^{2}"),
        ("<msub><mrow><mi>a</mi><mi>b</mi></mrow><mi>i</mi></msub>", "{ab}_{i}"),
        ("<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mn>2</mn></msup>", "(a)^{2}"),
        ("<msup><mi>f</mi><mo>′</mo></msup>", "f'"),
        ("<mfrac><mi>x</mi><mrow><mi>a</mi><mo>/</mo><mi>b</mi></mrow></mfrac>", r"\frac{x}{a/b}"),
        (
            "<mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac>",
            r"\begin{matrix} n \\ k \end{matrix}",
        ),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt[3]{x}"),
        ("<msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt>", r"\sqrt{a + b}"),
        ("<mi>sin</mi><mo>&#x2061;</mo><mi>x</mi>", r"\sin x"),
        ("<mi>rank</mi><mo>&#x2061;</mo><mi>A</mi>", r"\operatorname{rank}A"),
        ("<mi mathvariant='bold'>v</mi>", r"\mathbf{v}"),
        ("<mi mathvariant='double-struck'>R</mi>", r"\mathbb{R}"),
        ("<mi>ℝ</mi>", r"\mathbb{R}"),
        ("<mi>𝔄</mi><mi>𝐱</mi><mi>𝛼</mi>", r"\mathfrak{A}\mathbf{x}\alpha"),
        ("<mi>α</mi><mi>x</mi>", r"\alpha x"),
        ("<mover><mi>x</mi><mo>¯</mo></mover>", r"\overline{x}"),
        ("<mover><mi>v</mi><mo>→</mo></mover>", r"\vec{v}"),
        ("<mover><mi>x</mi><mo>^</mo></mover>", r"\hat{x}"),
        (
            "<munder><mi>lim</mi><mrow><mi>n</mi><mo>→</mo><mi>∞</mi></mrow></munder>",
            r"\lim_{n \rightarrow \infty}",
        ),
        ("<munder><mrow><mi>a</mi><mi>b</mi></mrow><mo>⏟</mo></munder>", r"\underbrace{ab}"),
        ("<munderover><mo>∑</mo><mn>1</mn><mi>n</mi></munderover>", r"\sum_{1}^{n}"),
        ("<mtext>if x_i is 5%</mtext>", r"\text{if x\_i is 5\%}"),
        ("<mo>{</mo><mi>a</mi><mo>}</mo>", r"\{a\}"),
        ("<mfenced open='[' close=')' separators=';'><mi>a</mi><mi>b</mi></mfenced>", "[a; b)"),
        ("<mfenced><mfrac><mn>1</mn><mn>2</mn></mfrac></mfenced>", r"\left( \frac{1}{2} \right)"),
        ("<mo>(</mo><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>)</mo>", r"\left( \frac{1}{2} \right)"),
        ("<mo>|</mo><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>|</mo>", r"\left| \frac{1}{2} \right|"),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd>"
            "<mtd><mn>4</mn></mtd></mtr></mtable>",
            r"\begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix}",
        ),
        (
            "<mo>{</mo><mtable columnalign='left'><mtr><mtd><mi>a</mi></mtd></mtr></mtable>",
            r"\begin{cases} a \end{cases}",
        ),
        (
            "<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>",
            "{}^{14}C_{6}",
        ),
        (
            "<mtable><mtr><mtd><mi>a</mi></mtd></mtr><mtr><mtd><mo>[</mo><mi>b</mi><mo>]</mo></mtd>"
            "</mtr></mtable>",
            r"\begin{matrix} a \\ {}[b] \end{matrix}",
        ),
        (
            "<mo>[</mo><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable><mo>]</mo>",
            r"\begin{bmatrix} a & b \end{bmatrix}",
        ),
        (
            "<mtable><mtr><mtd columnalign='right'><mi>a</mi></mtd><mtd columnalign='left'>"
            "<mo>=</mo><mi>b</mi><mspace width='2em'/></mtd><mtd/><mtd><mspace width='2em'/></mtd>"
            "</mtr></mtable>",
            r"\begin{aligned} a & = b \end{aligned}",
        ),
        (
            "<mtable columnlines='none solid' rowlines='solid'><mtr><mtd><mi>a</mi></mtd><mtd>"
            "<mi>b</mi></mtd><mtd><mi>c</mi></mtd></mtr><mtr><mtd><mi>d</mi></mtd></mtr></mtable>",
            r"\begin{array}{cc|c} a & b & c \\ \hline d \end{array}",
        ),
        (
            "<mo>(</mo><mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>",
            r"\binom{n}{k}",
        ),
        (
            "<mroot><mi>x</mi><mfenced open='[' close=']'><mi>n</mi></mfenced></mroot>",
            r"\sqrt[{[n]}]{x}",
        ),
        (
            "<mfenced open='\u2329' close='\u232a'><mfrac><mi>a</mi><mi>b</mi></mfrac></mfenced>",
            r"\left\langle \frac{a}{b} \right\rangle",
        ),
        (
            "<mfenced open='%' close='&amp;'><mfrac><mi>a</mi><mi>b</mi></mfrac></mfenced>",
            r"\%\frac{a}{b}\&",
        ),
        (
            "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo><mo>(</mo><mi>b</mi><mo>)</mo></mrow>"
            "<mn>2</mn></msup>",
            "{(a)(b)}^{2}",
        ),
        ("<munder><mi>arg max</mi><mi>x</mi></munder>", r"\operatorname*{arg\,max}_{x}"),
        ("<msup><mn>90</mn><mo>°</mo></msup>", r"90^{\circ}"),
        ("<maction selection='x'><mi>a</mi></maction>", "a"),
        ("<menclose notation='box'><mi>x</mi></menclose>", r"\boxed{x}"),
        (
            "<mstyle displaystyle='true'><mi>x</mi></mstyle><mspace width='1em'/><mi>y</mi>",
            r"x\quad y",
        ),
        ("<unknown><mi>x</mi><mi>y</mi></unknown>", "xy"),
        ("<mfrac><mi>a</mi></mfrac>", r"\frac{a}{}"),
        ("<mfrac><mi>a</mi><mi>b</mi><mi>c</mi></mfrac>", r"\frac{a}{bc}"),
        ("<apply><fold/><ci>a</ci><cn>2</cn></apply>", r"\operatorname{fold}\left( a, 2 \right)"),
        ("bare text", r"\text{bare text}"),
        ("stray<mi>x</mi>", r"\mathrm{stray}x"),
    ],
)
def test_presentation_becomes_latex(inside: str, expected: str) -> None:
    assert latex(inside) == expected


def test_what_the_author_wrote_as_tex_is_taken() -> None:
    annotation = '<annotation encoding="application/x-tex">\\frac{a}{b}</annotation>'
    assert latex(f"<semantics><mi>q</mi>{annotation}</semantics>") == r"\frac{a}{b}"
    assert latex("<mi>q</mi>", r'alttext="{\displaystyle x_{1}}"') == "x_{1}"
    assert latex("<mi>q</mi>", 'alttext="the letter q"') == "q"


def test_a_formula_that_only_its_description_tells_is_not_lost() -> None:
    assert latex("<mrow/>", 'alttext="x over y"') == r"\text{x over y}"
    assert (
        latex(
            "<semantics><annotation-xml><ci>x</ci></annotation-xml></semantics>",
            'alttext="ex"',
        )
        == r"\text{ex}"
    )


APPLIED = {
    "<plus/><ci>a</ci><ci>b</ci><pi/>": r"a + b + \pi",
    "<minus/><ci>a</ci>": "-a",
    "<times/><apply><plus/><ci>a</ci><cn>1</cn></apply><ci>b</ci>": (
        r"\left( a + 1 \right) \cdot b"
    ),
    "<minus/><ci>a</ci><apply><minus/><ci>b</ci><ci>c</ci></apply>": (r"a - \left( b - c \right)"),
    "<power/><apply><plus/><ci>a</ci><ci>b</ci></apply><cn>2</cn>": (r"\left( a + b \right)^{2}"),
    "<divide/><ci>a</ci><infinity/>": r"\frac{a}{\infty}",
    "<root/><degree><cn>3</cn></degree><ci>x</ci>": r"\sqrt[3]{x}",
    "<sin/><ci>x</ci>": r"\sin\left( x \right)",
    "<ci>f</ci><ci>x</ci><ci>y</ci>": r"f\left( x, y \right)",
    "<in/><ci>x</ci><reals/>": r"x \in \mathbb{R}",
    "<abs/><ci>x</ci>": r"\left| x \right|",
    "<sum/><bvar><ci>i</ci></bvar><lowlimit><cn>1</cn></lowlimit><uplimit><ci>n</ci></uplimit>"
    "<ci>i</ci>": r"\sum_{i = 1}^{n} i",
    "<int/><bvar><ci>x</ci></bvar><lowlimit><cn>0</cn></lowlimit><ci>f</ci>": (r"\int_{0} f \, dx"),
    "<limit/><bvar><ci>x</ci></bvar><lowlimit><cn>0</cn></lowlimit><ci>f</ci>": (
        r"\lim_{x \rightarrow 0} f"
    ),
    "<diff/><bvar><ci>x</ci></bvar><ci>f</ci>": r"\frac{d}{dx} f",
    "<forall/><bvar><ci>x</ci></bvar><ci>p</ci>": r"\forall x: p",
    "<moment/><degree><cn>3</cn></degree><ci>X</ci>": (r"\operatorname{moment}\left( 3, X \right)"),
}


@pytest.mark.parametrize(("inside", "expected"), list(APPLIED.items()))
def test_content_that_says_what_is_meant_becomes_latex(inside: str, expected: str) -> None:
    assert latex(f"<apply>{inside}</apply>") == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<set><ci>a</ci><cn>1</cn></set>", r"\left\{ a, 1 \right\}"),
        ("<interval closure='open'><cn>0</cn><cn>1</cn></interval>", "(0, 1)"),
        ("<cn type='rational'>1<sep/>3</cn>", r"\frac{1}{3}"),
        ("<cn type='e-notation'>2<sep/>5</cn>", r"2 \times 10^{5}"),
        ("<ci><msub><mi>x</mi><mn>1</mn></msub></ci>", "x_{1}"),
        (
            "<matrix><matrixrow><cn>1</cn><cn>2</cn></matrixrow></matrix>",
            r"\begin{pmatrix} 1 & 2 \end{pmatrix}",
        ),
        (
            "<piecewise><piece><ci>a</ci><ci>b</ci></piece><otherwise><cn>0</cn></otherwise></piecewise>",
            r"\begin{cases} a & b \\ 0 & \text{otherwise} \end{cases}",
        ),
        ("<exponentiale/>", "e"),
        ("<lambda><bvar><ci>x</ci></bvar><ci>f</ci></lambda>", r"\lambda x, f"),
    ],
)
def test_what_content_is_made_of_becomes_latex(inside: str, expected: str) -> None:
    assert latex(inside) == expected


def test_an_ampersand_in_an_attribute_stays_one() -> None:
    assert latex("<mi>q</mi>", r'alttext="\begin{matrix} a &amp; b \end{matrix}"') == (
        r"\begin{matrix} a & b \end{matrix}"
    )


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<mi>x</mi><mtext>&#xa0;</mtext>", "x"),
        ("<mtext>&#xa0;</mtext><mi>x</mi>", r"\ x"),
        (
            "<mfrac><mrow><mi>x</mi><mtext>&#xa0;</mtext></mrow><mi>y</mi></mfrac>",
            r"\frac{x}{y}",
        ),
        ("<msqrt><mi>x</mi><mo>&#xa0;</mo></msqrt>", r"\sqrt{x}"),
        ("<mo>\\</mo>", r"\backslash"),
        ("<mtext>&#xa0;</mtext>", ""),
    ],
)
def test_space_at_an_end_takes_no_brace_along(inside: str, expected: str) -> None:
    assert latex(inside) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (r"x \text{ if $y$}", r"x \text{ if \(y\)}"),
        (r"x_1 = 5\$", r"x_1 = 5\$"),
        ("x_1 $", r"x_1 \$"),
        ("x_1 % a comment\n+ 50\\%", r"x_1 + 50\%"),
        ("x_1\n\n\n+ 2", "x_1\n+ 2"),
        ("x_1\\ ", "x_1"),
        ("a_1 \\\\", "a_1 \\\\"),
    ],
)
def test_what_the_author_wrote_can_stand_between_dollars(written: str, expected: str) -> None:
    note = f'<annotation encoding="application/x-tex">{written}</annotation>'
    assert latex(f"<semantics><mi>q</mi>{note}</semantics>") == expected


def test_no_bar_of_a_formula_ends_a_cell() -> None:
    row = "<mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>"
    inside = f"<mtable columnlines='solid'>{row}</mtable><mo>|</mo><mtext>x|y</mtext>"
    cell = f"<td><math xmlns='{MATH}'>{inside}</math></td>"
    made = markdown(f"<table><tr><th>h</th></tr><tr>{cell}</tr></table>")
    assert made.splitlines()[-1] == (
        r"| $\begin{array}{cc} a & b \end{array}\vert \text{x}\vert \text{y}$ |"
    )


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('<script type="math/tex">z^2</script>', r"see \(z^2\) end"),
        ('<script type="math/tex; mode=display">a &lt; b</script>', r"see \[a < b\] end"),
        (
            '<script type="math/tex">% <![CDATA[\nx_1\n%]]></script>',
            r"see \(x_1\) end",
        ),
        ('<script type="text/javascript">z^2</script>', "see end"),
    ],
)
def test_formulas_in_scripts_of_mathjax_are_kept_as_tex(script: str, expected: str) -> None:
    assert markdown(f"<p>see {script} end</p>") == expected


def test_formulas_that_touch_one_another_or_a_digit_stay_formulas() -> None:
    math = f"<math xmlns='{MATH}'><mi>x</mi></math>"
    assert markdown(f"<p>a{math}{math}5 and {math}.</p>") == "a$x$ $x$ 5 and $x$."
