"""Formulas of MathML drawn at random, nested, of what textbooks use."""

import random
from collections.abc import Callable

LETTERS = "abcdfgknpqrstuvwxyzABCFGHLNPQRSTVXYZαβγδεθλμξπρσφψωΓΔΘΛΞΠΣΦΨΩℓ∂∞∅"
NAMES = ("sin", "cos", "log", "exp", "det", "rank", "Var", "argmin")
RELATIONS = "=<>≤≥≠≈≡∼∈⊂⊆→⇒↦∣"
OPERATIONS = "+−±×⋅∪∩∧∨⊕⊗∘∗/,;"
LARGE = "∑∏⋃⋂⨁"
ACCENTS = "^¯→~˙¨"
BRACKETS = tuple(zip("([{⟨⌈⌊|‖[(", ")]}⟩⌉⌋|‖)]", strict=True))
WORDS = ("if", "otherwise", "for all", "is 5% of", "a_b", "[see below]", "naïve")
VARIANTS = ("bold", "double-struck", "fraktur", "monospace", "sans-serif", "italic")
SPACES = ("<mspace width='1em'/>", "<mtext>&#xa0;</mtext>", "<mo>&#x2003;</mo>", "<mtext> </mtext>")
MOST_ITEMS = 4


class Formulas:
    """A source of formulas; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311  # the same formulas each time
        self._makers: tuple[Callable[[int], str], ...] = (
            self._fraction,
            self._root,
            self._scripts,
            self._limits,
            self._accent,
            self._fenced,
            self._bracketed,
            self._table,
            self._cases,
            self._multiscripts,
            self._wrapped,
            self._pile,
        )

    def formula(self) -> str:
        """Return what stands inside a `math` element."""
        return self._items(self._draw.randint(1, 4))

    def _items(self, depth: int) -> str:
        parts = [self._item(depth)]
        for _ in range(self._draw.randrange(MOST_ITEMS)):
            if self._draw.random() < 0.7:  # else two stand beside one another
                parts.append(f"<mo>{self._sign()}</mo>")
            parts.append(self._item(depth))
        if self._draw.random() < 0.15:
            parts.append(self._draw.choice(SPACES))
        return "".join(parts)

    def _sign(self) -> str:
        return self._draw.choice(RELATIONS + OPERATIONS).replace("<", "&lt;")

    def _item(self, depth: int) -> str:
        if depth <= 0 or self._draw.random() < 0.4:
            return self._leaf()
        return self._draw.choice(self._makers)(depth - 1)

    def _leaf(self) -> str:
        kind = self._draw.random()
        if kind < 0.55:
            return f"<mi>{self._draw.choice(LETTERS)}</mi>"
        if kind < 0.8:
            return f"<mn>{self._draw.choice(('0', '1', '2', '10', '3.14', '365'))}</mn>"
        if kind < 0.87:
            letter = self._draw.choice("ABCRXvx")
            return f"<mi mathvariant='{self._draw.choice(VARIANTS)}'>{letter}</mi>"
        if kind < 0.94:
            return f"<mi>{self._draw.choice(NAMES)}</mi><mo>&#x2061;</mo>{self._leaf()}"
        return f"<mtext>{self._draw.choice(WORDS)}</mtext>"

    def _row(self, depth: int) -> str:
        return f"<mrow>{self._items(depth)}</mrow>"

    def _fraction(self, depth: int) -> str:
        return f"<mfrac>{self._row(depth)}{self._row(depth)}</mfrac>"

    def _pile(self, depth: int) -> str:
        pile = f"<mfrac linethickness='0'>{self._row(depth)}{self._row(depth)}</mfrac>"
        return f"<mrow><mo>(</mo>{pile}<mo>)</mo></mrow>" if self._draw.random() < 0.5 else pile

    def _root(self, depth: int) -> str:
        if self._draw.random() < 0.6:
            return f"<msqrt>{self._items(depth)}</msqrt>"
        return f"<mroot>{self._row(depth)}{self._row(depth)}</mroot>"

    def _base(self, depth: int) -> str:
        return self._single() if self._draw.random() < 0.6 else self._row(depth)

    def _single(self) -> str:
        return f"<mi>{self._draw.choice(LETTERS)}</mi>"

    def _scripts(self, depth: int) -> str:
        tag = self._draw.choice(("msub", "msup", "msubsup"))
        scripts = self._row(depth) + (self._row(depth) if tag == "msubsup" else "")
        return f"<{tag}>{self._base(depth)}{scripts}</{tag}>"

    def _limits(self, depth: int) -> str:
        tag = self._draw.choice(("munder", "munderover"))
        base = f"<mo>{self._draw.choice(LARGE)}</mo>"
        if tag == "munder" and self._draw.random() < 0.5:
            base = f"<mi>{self._draw.choice(('lim', 'max', 'sup', 'argmax'))}</mi>"
        scripts = self._row(depth) + (self._row(depth) if tag == "munderover" else "")
        return f"<{tag}>{base}{scripts}</{tag}>{self._item(depth)}"

    def _accent(self, depth: int) -> str:
        sign = self._draw.choice(ACCENTS)
        return f"<mover accent='true'>{self._base(depth)}<mo>{sign}</mo></mover>"

    def _fenced(self, depth: int) -> str:
        left, right = self._draw.choice(BRACKETS)
        items = "".join(self._row(depth) for _ in range(self._draw.randint(1, 3)))
        return f"<mfenced open='{left}' close='{right}'>{items}</mfenced>"

    def _bracketed(self, depth: int) -> str:
        left, right = self._draw.choice(BRACKETS)
        return f"<mrow><mo>{left}</mo>{self._items(depth)}<mo>{right}</mo></mrow>"

    def _table(self, depth: int) -> str:
        columns = self._draw.randint(1, 3)
        rows = "".join(
            f"<mtr>{''.join(f'<mtd>{self._items(depth - 1)}</mtd>' for _ in range(columns))}</mtr>"
            for _ in range(self._draw.randint(1, 3))
        )
        align = self._draw.choice(("center", "left", "right left"))
        table = f"<mtable columnalign='{align}'>{rows}</mtable>"
        if self._draw.random() < 0.5:
            return table
        left, right = self._draw.choice(BRACKETS)
        return f"<mrow><mo>{left}</mo>{table}<mo>{right}</mo></mrow>"

    def _cases(self, depth: int) -> str:
        row = (
            f"<mtr><mtd>{self._items(depth - 1)}</mtd><mtd><mtext>if </mtext><mi>x</mi></mtd></mtr>"
        )
        return f"<mrow><mo>{{</mo><mtable>{row * 2}</mtable></mrow>"

    def _multiscripts(self, depth: int) -> str:
        before = f"<mprescripts/>{self._leaf()}<none/>" if self._draw.random() < 0.6 else ""
        return f"<mmultiscripts>{self._single()}{self._row(depth)}<none/>{before}</mmultiscripts>"

    def _wrapped(self, depth: int) -> str:
        tag = self._draw.choice(("mstyle", "mpadded", "mphantom", "menclose notation='box'"))
        return f"<{tag}>{self._items(depth)}</{tag.split()[0]}>"
