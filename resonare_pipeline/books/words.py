"""Words of Markdown and of documents, counted alike, so that one can be held against the other."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from resonare_pipeline.books.formula_images import tex_of_image
from resonare_pipeline.books.markdown.escaping import TEX
from resonare_pipeline.books.markdown.listing import numbered
from resonare_pipeline.books.trees import BLOCK_TAGS, Node, has_text
from resonare_pipeline.books.visibility import is_unseen

# Letters run together, digits and ideographs are counted one by one: so `H_2O` and `10^{-3}` have
# the words of the page, whatever the writing of scripts puts between them.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\d_]+(?:['’][^\W\d_]+)*|\d")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LETTERS = r"(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[^\W_])+"
_COUNTED = re.compile(rf"{_IDEOGRAPH.pattern}|{_LETTERS}(?:['’.,·-]{_LETTERS})*")
_FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?:[^$\\]|\\.)+?\$", re.DOTALL)
_TEX = re.compile(
    r"\\\((?:(?!\\\().)+?\\\)|(?<!\\)\\\[(?![\^\]])(?:(?!\\\[).)+?\\\]"
    r"|\\begin\{([A-Za-z]+\*?)\}.{1,4000}?\\end\{\1\}",
    re.DOTALL,
)
_TARGET = re.compile(r"(?<!\\)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_FENCE = re.compile(r"^([> ]*`{3,})\S*$", re.MULTILINE)


def word_count(text: str) -> int:
    """Return how many words a text has; each ideograph is one, targets of links are none."""
    return sum(1 for _ in _COUNTED.finditer(_TARGET.sub("]", text)))


def words_of_markdown(text: str) -> Counter[str]:
    """Return the words of Markdown: without its formulas and targets of links."""
    text = _TEX.sub(" ", _FORMULA.sub(" ", text))
    text = _TARGET.sub("", text)
    text = _FENCE.sub(r"\1", text)
    text = text.replace("<br>", " ")
    text = re.sub(r"[*\\`]", "", text)
    return Counter(WORD.findall(text))


def words_of_tree(tree: Node) -> Counter[str]:
    """Return the words of a document that a reader sees, without its formulas.

    Written apart from the writing of Markdown, so that this can be checked by it: a plain walk over
    all texts. What stands for an image counts as one does not see the image here.
    """
    return Counter(WORD.findall("".join(_seen(tree))))


def _seen(tree: Node) -> Iterable[str]:
    stack: list[Node | str] = [tree]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            yield TEX.sub(" ", here) if "\\" in here or "$" in here else here
            continue
        is_named = here.tag in ("title", "desc")  # of a drawing; it is seen as little as its lines
        if is_unseen(here) or here.tag == "math" or is_named:
            yield " " if here.tag in BLOCK_TAGS or here.tag == "math" else ""
            continue
        if here.tag in ("img", "image") and "presentation" not in here.get("role"):
            yield " " if tex_of_image(here) else f" {TEX.sub(' ', here.get('alt'))} "
            continue
        if here.tag == "ol":
            stack += reversed(list(_numbered(here)))
            continue
        if here.tag == "switch":
            stack.append(next((item for item in here.elements() if item.tag == "default"), " "))
            continue
        apart = here.tag in BLOCK_TAGS or here.tag in ("br", "sup", "sub", "rt", "text")
        stack += [" " if apart else "", *reversed(here.children), " " if apart else ""]


def _numbered(node: Node) -> Iterator[Node | str]:
    """Yield the items of a list, each after its number as Markdown spells it."""
    for child, numeral in numbered(node):
        yield f" {numeral} " if has_text(child) and not is_unseen(child) else " "
        yield child
