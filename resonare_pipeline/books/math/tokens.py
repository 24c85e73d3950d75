"""Names, numbers, operators, words and spaces of MathML → LaTeX: what holds text itself."""

import re
import unicodedata
from collections.abc import Sequence

from resonare_pipeline.books.math.symbols import (
    BIG_OPERATORS,
    FUNCTIONS,
    NAMED_SPACES,
    SPACES,
    SYMBOLS,
    VARIANTS,
)
from resonare_pipeline.books.trees import Node

_WHITE = re.compile(r"\s+")
_TEXT_ESCAPES = str.maketrans(
    {sign: f"\\{sign}" for sign in "#$%&_{}"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
)


def join(parts: Sequence[str]) -> str:
    """Put pieces beside one another, with a space where a command would run into a letter."""
    text = ""
    for part in parts:
        if text and part and part[0].isalpha() and re.search(r"\\[A-Za-z]+$", text[-24:]):
            text += " "
        text += part
    return text


def symbols_of(text: str) -> str:
    """Return each sign of a text by its name in LaTeX; spaces in it are kept."""
    return join([SYMBOLS[sign] if sign in SYMBOLS else _letter(sign) for sign in text])


def _letter(sign: str) -> str:
    """Return a letter; one of the mathematical alphabets as the letter with its style."""
    if not "\U0001d400" <= sign <= "\U0001d7ff":
        return sign
    style = unicodedata.name(sign, "").removeprefix("MATHEMATICAL ").lower().replace(" ", "-")
    plain = unicodedata.normalize("NFKC", sign)
    tex = SYMBOLS.get(plain, plain)
    names = [name for name in VARIANTS if style.startswith(f"{name}-")]
    command = VARIANTS[max(names, key=len)] if names else ""
    return tex if command in ("", r"\mathit") else f"{command}{{{tex}}}"


def text_of(text: str) -> str:
    """Return words inside a formula."""
    return rf"\text{{{text.translate(_TEXT_ESCAPES)}}}"


def content_of(node: Node) -> str:
    """Return the text of a token element."""
    return unicodedata.normalize("NFC", _WHITE.sub(" ", _spoken(node))).strip()


def _spoken(node: Node) -> str:
    """Return all text of an element; a picture of a sign by its description."""
    parts = [
        child if isinstance(child, str) else child.get("alt") or _spoken(child)
        for child in node.children
    ]
    return "".join(parts)


def identifier(node: Node) -> str:
    """Return a name or a letter in its style."""
    text = content_of(node)
    if (name := text.replace(" ", "")) in FUNCTIONS:
        return f"\\{name}"
    if " " in text:
        return rf"\mathrm{{{symbols_of(text)}}}"
    variant = node.get("mathvariant") or _inherited(node)
    tex = symbols_of(text)
    if len(text) > 1 and text.isascii() and text.isalpha() and variant in ("", "normal"):
        return rf"\mathrm{{{text}}}"
    if variant == "normal" and not text.isascii():
        return tex
    command = VARIANTS.get(variant)
    if command is None or (variant == "italic" and len(text) == 1) or not text:
        return tex
    if not text.isascii() and command != r"\mathrm":
        command = r"\boldsymbol" if "bold" in variant else ""
    return f"{command}{{{tex}}}" if command else tex


def _inherited(node: Node) -> str:
    above = node.parent
    while above is not None and above.tag in ("mstyle", "mrow"):
        if above.get("mathvariant"):
            return above.get("mathvariant")
        above = above.parent
    return ""


def named_operator(node: Node) -> str:
    """Return a word that something stands below or above of as LaTeX's operator, else ""."""
    text = content_of(node) if node.tag in ("mi", "mo", "mtext") else ""
    if not re.fullmatch(r"[A-Za-z]{2,}( [A-Za-z]+)*", text):
        return ""
    return rf"\operatorname*{{{text.replace(' ', chr(92) + ',')}}}"


def applied_name(node: Node) -> str:
    """Return a name that is applied to what follows."""
    text = content_of(node)
    if text in FUNCTIONS or len(text) < 2 or not text.isascii():
        return identifier(node)
    return rf"\operatorname{{{text}}}"


def number(node: Node) -> str:
    """Return a number."""
    text = content_of(node)
    tex = symbols_of(text)
    command = VARIANTS.get(node.get("mathvariant") or _inherited(node), "")
    return f"{command}{{{tex}}}" if command and command not in (r"\mathrm", r"\mathit") else tex


def operator(node: Node) -> str:
    """Return an operator; relations with spaces around them."""
    text = content_of(node)
    if text in FUNCTIONS:
        return f"\\{text}"
    if len(text) > 1 and text.isalpha():
        return rf"\operatorname{{{text}}}" if text.isascii() else text_of(text)
    tex = symbols_of(text)
    is_relation = (
        len(text) == 1 and unicodedata.category(text) == "Sm" and text not in BIG_OPERATORS
    )
    return f" {tex} " if is_relation and text not in "|/¬" else tex


def quoted(node: Node) -> str:
    """Return a quoted string."""
    return text_of(
        f"{node.get('lquote') or chr(34)}{content_of(node)}{node.get('rquote') or chr(34)}"
    )


def space(node: Node) -> str:
    """Return the LaTeX space that is as wide."""
    if node.get("linebreak") == "newline":
        return r"\ "
    width = node.get("width")
    found = re.fullmatch(r"([-+]?\d*\.?\d+)(em|ex|px|pt)?", width)
    if found:
        scale = {"ex": 0.43, "px": 1 / 16, "pt": 1 / 12}.get(found.group(2) or "em", 1.0)
        size = float(found.group(1)) * scale
    else:
        size = NAMED_SPACES.get(width, 0.0)
    if size < 0:
        return r"\!" if width in NAMED_SPACES or size < -0.1 else ""
    return next(tex for most, tex in SPACES if size < most or most == SPACES[-1][0])
