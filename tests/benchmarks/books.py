"""Hold books against what they become, beside pandoc, and measure large ones.

`python tests/benchmarks/books.py BOOK.epub…` prints a table: words of the visible XHTML that are
kept, words that are doubled, runs of five words in their order, formulas; beside it, what pandoc
makes of the same book. `tests/books/proof.py` says how that is measured. `--large` measures a book
of 10,000 formulas and one of 6 million letters in 2,000 documents, each in a process of its own.
"""

import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from resonare_pipeline.books.chapters import make_chapters
from resonare_pipeline.books.opening import open_book
from resonare_pipeline.errors import InputError
from tests.books.making import MATH, epub
from tests.books.proof import Shares, pandoc_words, prove, shares


def columns(found: Shares | None) -> str:
    """Return kept, doubled and in order in per cent."""
    if found is None:
        return "       –        –        –"
    return f"{found.kept:8.3%} {found.doubled:8.3%} {found.in_order:8.3%}"


def compare(path: Path) -> None:
    """Print one book's line."""
    try:
        proof = prove(path)
    except InputError as error:
        sys.stdout.write(f"{path.name[:44]:44} refused: {error.found[:60]}\n")
        return
    other = pandoc_words(path)
    beside = shares(proof.source, other) if other is not None else None
    sys.stdout.write(
        f"{path.name[:44]:44} {len(proof.source):7} {columns(shares(proof.source, proof.made))} "
        f"{proof.written:3}/{proof.formulas:<3} {columns(beside)}\n"
    )
    sys.stdout.flush()


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
