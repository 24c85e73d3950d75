"""TeX that a formula was made from, where it stands with it."""

import re

from resonare_pipeline.books.math.parts import stripped
from resonare_pipeline.books.trees import Node, find_all

TEX_ENCODINGS = (
    "application/x-tex",
    "application/x-latex",
    "text/x-tex",
    "tex",
    "latex",
    "text/x-latex",
)
_TEX_SIGNS = re.compile(r"\\[A-Za-z]+|[_^]\{|[_^]\w")
_SIMPLE = re.compile(r"[A-Za-z0-9]|[-+]?\d+([.,]\d+)?")
_DELIMITERS = re.compile(r"^(?:\\\[(.*)\\\]|\\\((.*)\\\)|\$\$(.*)\$\$|\$(.*)\$)$", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*\n?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_INNER = re.compile(r"(?<!\\)\$([^$]*)(?<!\\)\$")
_STYLED = re.compile(r"^\{?\\(?:displaystyle|textstyle)\s+(.*?)\}?$", re.DOTALL)


def written(math: Node) -> str:
    """Return the TeX that the formula was made from, where it stands with it."""
    for note in find_all(math, "annotation"):
        if note.get("encoding").lower() in TEX_ENCODINGS and (tex := bare(note.text())):
            return tex
    alternative = bare(math.get("alttext"))
    is_tex = _TEX_SIGNS.search(alternative) or _SIMPLE.fullmatch(alternative)
    return alternative if is_tex else ""


def bare(tex: str) -> str:
    """Return TeX without delimiters and without a command that only sets its size."""
    tex = tex.strip()
    if found := _DELIMITERS.match(tex):
        tex = next(group for group in found.groups() if group is not None).strip()
    if (found := _STYLED.match(tex)) and found.group(1).count("{") == found.group(1).count("}"):
        tex = found.group(1).strip()
    return tex


def sealed(tex: str) -> str:
    """Return TeX that can stand between dollars: no comment, empty line or dollar is in it."""
    tex = _BLANK_LINES.sub("\n", _COMMENT.sub(r"\1", tex))
    tex = _INNER.sub(r"\\(\1\\)", tex)
    return stripped(re.sub(r"(?<!\\)\$", r"\\$", tex))
