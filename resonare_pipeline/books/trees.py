"""XML and XHTML → a small tree of our own, whatever the state of the document.

A document that is well-formed is read as XML. One that is not is read as a browser reads HTML, so
that its text is kept. Tags and attributes stand without their namespaces, but for `epub:type`,
`xml:lang` and `xlink:href`. No entity of a document type is ever loaded: those that HTML knows, and
plain texts that the document itself declares, are put in before anything is parsed.
"""

import html.entities
import re
from collections.abc import Iterator

from resonare_pipeline.books.decoding import decode
from resonare_pipeline.books.limits import LIMITS, Limits
from resonare_pipeline.errors import InputError

BLOCK_TAGS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "html",
        "caption",
    ]
)
NAMESPACES = {
    "http://www.idpf.org/2007/ops": "epub:",
    "http://www.w3.org/XML/1998/namespace": "xml:",
    "http://www.w3.org/1999/xlink": "xlink:",
}
NO_ATTRIBUTES: dict[str, str] = {}  # shared by all elements without any
MOST_ENTITY_LENGTH = 1_000  # characters of an entity that a document declares
MOST_ENTITY_GROWTH = 1 << 20  # characters that such entities may add to a document
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9._-]*);")
_DECLARED = re.compile(r"""<!ENTITY\s+([\w.-]+)\s+(?:"([^"<&%]*)"|'([^'<&%]*)')\s*>""")
_DOCTYPE = re.compile(r"<!DOCTYPE(?:[^\[>\"']|\"[^\"]*\"|'[^']*')*(\[(?:[^\]]|\](?!\s*>))*\]\s*)?>")
_XML_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_BAD_REFERENCE = re.compile(r"&#(?:x0*([0-9a-f]{1,6})|0*([0-9]{1,7}));", re.IGNORECASE)
_CDATA = re.compile(r"%?\s*<!\[CDATA\[|%?\s*\]\]>|^\s*%\s*$", re.MULTILINE)
_OPEN_ENDED = re.compile(r"<(title|script|style|iframe|textarea)(\s[^<>]*)?/>", re.IGNORECASE)


class Node:
    """One element.

    Attributes:
        children: Elements and texts, in order.
        has_block: Whether any element below it is a block.
        size: Elements of its document; only at a root.
        recovered: Whether its document was not well-formed; only at a root.
    """

    __slots__ = ("attributes", "children", "has_block", "parent", "recovered", "size", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], parent: "Node | None") -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []
        self.parent = parent
        self.has_block = False
        self.size = 0
        self.recovered = False

    def get(self, name: str) -> str:
        """Return an attribute, or nothing."""
        return self.attributes.get(name, "")

    def types(self) -> list[str]:
        """Return what `epub:type` and `role` say of it, without the prefix of roles."""
        text = f"{self.get('epub:type')} {self.get('role').replace('doc-', '')}"
        return text.lower().split()

    def elements(self) -> Iterator["Node"]:
        """Yield its own elements."""
        return (child for child in self.children if isinstance(child, Node))

    def text(self) -> str:
        """Return all its text, as it stands."""
        return "".join(texts(self))


def walk(node: Node) -> Iterator[Node]:
    """Yield an element and all below it, in order; who stops early pays for what was seen alone."""
    yield node
    stack = [iter(node.children)]
    while stack:
        for child in stack[-1]:
            if isinstance(child, Node):
                yield child
                if child.children:
                    stack.append(iter(child.children))
                    break
        else:
            stack.pop()


def texts(node: Node) -> Iterator[str]:
    """Yield the texts below an element, in order."""
    stack = [iter(node.children)]
    while stack:
        for child in stack[-1]:
            if isinstance(child, Node):
                stack.append(iter(child.children))
                break
            yield child
        else:
            stack.pop()


def has_text(node: Node) -> bool:
    """Tell whether there is any text but white space below an element."""
    return any(text and not text.isspace() for text in texts(node))


def find_all(node: Node, tag: str) -> Iterator[Node]:
    """Yield the elements of a tag, in order."""
    return (item for item in walk(node) if item.tag == tag)


def find(node: Node, tag: str) -> Node | None:
    """Return the first element of a tag."""
    return next(find_all(node, tag), None)


class _TooManyError(Exception):
    pass


class _Builder:
    """What a parser tells of a document, as nodes; elements beyond the depth are left out."""

    def __init__(self, limits: Limits, most: int, *, is_xml: bool) -> None:
        self.root = Node("", NO_ATTRIBUTES, None)
        self._here = self.root
        self._depth = 0
        self._deepest = limits.depth
        self._most = most
        self._is_xml = is_xml
        self._piece: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        self._depth += 1
        self.root.size += 1
        if self.root.size > self._most:
            raise _TooManyError
        if self._depth > self._deepest:
            return
        name = tag.rpartition("}")[2].rpartition(":")[2]
        own = {_local(key): self._value(value) for key, value in attributes.items()}
        own = own or NO_ATTRIBUTES
        node = Node(name, own, self._here)
        self._here.children.append(node)
        self._here = node
        if name in BLOCK_TAGS:
            above = node.parent
            while above is not None and not above.has_block:
                above.has_block = True
                above = above.parent

    def _value(self, text: str) -> str:
        # A parser of XML that resolves no entities hands on & in attributes as a reference.
        return text.replace("&#38;", "&") if self._is_xml and "&" in text else text

    def end(self, tag: str) -> None:  # noqa: ARG002  # the parser's protocol
        self._flush()
        if self._depth <= self._deepest and self._here.parent is not None:
            self._here = self._here.parent
        self._depth -= 1

    def data(self, text: str) -> None:
        self._piece.append(text)

    def comment(self, text: str) -> None:
        """Leave it out."""

    def pi(self, target: str, text: str | None = None) -> None:
        """Leave it out."""

    def close(self) -> Node:
        self._flush()
        return self.root

    def _flush(self) -> None:
        if self._piece:
            self._here.children.append("".join(self._piece))
            self._piece.clear()


def _local(name: str) -> str:
    if not name.startswith("{"):
        return name
    space, _, local = name[1:].partition("}")
    return f"{NAMESPACES.get(space, '')}{local}"


def parse_xml(
    content: bytes,
    where: str,
    limits: Limits = LIMITS,
    *,
    most: int | None = None,
    strict: bool = False,
    language: str = "",
) -> Node:
    """Parse a document; the node above its root element is returned.

    Args:
        most: Elements that it may have; by default as many as the limits say.
        strict: Refuse what is not well-formed.
        language: Of the book; it tells the encoding of a document that does not.

    Raises:
        InputError: If nothing can be read, or there is too much.
    """
    from lxml import etree  # takes 20 ms

    text = _prepared(decode(content, language))
    most = limits.elements if most is None else most
    common = {"no_network": True, "huge_tree": True, "remove_comments": True, "remove_pis": True}
    try:
        builder = _Builder(limits, most, is_xml=True)
        parser = etree.XMLParser(
            target=builder, resolve_entities=False, load_dtd=False, recover=False, **common
        )
        return _with_tex(_root(etree.fromstring(text.encode(), parser), where), text)
    except etree.XMLSyntaxError as error:
        if strict or not text.strip():
            found = f"it is no XML: {error.msg}" if text.strip() else "it is empty"
            raise InputError(found, where=where) from error
    except _TooManyError:
        raise _too_many(where, most) from None
    try:
        builder = _Builder(limits, most, is_xml=False)
        html_parser = etree.HTMLParser(target=builder, recover=True, encoding="utf-8", **common)
        # An element that HTML never closes by itself would take in all that follows it.
        closed = _OPEN_ENDED.sub(r"<\1\2></\1>", text)
        root = _root(etree.fromstring(closed.encode(), html_parser), where)
    except etree.XMLSyntaxError as error:
        raise InputError(f"it is no XHTML: {error.msg}", where=where) from error
    except _TooManyError:
        raise _too_many(where, most) from None
    root.recovered = True
    return _with_tex(root, text)


def _with_tex(root: Node, text: str) -> Node:
    """Return a tree in which formulas that MathJax keeps in scripts are TeX in the text.

    Format: `<script type="math/tex">`, or `math/tex; mode=display`, perhaps as CDATA behind `%`.
    """
    if "math/tex" not in text:
        return root
    for node in find_all(root, "script"):
        if node.get("type").strip().lower().startswith("math/tex"):
            tex = " ".join(_CDATA.sub(" ", node.text()).split())
            opening, closing = (r"\[", r"\]") if "display" in node.get("type") else (r"\(", r"\)")
            node.tag, node.attributes = "span", {}
            node.children = [f"{opening}{tex}{closing}"] if tex else []
    return root


def _root(built: object, where: str) -> Node:
    if not isinstance(built, Node):
        raise InputError("it holds no elements", where=where)
    return built


def _too_many(where: str, most: int) -> InputError:
    return InputError("it has too many elements", where=where, expected=f"at most {most} of them")


def _prepared(text: str) -> str:
    """Return a text without declarations, controls and named entities."""
    text = _XML_HEAD.sub("", text, count=1)
    own: dict[str, str] = {}
    if found := _DOCTYPE.search(text, 0, 1 << 16):
        for name, double, single in _DECLARED.findall(found.group()):
            own.setdefault(name, (double or single)[:MOST_ENTITY_LENGTH])
        text = text[: found.start()] + text[found.end() :]
    text = _CONTROLS.sub("", text)
    text = _BAD_REFERENCE.sub(_allowed, text)
    growth = 0

    def entity(match: re.Match[str]) -> str:
        nonlocal growth
        name = match.group(1)
        if name in ("amp", "lt", "gt", "quot", "apos"):
            return match.group()
        if name in own:
            growth += len(own[name])
            return own[name] if growth <= MOST_ENTITY_GROWTH else ""
        return _escaped(html.entities.html5.get(f"{name};", match.group()))

    return _ENTITY.sub(entity, text)


def _escaped(character: str) -> str:
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(character, character)


def _allowed(match: re.Match[str]) -> str:
    """Return a numeric reference, or nothing if XML allows no such character."""
    number = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    if 0x80 <= number <= 0x9F:  # what browsers take for Windows-1252
        return bytes([number]).decode("cp1252", errors="ignore")
    fine = number in (9, 10, 13) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return match.group() if fine or 0x10000 <= number <= 0x10FFFF else ""
