"""MathML → LaTeX."""

import pytest

from resonare_pipeline.books.math.latex import to_latex
from resonare_pipeline.books.trees import find, parse_xml


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
        ("<mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac>", r"\genfrac{}{}{0pt}{}{n}{k}"),
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
            r"\left\{ \begin{array}{l} a \end{array} \right.",
        ),
        (
            "<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>",
            "{}^{14}C_{6}",
        ),
        ("<menclose notation='box'><mi>x</mi></menclose>", r"\boxed{x}"),
        (
            "<mstyle displaystyle='true'><mi>x</mi></mstyle><mspace width='1em'/><mi>y</mi>",
            r"x\quad y",
        ),
        ("<unknown><mi>x</mi><mi>y</mi></unknown>", "xy"),
        ("<mfrac><mi>a</mi></mfrac>", r"\frac{a}{}"),
        ("<mfrac><mi>a</mi><mi>b</mi><mi>c</mi></mfrac>", r"\frac{a}{bc}"),
        ("<apply><plus/><ci>a</ci><cn>2</cn></apply>", r"\operatorname{plus}\left( a, 2 \right)"),
        ("bare text", "bare text"),
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
