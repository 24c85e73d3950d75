"""Signs of mathematics and their names in LaTeX: those of amsmath and amssymb.

A sign without a name there stays as it is: LaTeX of today, KaTeX and MathJax read Unicode.
"""

_NAMED = r"""
α alpha β beta γ gamma δ delta ϵ epsilon ε varepsilon
ζ zeta η eta θ theta ϑ vartheta ι iota κ kappa
ϰ varkappa λ lambda μ mu µ mu ν nu ξ xi π pi ϖ varpi ρ rho ϱ varrho σ sigma ς varsigma τ tau
υ upsilon ϕ phi φ varphi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma
Υ Upsilon Φ Phi Ψ Psi Ω Omega Ω Omega ∆ Delta
± pm ∓ mp × times ÷ div ∗ ast ⋆ star ∘ circ • bullet ∙ bullet · cdot ⋅ cdot ∩ cap ∪ cup ⊎ uplus
⊓ sqcap ⊔ sqcup ∨ vee ∧ wedge ∖ setminus ≀ wr ⋄ diamond △ bigtriangleup ▽ bigtriangledown
◃ triangleleft ▹ triangleright ⊕ oplus ⊖ ominus ⊗ otimes ⊘ oslash ⊙ odot ◯ bigcirc † dagger
‡ ddagger ⨿ amalg ⋉ ltimes ⋊ rtimes
≤ leq ≥ geq ≪ ll ≫ gg ≡ equiv ∼ sim ≃ simeq ≍ asymp ≈ approx ≅ cong ≠ neq ≐ doteq ∝ propto ≺ prec
≻ succ ⪯ preceq ⪰ succeq ⊂ subset ⊃ supset ⊆ subseteq ⊇ supseteq ⊊ subsetneq ⊋ supsetneq
⊏ sqsubset ⊐ sqsupset ⊑ sqsubseteq ⊒ sqsupseteq ∈ in ∋ ni ∉ notin ⊢ vdash ⊣ dashv ⊨ models ⊥ bot
∣ mid ∥ parallel ∦ nparallel ∤ nmid ⋈ bowtie ⌣ smile ⌢ frown ≲ lesssim ≳ gtrsim ⩽ leqslant
⩾ geqslant ≜ triangleq ≔ coloneqq ⊄ not\subset ⊅ not\supset ≢ not\equiv ≁ nsim ≇ ncong ≮ nless
≯ ngtr ≰ nleq ≱ ngeq ⊈ nsubseteq ⊉ nsupseteq ≉ not\approx ∄ nexists
← leftarrow → rightarrow ↔ leftrightarrow ⇐ Leftarrow ⇒ Rightarrow ⇔ Leftrightarrow ↑ uparrow
↓ downarrow ↕ updownarrow ⇑ Uparrow ⇓ Downarrow ⇕ Updownarrow ↦ mapsto ↩ hookleftarrow
↪ hookrightarrow ↼ leftharpoonup ↽ leftharpoondown ⇀ rightharpoonup ⇁ rightharpoondown
⇌ rightleftharpoons ⇋ leftrightharpoons ↗ nearrow ↘ searrow ↙ swarrow ↖ nwarrow ⟵ longleftarrow
⟶ longrightarrow ⟷ longleftrightarrow ⟸ Longleftarrow ⟹ Longrightarrow ⟺ iff ⟼ longmapsto
⇄ rightleftarrows ⇆ leftrightarrows ↛ nrightarrow ⇏ nRightarrow ↝ leadsto
∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint ⋂ bigcap ⋃ bigcup ⋁ bigvee ⋀ bigwedge ⨀ bigodot
⨂ bigotimes ⨁ bigoplus ⨄ biguplus ⨆ bigsqcup
∀ forall ∃ exists ¬ neg ∅ emptyset ∇ nabla ∂ partial ∞ infty ∠ angle ∡ measuredangle ⊤ top ℏ hbar
ℓ ell ℜ Re ℑ Im ℘ wp ℵ aleph ℶ beth
∴ therefore ∵ because □ square ■ blacksquare ◊ lozenge ♠ spadesuit
♡ heartsuit ♢ diamondsuit ♣ clubsuit ♭ flat ♮ natural ♯ sharp √ surd ı imath ȷ jmath ð eth
… ldots ⋯ cdots ⋮ vdots ⋱ ddots ′ prime § S ¶ P © copyright ° circ
⟨ langle ⟩ rangle 〈 langle 〉 rangle ⌈ lceil ⌉ rceil
⌊ lfloor ⌋ rfloor ‖ Vert ∥ parallel ⟦ llbracket ⟧ rrbracket
"""
_PLAIN = {
    "−": "-",
    "–": "-",
    "‐": "-",
    "⁄": "/",
    "∕": "/",
    "∶": ":",
    "＝": "=",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "$": r"\$",
    "_": r"\_",
    "\\": r"\backslash",
    "^": r"\text{\textasciicircum}",
    '"': r'\text{"}',
    "`": r"\text{`}",
    " ": r"\ ",
    "\u2329": r"\langle",
    "\u232a": r"\rangle",
    "⟮": r"\lgroup",
    "⟯": r"\rgroup",
    "~": r"\sim",
    "°": r"{}^{\circ}",
    "″": "''",
    "‴": "'''",
    "\u00a0": r"\ ",
    "\u2003": r"\quad",
    "\u2002": r"\enspace",
    "\u2009": r"\,",
    "\u2005": r"\:",
    "\u200a": r"\,",
    "\u2061": "",
    "\u2062": "",
    "\u2063": "",
    "\u2064": "",
    "\u200b": "",
    "\u2060": "",
    "\ufeff": "",
}
_BLACKBOARD = {"ℝ": "R", "ℕ": "N", "ℤ": "Z", "ℚ": "Q", "ℂ": "C", "ℍ": "H", "ℙ": "P", "𝔼": "E"}
_SCRIPT = {"ℒ": "L", "ℋ": "H", "ℱ": "F", "ℬ": "B", "ℰ": "E", "ℐ": "I", "ℳ": "M", "ℛ": "R"}
_FRAKTUR = {"ℭ": "C", "ℌ": "H", "ℨ": "Z"}

_words = _NAMED.split()
SYMBOLS: dict[str, str] = {
    **{sign: f"\\{name}" for sign, name in zip(_words[::2], _words[1::2], strict=True)},
    **{sign: rf"\mathbb{{{letter}}}" for sign, letter in _BLACKBOARD.items()},
    **{sign: rf"\mathcal{{{letter}}}" for sign, letter in _SCRIPT.items()},
    **{sign: rf"\mathfrak{{{letter}}}" for sign, letter in _FRAKTUR.items()},
    **_PLAIN,
}
"""Sign → LaTeX in math mode."""

FUNCTIONS = frozenset(
    [
        "arccos",
        "arcsin",
        "arctan",
        "arg",
        "cos",
        "cosh",
        "cot",
        "coth",
        "csc",
        "deg",
        "det",
        "dim",
        "exp",
        "gcd",
        "hom",
        "inf",
        "ker",
        "lg",
        "lim",
        "liminf",
        "limsup",
        "ln",
        "log",
        "max",
        "min",
        "Pr",
        "sec",
        "sin",
        "sinh",
        "sup",
        "tan",
        "tanh",
    ]
)
"""Names that LaTeX has a command for."""

LIMITS_BELOW = frozenset(
    {"lim", "liminf", "limsup", "max", "min", "sup", "inf", "det", "gcd", "Pr"}
)
BIG_OPERATORS = frozenset("∑∏∐∫∬∭∮⋂⋃⋁⋀⨀⨂⨁⨄⨆")

ACCENTS_OVER = {
    "^": r"\hat",
    "ˆ": r"\hat",
    "\u0302": r"\hat",
    "¯": r"\overline",
    "‾": r"\overline",
    "_": r"\overline",
    "ˉ": r"\bar",
    "\u0304": r"\bar",
    "\u0305": r"\overline",
    "―": r"\overline",
    "─": r"\overline",
    "→": r"\overrightarrow",
    "⃗": r"\vec",
    "⇀": r"\vec",
    "←": r"\overleftarrow",
    "↔": r"\overleftrightarrow",
    "~": r"\tilde",
    "˜": r"\tilde",
    "∼": r"\tilde",
    "\u0303": r"\tilde",
    "˙": r"\dot",
    ".": r"\dot",
    "\u0307": r"\dot",
    "¨": r"\ddot",
    "\u0308": r"\ddot",
    "⃛": r"\dddot",
    "ˇ": r"\check",
    "˘": r"\breve",
    "´": r"\acute",
    "`": r"\grave",
    "˚": r"\mathring",
    "⏞": r"\overbrace",
    "︷": r"\overbrace",
}
ACCENTS_UNDER = {
    "_": r"\underline",
    "¯": r"\underline",
    "‾": r"\underline",
    "―": r"\underline",
    "─": r"\underline",
    "\u0332": r"\underline",
    "⏟": r"\underbrace",
    "︸": r"\underbrace",
    "→": r"\underrightarrow",
    "←": r"\underleftarrow",
}

VARIANTS = {
    "normal": r"\mathrm",
    "bold": r"\mathbf",
    "italic": r"\mathit",
    "bold-italic": r"\boldsymbol",
    "double-struck": r"\mathbb",
    "script": r"\mathcal",
    "bold-script": r"\mathcal",
    "fraktur": r"\mathfrak",
    "bold-fraktur": r"\mathfrak",
    "sans-serif": r"\mathsf",
    "bold-sans-serif": r"\mathsf",
    "sans-serif-italic": r"\mathsf",
    "sans-serif-bold-italic": r"\mathsf",
    "monospace": r"\mathtt",
}
"""Value of `mathvariant` → command."""

OPENING = {
    "(": "(",
    "[": "[",
    "{": r"\{",
    "⟨": r"\langle",
    "〈": r"\langle",
    "\u2329": r"\langle",
    "⌈": r"\lceil",
    "⌊": r"\lfloor",
}
CLOSING = {
    ")": ")",
    "]": "]",
    "}": r"\}",
    "⟩": r"\rangle",
    "〉": r"\rangle",
    "\u232a": r"\rangle",
    "⌉": r"\rceil",
    "⌋": r"\rfloor",
}
BARS = {"|": "|", "∣": "|", "‖": r"\|", "∥": r"\|"}

SPACES = (
    (0.12, ""),
    (0.2, r"\,"),
    (0.26, r"\:"),
    (0.4, r"\;"),
    (0.9, r"\enspace"),
    (1.9, r"\quad"),
    (99.0, r"\qquad"),
)
"""(em, LaTeX) of the widest space below that width."""
NAMED_SPACES = {
    "veryverythinmathspace": 1 / 18,
    "verythinmathspace": 2 / 18,
    "thinmathspace": 3 / 18,
    "mediummathspace": 4 / 18,
    "thickmathspace": 5 / 18,
    "verythickmathspace": 6 / 18,
    "veryverythickmathspace": 7 / 18,
}
"""Widths in em, MathML 3, table 2.1.5.2."""
