"""Formulas by their content: what stands in MathML, and in LaTeX as pandoc reads it.

The side that is held against the converter shares no code with it: MathML is read with the standard
library, LaTeX with pandoc's texmath.
"""

import json
import re
import subprocess
import unicodedata
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import pypandoc

MATHML = "http://www.w3.org/1998/Math/MathML"
Element = ElementTree.Element

_VERSION = [1, 23, 1]  # of pandoc's JSON
_TOKENS = frozenset({"mi", "mn", "mo", "mtext", "ms"})
_ROWS = frozenset({"math", "mrow", "mstyle", "mpadded", "merror", "semantics", "mtd"})
_UNSEEN = frozenset({"annotation", "annotation-xml", "mspace", "none", "mprescripts"})
_INVISIBLE = re.compile("[\u2061-\u2064\u200b\u2060\ufeff\\s]")
_PAIRS = (
    # what pandoc's LaTeX has one sign for, or one name
    "-− -– -‐ -‑ ¯‾ ¯ˉ ¯― ¯─ ¯_ ¯\u0304 ¯\u0305 ¯\u0332 ^ˆ ^\u0302 ~˜ ~∼ ~\u0303 ˙\u0307 ¨\u0308"
    " →⃗ →⇀ →⃑"
    " |∣ ∥‖ ⟨〈 ⟨\u2329 ⟩〉 ⟩\u232a ·⋅ *∗ /⁄ /∕ :∶ □▫ ■◼ ←⟵ →⟶ ↔⟷ ⇐⟸ ⇒⟹ ⇔⟺ ↦⟼ \\∖ ∐⨿ ≼⪯ ≽⪰ ≤⩽ ≥⩾ ⤳↝"
    " ′’ ′' ‘` ○◯ ˇ\u030c `\u0300 ´\u0301 ˘\u0306 ˚\u030a ←\u20d6 ↔\u20e1 ⏞︷ ⏟︸ Δ∆ ΩΩ ·∙ ·• ∅⌀"
)
_ALIKE = {ord(pair[1]): pair[0] for pair in _PAIRS.split()}


def parsed(formula: str) -> Element:
    """Return a `math` element, without namespaces."""
    root = ElementTree.fromstring(formula)  # noqa: S314  # the tests' own
    for item in root.iter():
        item.tag = str(item.tag).rpartition("}")[2]
    return root


def signs(text: str) -> str:
    """Return a text's signs, those that look and mean alike as one; no spaces."""
    primes = text.replace("⁗", "′′′′").replace("‴", "′′′").replace("″", "′′")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFC", primes).translate(_ALIKE))
    return _INVISIBLE.sub("", plain.translate(_ALIKE)).replace("°", "^⟬∘⟭")


def content(formula: str) -> str:
    """Return what a formula says, in one line: its signs, and how they stand to one another."""
    return _row(parsed(formula))


def _row(node: Element) -> str:
    inside = [_content(child) + _stray(child.tail) for child in node]
    return _stray(node.text) + "".join(inside)


def _stray(text: str | None) -> str:
    return signs(text or "")


def _content(node: Element) -> str:
    if node.tag in _UNSEEN:
        return ""
    if node.tag in _TOKENS:
        return _token(node)
    if node.tag == "semantics":
        return _content(node[0]) if len(node) else ""
    maker = _MAKERS.get(node.tag)
    return maker(node) if maker else _row(node)


def _token(node: Element) -> str:
    inside = "".join(_stray(item.text) + item.get("alt", "") for item in node.iter())
    text = signs(inside + "".join(item.tail or "" for item in node.iter() if item is not node))
    return (
        f"{node.get('lquote', chr(34))}{text}{node.get('rquote', chr(34))}"
        if (node.tag == "ms")
        else text
    )


def _base(node: Element) -> str:
    """Return what scripts are put to; what is no single token is marked as a group."""
    while node.tag in _ROWS and len(inked := [item for item in node if _content(item)]) == 1:
        node = inked[0]
    text = _content(node)
    is_number = all(sign.isdecimal() or sign == "." for sign in text)
    is_one = node.tag in _TOKENS or is_number or _is_word(node) or _is_bracketed(text)
    return text if is_one or len(text) < _SHORTEST_GROUP else f"«{text}»"


_SHORTEST_GROUP = 2


def _is_word(node: Element) -> bool:
    """Tell whether its elements are the upright letters of one word."""
    return len(node) > 0 and all(
        item.tag == "mi" and item.get("mathvariant") == "normal" and (item.text or "").isascii()
        for item in node
    )


def _is_bracketed(text: str) -> bool:
    """Tell whether the first sign is a bracket that the last one closes."""
    if text[:1] in ("|", "∥"):
        return text[-1] == text[0] and text[0] not in text[1:-1]
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign in "([{⟨⌈⌊") - (sign in ")]}⟩⌉⌋")
        if depth <= 0:
            return place == len(text) - 1 and place > 0
    return False


def _scripted(node: Element) -> str:
    parts = list(node)
    inner = _unwrapped(parts[0]) if parts else node
    if {node.tag, inner.tag} == {"munder", "mover"} and len(inner) == len(node):
        # One thing over and one under the same base, whichever of them was put to it first.
        below, above = (inner[1], node[1]) if inner.tag == "munder" else (node[1], inner[1])
        return _base(inner[0]) + _script("_", _content(below)) + _script("^", _content(above))
    text = _base(parts[0]) if parts else ""
    has_below = node.tag in ("msub", "munder", "msubsup", "munderover")
    marks = ("_", "^") if has_below else ("^", "_")
    for mark, part in zip(marks, parts[1:], strict=False):
        text += _script(mark, _content(part))
    return text


def _unwrapped(node: Element) -> Element:
    while node.tag in _ROWS and len(node) == 1:
        node = node[0]
    return node


def _script(mark: str, text: str) -> str:
    text = "∘" if text == "^⟬∘⟭" else text
    return f"{mark}⟬{text}⟭" if text else ""


def _multi(node: Element) -> str:
    tags = [item.tag for item in node]
    split = tags.index("mprescripts") if "mprescripts" in tags else len(tags)
    before, after = list(node)[split + 1 :], list(node)[1:split]
    return _paired(before) + (_base(node[0]) if len(node) else "") + _paired(after)


def _paired(items: Sequence[Element]) -> str:
    return "".join(_script("_^"[place % 2], _content(item)) for place, item in enumerate(items))


def _fenced(node: Element) -> str:
    separators = signs(node.get("separators", ","))
    text = ""
    for place, item in enumerate(node):
        if place and separators:
            text += separators[min(place, len(separators)) - 1]
        text += _content(item)
    return signs(node.get("open", "(")) + text + signs(node.get("close", ")"))


def _fraction(node: Element) -> str:
    top, bottom = [*map(_content, node), "", ""][:2]
    if (node.get("linethickness") or "1").strip("0.ptexm") == "":
        return f"table⟬{top};{bottom}⟭"
    tokens = [_unwrapped(item).tag in ("mi", "mn") for item in node]
    is_short = node.get("bevelled") == "true" and all(tokens)
    return f"{top}/{bottom}" if is_short else f"frac⟬{top}|{bottom}⟭"


def _root(node: Element) -> str:
    if node.tag == "msqrt":
        return f"√⟬{_row(node)}⟭"
    inner, index = [*map(_content, node), "", ""][:2]
    return f"√⟬{inner}|{index}⟭" if index else f"√⟬{inner}⟭"


def _table(node: Element) -> str:
    body = ";".join(map(_table_row, node)).rstrip(";")
    return f"table⟬{body}⟭" if body else ""


def _table_row(row: Element) -> str:
    if row.tag not in ("mtr", "mlabeledtr"):
        return _content(row)
    cells = [*row[1:], row[0]] if row.tag == "mlabeledtr" else [*row]
    return "&".join(map(_content, cells)).rstrip("&")


def _action(node: Element) -> str:
    shown = int(node.get("selection", "1")) - 1
    return _content(node[min(shown, len(node) - 1)]) if len(node) else ""


def _enclosed(node: Element) -> str:
    notation = node.get("notation", "longdiv")
    if notation == "radical":
        return f"√⟬{_row(node)}⟭"
    if notation in ("top", "bottom", "actuarial", "longdiv"):
        inner = ElementTree.Element("mrow")
        inner.extend(node)
        return _base(inner) + _script("_" if notation == "bottom" else "^", "¯")
    return f"enclosed⟬{_row(node)}⟭"


def _phantom(node: Element) -> str:
    return f"phantom⟬{_row(node)}⟭"


_MAKERS: dict[str, Callable[[Element], str]] = {
    **dict.fromkeys(("msub", "msup", "msubsup", "munder", "mover", "munderover"), _scripted),
    "mmultiscripts": _multi,
    "mfenced": _fenced,
    "mfrac": _fraction,
    "msqrt": _root,
    "mroot": _root,
    "mtable": _table,
    "menclose": _enclosed,
    "mphantom": _phantom,
    "maction": _action,
    "mglyph": lambda node: signs(node.get("alt", "")),
}


def texmath(formulas: Sequence[str]) -> list[str | None]:
    """Return formulas of MathML as pandoc writes them in LaTeX, or None where it gives up."""
    page = "".join(f"<h6>{place}</h6><p>{text}</p>" for place, text in enumerate(formulas))
    found: list[str | None] = [None] * len(formulas)
    place = -1
    for block in json.loads(_pandoc(page, "-f", "html", "-t", "json"))["blocks"]:
        if block["t"] == "Header":
            place = int(block["c"][2][0]["c"])
        elif len(block["c"]) == 1 and block["c"][0]["t"] == "Math":
            found[place] = block["c"][0]["c"][1]
    return found


def mathml(formulas: Sequence[str]) -> list[str | None]:
    """Return formulas of LaTeX as pandoc reads them, in MathML, or None where it cannot."""
    blocks = [
        {"t": "Para", "c": [{"t": "Math", "c": [{"t": "InlineMath"}, formula]}]}
        for formula in formulas
    ]
    document = {"pandoc-api-version": _VERSION, "meta": {}, "blocks": blocks}
    page = _pandoc(json.dumps(document), "-f", "json", "-t", "html5", "--mathml", "--wrap=none")
    found = re.findall(r"<p>(.*?)</p>", page, re.DOTALL)
    return [_ANNOTATION.sub("", text) if text.startswith("<math") else None for text in found]


_ANNOTATION = re.compile(r"<annotation[^>]*>.*?</annotation>", re.DOTALL)


def _pandoc(text: str, *options: str) -> str:
    found = subprocess.run(
        [pypandoc.get_pandoc_path(), *options],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout
