"""Books held against what they become: words, their order, and formulas.

The words of a book are taken with BeautifulSoup and the ZIP alone. Nothing of the reader is used:
neither its tree, nor its lists of what is hidden, nor its way of counting. What both share is lxml
below them, and the notion of a word.
"""

import os
import re
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pypandoc
from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from resonare_pipeline.books.chapters import make_chapters
from resonare_pipeline.books.opening import open_book

_LETTER = r"(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[^\W\d_])"
WORD = re.compile(rf"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|{_LETTER}+(?:['’]{_LETTER}+)*|\d")
BLOCKS = frozenset(
    "p div li td th tr h1 h2 h3 h4 h5 h6 section article blockquote dt dd figcaption caption br "  # noqa: SIM905  # a list of 37 words
    "pre ul ol table aside header footer hgroup body sup sub rt text".split()
)
UNSEEN = frozenset({"head", "script", "style", "nav", "template", "rp"})
FALLBACKS = frozenset({"audio", "video", "canvas", "iframe", "noscript"})
"""Elements whose text is seen only where the thing itself is not."""
BESIDE = frozenset({"pageno", "lnum", "related-links"})
"""Classes of what stands beside the text: numbers of pages and lines, links to other pages."""
GRAM = 5
PANDOC_FORMAT = (
    "markdown-raw_html-raw_attribute-native_divs-native_spans-fenced_divs-bracketed_spans-header_attributes"
    "-link_attributes-fenced_code_attributes-smart"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Words of an output against those of a book.

    Attributes:
        kept: Share of the book's words that are there.
        doubled: Words beyond the book's, as a share of the book's.
        in_order: Share of the book's runs of five words that are there.
    """

    kept: float
    doubled: float
    in_order: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A book on both sides.

    Attributes:
        source: Its words as a reader sees them, in order.
        made: The words of its chapters.
        formulas: Of its documents.
        written: Formulas of its chapters.
        notes: Notes that stand where they are called.
    """

    source: list[str]
    made: list[str]
    formulas: int
    written: int
    notes: int


def prove(path: Path) -> Proof:
    """Read a book with the project and with BeautifulSoup.

    Raises:
        InputError: If the project refuses it.
    """
    with path.open("rb") as stream:
        book = open_book(stream, path.name)
    made = make_chapters(book, "book", depth=3)
    text = "\n\n".join(row["text"] for row in made.rows)
    parts: list[str] = []
    formulas = 0
    for document in source_documents(path):
        visible(document, parts)
        formulas += len(document.find_all(re.compile("(^|:)math$")))
    return Proof(
        source=WORD.findall("".join(parts)),
        made=words_of(text),
        formulas=formulas,
        written=book.formulas,
        notes=made.notes,
    )


def source_documents(path: Path) -> Iterator[BeautifulSoup]:
    """Yield the documents of a book's spine, with nothing but BeautifulSoup and the ZIP."""
    with zipfile.ZipFile(path) as archive:
        container = BeautifulSoup(archive.read("META-INF/container.xml"), "xml")
        package = str(container.find_all("rootfile")[0]["full-path"])
        opf = BeautifulSoup(archive.read(package), "xml")
        names = {str(item["id"]): str(item.get("href", "")) for item in opf.find_all("item")}
        references = [names.get(str(item["idref"])) for item in opf.find_all("itemref")]
        nav = [str(i["href"]) for i in opf.find_all("item") if "nav" in str(i.get("properties"))]
        hrefs = references or [n for n in names.values() if n.endswith("html") and n not in nav]
        for href in dict.fromkeys(hrefs):
            name = os.path.normpath(str(Path(package).parent / unquote(href or "")))
            if name in archive.namelist():
                yield BeautifulSoup(archive.read(name), "lxml-xml")


def visible(node: Tag, parts: list[str]) -> None:
    """Gather what a reader sees of an element; images by their descriptions."""
    for child in node.children:
        if isinstance(child, PreformattedString):
            continue
        if isinstance(child, NavigableString):
            parts.append(str(child))
        elif isinstance(child, Tag) and not _is_unseen(child):
            parts.append(" " if child.name in BLOCKS else "")
            _visible_element(child, parts)
            parts.append(" " if child.name in BLOCKS else "")


def _visible_element(node: Tag, parts: list[str]) -> None:
    if node.name in ("img", "image"):
        parts.append(f" {node.get('alt', '')} ")
    elif node.name == "switch":
        visible(_shown_case(node), parts)
    elif node.name.rpartition(":")[2] != "math":
        visible(node, parts)


def _is_unseen(node: Tag) -> bool:
    classes = set(str(node.get("class", "")).split())
    is_page = "pagebreak" in str(node.get("epub:type", "")) or not classes.isdisjoint(BESIDE)
    hidden = node.has_attr("hidden") or node.get("aria-hidden") == "true"
    # What a drawing is called is seen as little as its lines are.
    is_name = node.name in ("title", "desc") and node.find_parent("svg") is not None
    return node.name in UNSEEN | FALLBACKS or is_page or hidden or is_name


def _shown_case(switch: Tag) -> Tag:
    """Return the case of an `epub:switch` that is shown: MathML, else the default."""
    cases = [case for case in switch.find_all(True, recursive=False) if case.find("math")]
    return cases[0] if cases else switch.find("default") or switch


def words_of(text: str) -> list[str]:
    """Return the words of Markdown, ours or pandoc's, without formulas and targets of links."""
    text = re.sub(r"\$\$.+?\$\$|(?<![\\$])\$(?:[^$\\]|\\.)+?\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\[\^[^\]]*\]:?", " ", text.replace("<br>", " "))
    text = re.sub(r"\]\((?:[^()\s]|\([^()]*\))*(?: \"[^\"]*\")?\)", " ", text)
    text = re.sub(r"^([ >:-]*)\d+\. ", r"\1", text, flags=re.MULTILINE)
    return WORD.findall(re.sub(r"[*\\`]", "", text))


def shares(source: list[str], made: list[str]) -> Shares:
    """Return what of a book's words is in an output."""
    left, right = Counter(source), Counter(made)
    total = max(1, len(source))
    runs = _runs(source)
    return Shares(
        kept=1 - (left - right).total() / total,
        doubled=(right - left).total() / total,
        in_order=(runs & _runs(made)).total() / runs.total() if runs else 1.0,
    )


def _runs(words: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(GRAM)), strict=False))


def pandoc_words(path: Path) -> list[str] | None:
    """Return the words of what pandoc makes of a book, or None if it makes nothing."""
    command = [pypandoc.get_pandoc_path(), "-f", "epub", "-t", PANDOC_FORMAT, "--wrap=none"]
    found = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return words_of(found.stdout) if found.returncode == 0 else None
