"""Real books held against what they become, and against two other readers of EPUB."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ebooklib import epub

from resonare_pipeline.books.opening import Book, open_book
from resonare_pipeline.errors import InputError
from tests.books.proof import Proof, prove, shares

BOOKS = Path(__file__).parents[1] / "data" / "books"
REFUSED = {
    "epubcheck_ocf-zip-unreadable-image-with-epub-extension-fatal": "it is no ZIP archive",
    "epubcheckdir_ocf-encryption-unknown-valid": "its text is protected against copying",
    "versone_Malformed_MissingToc": "names no text that the archive holds",
    "versone_Workarounds_Xml11": "names no text that the archive holds",
}
READABLE = sorted(path.stem for path in BOOKS.glob("*.epub") if path.stem not in REFUSED)
WORDS = {
    "docling_purvis_poetry": 3134,
    "epubcheck_ocf-minimal-valid": 4,
    "epubcheckdir_nav-toc-missing-error": 4,
    "epubcheckdir_opf-manifest-item-resource-missing-error": 4,
    "epubcheckdir_opf-spine-missing-error": 4,
    "epubcheckdir_package-mathml-valid": 0,
    "epubjs_alice": 9932,
    "idpf_childrens-literature": 54973,
    "readium_tiny_mathml": 851,
    "se_problems-of-philosophy": 43927,
    "unstructured_winter-sports": 61660,
    "versone_Typical_EPUB2": 8,
    "versone_Typical_EPUB3": 8,
}
"""Words that a reader sees, so that a measure that sees fewer of them is found."""
LEAST_KEPT = 0.999
MOST_DOUBLED = 0.001
LEAST_IN_ORDER = 0.99


@pytest.fixture(scope="module", params=READABLE)
def proof(request: pytest.FixtureRequest) -> tuple[str, Proof]:
    return request.param, prove(BOOKS / f"{request.param}.epub")


def test_a_book_keeps_its_words_once_and_in_order(proof: tuple[str, Proof]) -> None:
    name, found = proof
    assert len(found.source) == WORDS[name]
    measured = shares(found.source, found.made)
    assert measured.kept >= LEAST_KEPT
    assert measured.doubled <= MOST_DOUBLED
    assert measured.in_order >= LEAST_IN_ORDER


def test_a_book_keeps_all_formulas(proof: tuple[str, Proof]) -> None:
    _, found = proof
    assert found.written == found.formulas


def test_formulas_are_among_the_books(proof: tuple[str, Proof]) -> None:
    name, found = proof
    counts = {"readium_tiny_mathml": 14, "epubcheckdir_package-mathml-valid": 1}
    assert found.formulas == counts.get(name, 0)


@pytest.mark.parametrize(("name", "sentence"), list(REFUSED.items()))
def test_what_is_no_readable_book_is_refused_with_its_reason(name: str, sentence: str) -> None:
    path = BOOKS / f"{name}.epub"
    with path.open("rb") as stream, pytest.raises(InputError, match=re.escape(sentence)):
        open_book(stream, path.name)


def test_shares_tell_what_is_lost_doubled_and_moved() -> None:
    words = [str(number) for number in range(100)]
    assert shares(words, words[1:]).kept == pytest.approx(0.99)
    assert shares(words, [*words, "7"]).doubled == pytest.approx(0.01)
    assert shares(words, words[50:] + words[:50]).in_order == pytest.approx(92 / 96)


ONLY_OURS = (
    "epubcheckdir_nav-toc-missing-error",  # no nav: EbookLib ends in an IndexError
    "epubcheckdir_opf-manifest-item-resource-missing-error",  # a font is missing: a KeyError
    "epubcheckdir_opf-spine-missing-error",  # no spine: a TypeError
)
LABELS = {"Capitolo 1": "Chapter 1"}
"""EbookLib takes the last label of an entry in several languages, we take the first."""


def opened(name: str) -> Book:
    path = BOOKS / f"{name}.epub"
    with path.open("rb") as stream:
        return open_book(stream, path.name)


def titles(entries: Sequence[Any]) -> Iterator[str]:
    """Yield EbookLib's titles in order; an entry with others below it is a pair."""
    for entry in entries:
        own, below = entry if isinstance(entry, tuple) else (entry, ())
        yield " ".join(str(own.title).split())
        yield from titles(below)


@pytest.mark.parametrize("name", [name for name in READABLE if name not in ONLY_OURS])
def test_spine_and_contents_are_as_ebooklib_reads_them(name: str) -> None:
    ours = opened(name)
    theirs = epub.read_epub(BOOKS / f"{name}.epub", {"ignore_ncx": bool(ours.package.nav)})
    named = [(theirs.get_item_with_id(key), linear) for key, linear in theirs.spine if key]
    documents = [(item.get_name(), linear != "no") for item, linear in named]
    found = [(item.name, item.linear) for item in ours.package.spine]
    assert [linear for _, linear in found] == [linear for _, linear in documents]
    for (mine, _), (other, _) in zip(found, documents, strict=True):
        assert mine.endswith(f"/{other}")
    # What leads nowhere is a title over others; EbookLib leaves it out of what it takes from nav.
    leading = [entry.path[-1] for entry in ours.contents if entry.document]
    known = [LABELS.get(title, title) for title in titles(theirs.toc)]
    headings = {entry.path[-1] for entry in ours.contents if not entry.document}
    assert [" ".join(title.split()) for title in leading] == [t for t in known if t not in headings]


@pytest.mark.parametrize("name", ONLY_OURS)
def test_books_that_ebooklib_fails_on_are_read(name: str) -> None:
    with pytest.raises((IndexError, KeyError, TypeError)):
        epub.read_epub(BOOKS / f"{name}.epub", {"ignore_ncx": True})
    assert opened(name).documents
