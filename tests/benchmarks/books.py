"""Hold books against what they become, beside pandoc, and measure large ones.

`python tests/benchmarks/books.py BOOK.epub…` prints a table: words of the visible XHTML that are
kept, words that are doubled, runs of five words in their order, formulas. The words of the source
are taken with BeautifulSoup, apart from the reader that is measured. pandoc is looked for in the
path; without it its columns are empty. `--large` measures a book of 10,000 formulas and one of 6
million letters in 2,000 documents, each in a process of its own.
"""

import io
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from resonare_pipeline.books.chapters import make_chapters
from resonare_pipeline.books.opening import open_book
from resonare_pipeline.errors import InputError
from tests.books.making import MATH, epub

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+(?:['’][^\W\d_]+)*|\d")
BLOCKS = frozenset(
    "p div li td th tr h1 h2 h3 h4 h5 h6 section article blockquote dt dd figcaption caption br "  # noqa: SIM905  # a list of 37 words
    "pre ul ol table aside header footer hgroup body sup sub rt".split()
)
UNSEEN = frozenset({"head", "script", "style", "nav", "template", "rp"})
GRAM = 5
PANDOC_FORMAT = (
    "markdown-raw_html-native_divs-native_spans-fenced_divs-bracketed_spans-header_attributes"
    "-link_attributes-fenced_code_attributes-smart"
)


def source_texts(path: Path) -> Iterator[BeautifulSoup]:
    """Yield the documents of a book's spine, with nothing but BeautifulSoup and the ZIP."""
    with zipfile.ZipFile(path) as archive:
        container = BeautifulSoup(archive.read("META-INF/container.xml"), "xml")
        roots = [str(root["full-path"]) for root in container.find_all("rootfile")]
        package = roots[0]
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
            if child.name in ("img", "image"):
                parts.append(f" {child.get('alt', '')} ")
            elif child.name.rpartition(":")[2] != "math":
                visible(child, parts)
            parts.append(" " if child.name in BLOCKS else "")


def _is_unseen(node: Tag) -> bool:
    classes = str(node.get("class", ""))
    is_page = "pagebreak" in str(node.get("epub:type", "")) or "pageno" in classes
    hidden = node.has_attr("hidden") or node.get("aria-hidden") == "true"
    return node.name in UNSEEN or is_page or hidden


def words_of(text: str) -> list[str]:
    """Return the words of Markdown, ours or pandoc's, without formulas and targets of links."""
    text = re.sub(r"\$\$.+?\$\$|(?<![\\$])\$(?:[^$\\]|\\.)+?\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\((?:[^()\s]|\([^()]*\))*(?: \"[^\"]*\")?\)|<https?:[^>]*>", " ", text)
    text = re.sub(r"^([ >:-]*)\d+\. ", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"\[\^[^\]]*\]:?", " ", text.replace("<br>", " "))
    return WORD.findall(re.sub(r"[*\\`]", "", text))


def grams(words: list[str]) -> Counter[tuple[str, ...]]:
    """Return the runs of five words."""
    return Counter(zip(*(words[start:] for start in range(GRAM)), strict=False))


def shares(source: list[str], made: list[str]) -> str:
    """Return kept, doubled and in order, in per cent of the source."""
    left, right = Counter(source), Counter(made)
    total = max(1, len(source))
    runs = grams(source)
    in_order = (runs & grams(made)).total() / runs.total() if runs else 1.0
    kept = 1 - (left - right).total() / total
    return f"{kept:8.3%} {(right - left).total() / total:8.3%} {in_order:8.3%}"


def pandoc(path: Path) -> str | None:
    """Return what pandoc makes of a book, or None if it makes nothing."""
    program = shutil.which("pandoc")
    if program is None:
        return None
    command = [program, "-f", "epub", "-t", PANDOC_FORMAT, "--wrap=none", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else None


def compare(path: Path) -> None:
    """Print one book's line."""
    try:
        with path.open("rb") as stream:
            book = open_book(stream, path.name)
    except InputError as error:
        sys.stdout.write(f"{path.name[:44]:44} refused: {error.found[:60]}\n")
        return
    made = "\n\n".join(row["text"] for row in make_chapters(book, "book", depth=3).rows)
    parts: list[str] = []
    formulas = 0
    for document in source_texts(path):
        visible(document, parts)
        formulas += len(document.find_all(re.compile("(^|:)math$")))
    source = WORD.findall("".join(parts))
    other = pandoc(path)
    beside = shares(source, words_of(other)) if other is not None else "       –        –        –"
    sys.stdout.write(
        f"{path.name[:44]:44} {len(source):7} {shares(source, words_of(made))} "
        f"{book.formulas:3}/{formulas:<3} {beside}\n"
    )


def formula(number: int) -> str:
    """Return a formula as textbooks have them."""
    return (
        f"<math xmlns='{MATH}'><msup><mi>x</mi><mn>{number}</mn></msup><mo>+</mo><mfrac><mi>a</mi>"
        f"<msqrt><mi>b</mi><mo>−</mo><mn>{number * 7}</mn></msqrt></mfrac><mo>=</mo><munderover>"
        "<mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msub>"
        "<mi>x</mi><mi>i</mi></msub></math>"
    )


def large_books() -> Iterator[tuple[str, bytes]]:
    """Yield a book of many formulas and one of many documents."""
    draw = random.Random(7)  # noqa: S311  # a text that is the same each time
    bodies = {
        f"c{c}.xhtml": f"<h1>Chapter {c}</h1>"
        + "".join(f"<p>Let {formula(c * 500 + n)} hold.</p>" for n in range(500))
        for c in range(20)
    }
    yield "10,000 formulas", epub(bodies)
    letters = "abcdefghijklmnopqrstuvwxyz"
    known = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(5000)]
    pages = {
        f"c{c}.xhtml": f"<h1>Chapter {c}</h1>"
        + "".join(f"<p>{' '.join(draw.choices(known, k=75))}<b>x</b></p>" for _ in range(6))
        for c in range(2000)
    }
    contents = "".join(f"<li><a href='{name}'>Chapter {name}</a></li>" for name in pages)
    yield "6 million letters, 2,000 documents", epub(pages, contents=contents)


def measure(path: str) -> None:
    """Read a book, and print seconds and memory of this process."""
    started = time.perf_counter()
    content = io.BytesIO(Path(path).read_bytes())
    made = make_chapters(open_book(content, "book"), "book", depth=3)
    letters = sum(len(row["text"]) for row in made.rows)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{len(made.rows)} rows, {letters} letters: {seconds:.1f} s, {peak:.0f} MB\n")


def main() -> None:
    """Do what the command line says."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--measure"]:
        measure(arguments[1])
    elif arguments == ["--large"]:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in large_books():
                path = Path(folder) / "book.epub"
                path.write_bytes(content)
                sys.stdout.write(f"{name}: ")
                sys.stdout.flush()
                command = [sys.executable, __file__, "--measure", str(path)]
                subprocess.run(
                    command, check=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
                )
    else:
        sys.stdout.write(
            f"{'':44} {'words':>7} {'kept':>8} {'doubled':>8} {'order':>8} formulas"
            f" {'pandoc: kept':>8} {'doubled':>8} {'order':>8}\n"
        )
        for argument in arguments:
            compare(Path(argument))


if __name__ == "__main__":
    main()
