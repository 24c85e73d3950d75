"""Pages that are images of pages: what a scanned book is made of. Nothing is read out of them."""

import re
from collections.abc import Collection

from resonare_pipeline.books.opening import Document
from resonare_pipeline.books.package import Reason
from resonare_pipeline.books.trees import Node, walk
from resonare_pipeline.books.words import word_count
from resonare_pipeline.errors import InputError

LONGEST_LABEL = 8  # words of an image's text, such as "Page 7"; a description has more
FEWEST_WORDS = 50  # that a book has for each image of a page; a printed page has some 300
IMAGE_TAGS = frozenset({"img", "image", "picture", "object"})
_IMAGE = re.compile(r"(?<!\\)!\[((?:[^\]\\]|\\.)*)\]\([^()\s]*\)")
_LETTER = re.compile(r"[^\W\d_]")


def is_image_page(document: Document, tree: Node) -> bool:
    """Tell whether a document holds images, and no word but short labels of theirs."""
    if not document.blocks:
        return not document.is_menu and any(node.tag in IMAGE_TAGS for node in walk(tree))
    labels: list[str] = []
    for block in document.blocks:
        labels += _IMAGE.findall(block.text)
        if _LETTER.search(_IMAGE.sub("", block.text)):
            return False
    return bool(labels) and word_count(" ".join(labels)) <= LONGEST_LABEL * len(labels)


def refuse_scan(
    left_out: Collection[tuple[str, Reason]], documents: int, words: int, where: str
) -> None:
    """Refuse a book whose pages are images, and whose text is in these.

    Args:
        documents: Of its spine, those that are images included.
        words: Of its chapters.

    Raises:
        InputError: If most documents are images of pages and the others cannot be their text.
    """
    images = sum(reason is Reason.IMAGE for _, reason in left_out)
    is_mostly_images = images * 2 > documents and words < images * FEWEST_WORDS
    if not images or (words and not is_mostly_images):
        return
    held = "1 word" if words == 1 else f"{words} words"
    raise InputError(
        f"{images} of its {documents} pages are images, and the others hold {held}",
        where=where,
        expected="a book with text; text in images is not recognised here",
        remedy="Have its text recognised (OCR) by another program, or get an edition with text",
    )
