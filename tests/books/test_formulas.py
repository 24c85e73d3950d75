"""Formulas held against pandoc's texmath by their content: what MathML says, LaTeX must say.

LaTeX is read back by pandoc, so a formula that differs is one that we wrote wrongly or that pandoc
reads wrongly. The second kind, and what LaTeX has no means for, stands in a table with its reason.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from resonare_pipeline.books.math.latex import to_latex
from resonare_pipeline.books.trees import find, parse_xml
from tests.books.drawing import Formulas
from tests.books.formulas import MATHML, content, mathml, texmath

CORPUS = Path(__file__).parents[1] / "data" / "books" / "formulas.txt"
SEED = 20
RANDOM_FORMULAS = 3000
LINES = "no sign is lost, but a line that LaTeX has no command for"
STACKED = "texmath gives up; rows below one another keep all signs"
BROKEN = "not valid, texmath gives up; what is too much is kept in the last place"
DIFFERENT = {
    "<mover accent='true'><mi>x</mi><mo>.</mo></mover>": "a full stop above is a dot accent",
    "<munder accentunder='true'><mrow><mi>x</mi><mi>y</mi></mrow><mo>→</mo></munder>": (
        r"pandoc reads \underrightarrow as an arrow above"
    ),
    "<munder accentunder='true'><mrow><mi>x</mi><mi>y</mi></mrow><mo>←</mo></munder>": (
        r"pandoc reads \underleftarrow as an arrow above"
    ),
    "<mo>√</mo><mi>x</mi>": r"pandoc reads \surd x as a root of x",
    "<mfrac><mi>a</mi><mi>b</mi><mi>c</mi></mfrac>": BROKEN,
    "<msub><mi>x</mi><mi>a</mi><mi>b</mi></msub>": BROKEN,
    "<menclose notation='left'><mi>x</mi></menclose>": LINES,
    "<menclose notation='right'><mi>x</mi></menclose>": LINES,
    "<menclose notation='madruwb'><mi>x</mi></menclose>": LINES,
    "<menclose notation='verticalstrike'><mi>x</mi></menclose>": LINES,
    "<menclose notation='phasorangle'><mi>x</mi></menclose>": LINES,
}
"""Formulas of the corpus whose content is not the same on both sides, and why that is right."""
LONGER_DIFFERENT = ("<mstack>", "<mlongdiv>", "<semantics><apply>")
"""What begins so is compared by its signs alone: texmath reads none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One formula on all sides; a content is None where pandoc cannot read the LaTeX."""

    source: str
    latex: str
    meant: str
    ours: str | None
    theirs: str | None


def compared(formulas: list[str], *, with_texmath: bool) -> list[Compared]:
    sources = [f'<math xmlns="{MATHML}">{formula}</math>' for formula in formulas]
    latex = [_latex(source) for source in sources]
    ours = mathml(latex)
    theirs = mathml([tex or "" for tex in texmath(sources)]) if with_texmath else [None] * len(ours)
    return [
        Compared(
            source=formula.replace('"', "'"),
            latex=tex,
            meant=content(source),
            ours=None if own is None else content(own),
            theirs=content(other) if other else None,
        )
        for formula, source, tex, own, other in zip(
            formulas, sources, latex, ours, theirs, strict=True
        )
    ]


def _latex(source: str) -> str:
    math = find(parse_xml(source.encode(), "formula"), "math")
    assert math is not None
    return to_latex(math)


def is_known(item: Compared) -> bool:
    return item.source in DIFFERENT or item.source.startswith(LONGER_DIFFERENT)


def marks(text: str | None) -> Counter[str]:
    """Return the signs of a content, without what only tells how they stand."""
    bare = re.sub(r"table|frac|enclosed|phantom|[⟬⟭«»_^&;|]", "", text or "")
    return Counter(bare)


@pytest.fixture(scope="module")
def corpus() -> list[Compared]:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    return compared(
        [line for line in lines if line and not line.startswith("#")], with_texmath=True
    )


@pytest.fixture(scope="module")
def drawn() -> list[Compared]:
    source = Formulas(SEED)
    return compared([source.formula() for _ in range(RANDOM_FORMULAS)], with_texmath=False)


def test_every_formula_of_the_corpus_says_the_same_in_latex(corpus: list[Compared]) -> None:
    assert len(corpus) >= 850
    wrong = [item for item in corpus if item.ours != item.meant and not is_known(item)]
    assert wrong == []


def test_the_known_differences_are_differences_and_lose_no_sign(corpus: list[Compared]) -> None:
    known = [item for item in corpus if is_known(item) and item.meant]
    assert DIFFERENT.keys() <= {item.source for item in known}
    assert [item.source for item in known if item.ours == item.meant] == []
    lost = {item.source: marks(item.meant) - marks(item.ours) for item in known}
    alike = {"<mo>√</mo><mi>x</mi>", "<mover accent='true'><mi>x</mi><mo>.</mo></mover>"}
    arrows = {source for source in DIFFERENT if "accentunder" in source}
    assert {source for source, signs in lost.items() if signs} <= alike | arrows


def test_texmath_says_nothing_right_that_we_do_not(corpus: list[Compared]) -> None:
    better = [item for item in corpus if item.theirs == item.meant != item.ours]
    assert {item.source for item in better} <= DIFFERENT.keys()


def test_formulas_drawn_at_random_say_the_same_in_latex(drawn: list[Compared]) -> None:
    assert [item for item in drawn if item.ours != item.meant] == []


def test_all_latex_is_latex_to_pandoc(corpus: list[Compared], drawn: list[Compared]) -> None:
    assert [item.latex for item in (*corpus, *drawn) if item.ours is None and item.latex] == []
    assert [item.source for item in (*corpus, *drawn) if not item.latex and item.meant] == []


def test_the_comparison_sees_what_is_lost_or_stands_elsewhere() -> None:
    def said(inside: str) -> str:
        return content(f'<math xmlns="{MATHML}">{inside}</math>')

    x, y = "<mi>x</mi>", "<mi>y</mi>"
    assert said(f"<msup>{x}{y}</msup>") != said(f"<msub>{x}{y}</msub>")
    assert said(f"<msup><mrow>{x}{y}</mrow>{x}</msup>") != said(f"{x}<msup>{y}{x}</msup>")
    assert said(f"<mfrac>{x}{y}</mfrac>") != said(f"<mfrac>{y}{x}</mfrac>")
    assert said(f"<msqrt>{x}{y}</msqrt>") != said(f"<msqrt>{x}</msqrt>{y}")
    two = f"<mrow><mo>(</mo>{x}<mo>)</mo><mo>(</mo>{y}<mo>)</mo></mrow>"
    assert said(f"<msup>{two}{x}</msup>") != said(
        f"{two[6:-7].removesuffix('<mo>)</mo>')}<msup><mo>)</mo>{x}</msup>"
    )
    assert said(f"<mtable><mtr><mtd>{x}</mtd></mtr><mtr><mtd>{y}</mtd></mtr></mtable>") != said(
        f"<mtable><mtr><mtd>{x}</mtd><mtd>{y}</mtd></mtr></mtable>"
    )
