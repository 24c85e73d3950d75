"""What a document holds for a reader to see, counted by a plain walk apart from the writing."""

from resonare_pipeline.books.trees import Node, find
from resonare_pipeline.books.visibility import is_unseen

MATHML = "http://www.w3.org/1998/Math/MathML"


def visible_formulas(tree: Node) -> int:
    """Return how many elements of MathML a reader sees."""
    count = 0
    stack = [tree]
    while stack:
        node = stack.pop()
        if is_unseen(node):
            continue
        if node.tag == "math":
            count += bool(node.text().strip() or node.get("alttext").strip())
            continue
        inside = list(node.elements())
        if node.tag == "switch":
            inside = _shown_case(inside)
        stack += inside
    return count


def _shown_case(cases: list[Node]) -> list[Node]:
    for case in cases:
        if case.get("required-namespace") == MATHML and find(case, "math") is not None:
            return [case]
    return [case for case in cases if case.tag == "default"] or cases[:1]
