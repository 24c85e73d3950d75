"""Elements inside a paragraph → inline Markdown. A newline in what is returned is a hard break."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, tee, zip_longest

from resonare_pipeline.books.formula_images import tex_of_image
from resonare_pipeline.books.markdown.escaping import call, code_span, collapsed, escaped
from resonare_pipeline.books.markdown.pieces import State
from resonare_pipeline.books.math.latex import to_latex
from resonare_pipeline.books.math.written import bare
from resonare_pipeline.books.notes import is_mark
from resonare_pipeline.books.trees import BLOCK_TAGS, Node, find, texts, walk
from resonare_pipeline.books.visibility import is_unseen

MARKS = {
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), "*"),
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
}
_BRACKET = re.compile(r"(?<!\\)[\[\]]")  # but not that of TeX, or one that is escaped
MATHML = "http://www.w3.org/1998/Math/MathML"
_COLUMNS = re.compile(r"\\begin\{array\}\{[^{}]*\}")
_WORDS = re.compile(r"\\text\{[^{}]*\}")
_IDEOGRAPH = re.compile(r"[\u3000-\u30ff\u3400-\u9fff]")


def inline(children: Iterable[Node | str], state: State) -> str:
    """Return elements and texts as inline Markdown."""
    parts: list[str] = []
    marked = ""  # the mark that the last part ends with
    for child, follower in _with_followers(children):
        if isinstance(child, str):
            parts.append(escaped(collapsed(child)))
            marked = ""
            continue
        state.enter(child)
        if is_unseen(child):
            _enter_all(child, state)
            continue
        mark = MARKS.get(child.tag, "")
        state.follower = follower
        text = _emphasis(child, mark, state) if mark else _element(child, state)
        if mark and mark == marked and text.startswith(mark):
            # Two neighbours of one emphasis are one: the marks between them would be misread.
            parts[-1] = parts[-1].removesuffix(mark)
            text = text.removeprefix(mark)
        if text:
            parts.append(text)
            marked = mark if mark and text.endswith(mark) else ""
    return "".join(_apart(parts))


def _apart(parts: Iterable[str]) -> Iterator[str]:
    """Yield pieces, a space before one that would join the formula before it, or unmake it."""
    before = ""
    for part in parts:
        is_after = before.endswith("$") and not before.endswith(r"\$")
        if is_after and part[:1] and (part.startswith("$") or part[0].isdigit()):
            yield " "
        yield part
        before = part


def _with_followers(
    children: Iterable[Node | str],
) -> Iterator[tuple[Node | str, Node | str]]:
    here, ahead = tee(children)
    next(ahead, None)
    return zip_longest(here, ahead, fillvalue="")


def _enter_all(node: Node, state: State) -> None:
    for item in walk(node):
        if item is not node:
            state.enter(item)


def _element(node: Node, state: State) -> str:
    maker = _MAKERS.get(node.tag)
    if maker is not None:
        return maker(node, state)
    text = inline(node.children, state)
    return f"\n{text}\n" if node.tag in BLOCK_TAGS and text.strip() else text


def _emphasis(node: Node, mark: str, state: State) -> str:
    text = inline(node.children, state)
    inner = text.strip(" \n")
    if not inner or inner.startswith("*") or "\n\n" in inner or _is_inside(node, mark):
        return text
    before, after = text[: len(text) - len(text.lstrip(" \n"))], text[len(text.rstrip(" \n")) :]
    return f"{before}{mark}{inner}{mark}{after}"


def _is_inside(node: Node, mark: str) -> bool:
    above = node.parent
    while above is not None and above.tag not in BLOCK_TAGS:
        if MARKS.get(above.tag) == mark:
            return True
        above = above.parent
    return False


def _break(node: Node, state: State) -> str:  # noqa: ARG001  # one of a family
    return "\n"


def _script(sign: str) -> Callable[[Node, State], str]:
    def make(node: Node, state: State) -> str:
        follower = state.follower
        text = inline(node.children, state).replace("\n", " ")
        inner = text.strip()
        if not inner or inner.startswith(("\ufdd0", "[^")) or _holds_link_alone(node):
            return text
        if len(inner) == 1 and inner.isalnum() and not _runs_on(follower, inner):
            return f"{sign}{inner}"
        return f"{sign}{{{inner}}}"

    return make


def _holds_link_alone(node: Node) -> bool:
    inside = [child for child in node.children if not isinstance(child, str) or child.strip()]
    return len(inside) == 1 and isinstance(inside[0], Node) and inside[0].tag == "a"


def _runs_on(follower: Node | str, sign: str) -> bool:
    """Tell whether what follows would be taken for a part of the script."""
    text = follower if isinstance(follower, str) else "".join(islice(texts(follower), 1))
    return bool(text) and text[0].isalnum() and text[0].isdigit() == sign.isdigit()


def _code(node: Node, state: State) -> str:
    for item in walk(node):
        if item is not node:
            state.enter(item)
    if find(node, "math") is not None or find(node, "img") is not None:
        return inline(node.children, state)
    text = collapsed("".join(texts(node)))
    inner = text.strip(" ")
    if not inner:
        return text
    before, after = " " * (text[0] == " "), " " * (text[-1] == " ")
    return f"{before}{code_span(inner)}{after}"


def _link(node: Node, state: State) -> str:
    if (key := state.links.called(node)) is not None:
        state.calls.append(key)
        text = "" if is_mark(node.text()) else inline(node.children, state)
        return f"{text}{call(key)}"
    if state.links.is_backlink(node):
        return ""
    text = inline(node.children, state)
    address = state.links.outside(node.get("href")) if node.get("href") else ""
    inner = text.strip(" \n")
    if not address or not inner or "](" in inner:
        return text
    if inner == escaped(address):
        return text.replace(inner, f"<{address}>")
    before, after = text[: len(text) - len(text.lstrip(" \n"))], text[len(text.rstrip(" \n")) :]
    return f"{before}[{inner}]({_target(address)}){after}"


def _target(address: str) -> str:
    """Return an address as it can stand between brackets."""
    address = "%20".join(address.split())
    return address.replace("(", "%28").replace(")", "%29")


def _image(node: Node, state: State) -> str:
    if tex := tex_of_image(node):
        return formula(bare(tex), state, is_block=False)
    alternative = " ".join(node.get("alt").split())
    is_decoration = "alt" in node.attributes and not alternative
    if "presentation" in node.types() or (is_decoration and not _is_figure(node)):
        return ""
    source = state.links.image(node.get("src") or node.get("xlink:href") or node.get("href"))
    text = escaped(alternative)
    # Brackets that match may stand there as they are; escaped ones would read as TeX.
    text = text if _is_balanced(text) else _BRACKET.sub(r"\\\g<0>", text)
    return f"![{text}]({_target(source)})" if source or text else ""


def _is_balanced(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket == "[" else -1
        if depth < 0:
            return False
    return depth == 0


def _is_figure(node: Node) -> bool:
    return node.parent is not None and node.parent.tag == "figure"


def _drawing(node: Node, state: State) -> str:
    """Return the images and words of an SVG drawing."""
    title = next((item for item in node.elements() if item.tag in ("title", "desc")), None)
    parts: list[str] = []
    for item in walk(node):
        if item.tag == "image":
            if title is not None and "alt" not in item.attributes:
                item.attributes = {**item.attributes, "alt": title.text()}
            parts.append(_image(item, state))
        elif item.tag == "text":
            parts.append(escaped(collapsed(item.text())).strip())
        elif item.tag == "foreignObject":
            parts.append(inline(item.children, state))
    return " ".join(filter(None, parts))


def _ruby(node: Node, state: State) -> str:
    """Return the base with its reading in brackets after each part."""
    parts: list[str] = []
    for child in node.children:
        if isinstance(child, Node) and child.tag in ("rt", "rtc"):
            reading = inline(child.children, state).strip()
            open_, close = ("（", "）") if _IDEOGRAPH.search("".join(parts)[-1:]) else ("(", ")")
            if reading:
                parts.append(f"{open_}{reading}{close}")
        elif isinstance(child, Node) and child.tag == "rp":
            continue
        else:
            piece = inline([child], state)
            parts.append(piece.strip() if isinstance(child, str) else piece)
    return "".join(parts)


def _switch(node: Node, state: State) -> str:
    return inline(chosen_case(node), state)


def chosen_case(node: Node) -> list[Node | str]:
    """Return the content of the case that can be written: MathML, else the default one."""
    for case in node.elements():
        is_math = case.get("required-namespace") == MATHML and find(case, "math") is not None
        if case.tag == "case" and is_math:
            return case.children
    default = next((item for item in node.elements() if item.tag == "default"), None)
    if default is None:
        default = next(node.elements(), None)
    return default.children if default else []


def _math(node: Node, state: State) -> str:
    is_block = node.get("display") == "block" or node.get("mode") == "display"
    tex = to_latex(node)
    state.formulas += bool(tex)
    return formula(tex, state, is_block=is_block)


def formula(tex: str, state: State, *, is_block: bool) -> str:
    """Return a formula with its delimiters; in a table no bar may stand in it."""
    if not tex:
        return ""
    if state.in_cell:
        tex = _COLUMNS.sub(lambda found: found.group().replace("|", ""), tex)
        tex = _WORDS.sub(lambda found: found.group().replace("|", r"}\vert \text{"), tex)
        tex = tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
    return f"$${tex}$$" if is_block else f"${tex}$"


def _quotation(node: Node, state: State) -> str:
    return f"“{inline(node.children, state)}”"


def _nothing(node: Node, state: State) -> str:  # noqa: ARG001  # one of a family
    return ""


def _alternative(node: Node, state: State) -> str:
    """Return an object's fallback, or the image that it is."""
    if node.get("type").startswith("image/") and not node.text().strip():
        node.attributes = {**node.attributes, "src": node.get("data")}
        return _image(node, state)
    return inline(node.children, state)


def _checkbox(node: Node, state: State) -> str:  # noqa: ARG001  # one of a family
    if node.get("type") == "checkbox":
        return "[x] " if "checked" in node.attributes else "[ ] "
    return escaped(node.get("value")) if node.get("type") in ("button", "submit") else ""


_MAKERS: dict[str, Callable[[Node, State], str]] = {
    "br": _break,
    "wbr": _nothing,
    "sup": _script("^"),
    "sub": _script("_"),
    "a": _link,
    "img": _image,
    "image": _image,
    "svg": _drawing,
    "math": _math,
    "ruby": _ruby,
    "switch": _switch,
    "q": _quotation,
    "object": _alternative,
    "input": _checkbox,
    **dict.fromkeys(("code", "kbd", "samp", "tt"), _code),
}
