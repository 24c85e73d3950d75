r"""Text → Markdown that shows the same text. TeX in it stays as it is.

TeX in a text: between `$$`, `\(` and `\)`, `\[` and `\]`, in an environment, and between single
dollars if it looks like mathematics, so that prices are none.
"""

import re

CALL_START, CALL_END = "\ufdd0", "\ufdd1"  # no characters, so that no book holds them
_CALL = re.compile(f"{CALL_START}(\\d+){CALL_END}")
TEX = re.compile(
    r"\$\$(?:[^$\\]|\\.)+?\$\$"
    r"|\\\((?:(?!\\\().)+?\\\)"
    r"|\\\[(?:(?!\\\[).)+?\\\]"
    r"|\\begin\{(?P<environment>[A-Za-z]+\*?)\}.{1,4000}?\\end\{(?P=environment)\}"
    r"|\$(?=[^$]{1,400}\$)(?![\s\d]+[^$\\_^=]*\$)(?=\w\$|-?\w\w\$|[^$]*[\\_^=+<>])(?!\s)(?:[^$\\]|\\.)+?(?<!\s)\$(?!\d)",
    re.DOTALL,
)
_WHITE = re.compile(r"[ \t\n\r\f]+")
_BETWEEN_IDEOGRAPHS = re.compile(
    r"(?<=[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60])[ \t]*\n[ \t\n]*"
    r"(?=[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60])"
)
_SPECIAL = re.compile(
    r"[\\`*$]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|~(?=~)|\[(?=\^)|&(?=#?\w+;)|!(?=\[)|\](?=\()"
)
_LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|>|:(?=\s)|={2,}$|-{2,}$|\|)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def collapsed(text: str) -> str:
    """Return text with white space as a browser shows it; none between lines of ideographs."""
    if "\n" in text and not text.isascii():
        text = _BETWEEN_IDEOGRAPHS.sub("", text)
    return _WHITE.sub(" ", text)


def escaped(text: str) -> str:
    """Return a piece of text with signs escaped that Markdown would take for its own."""
    if "$" not in text and "\\" not in text:
        return _SPECIAL.sub(r"\\\g<0>", text)
    parts: list[str] = []
    done = 0
    for found in TEX.finditer(text):
        parts.append(_SPECIAL.sub(r"\\\g<0>", text[done : found.start()]))
        parts.append(found.group())
        done = found.end()
    parts.append(_SPECIAL.sub(r"\\\g<0>", text[done:]))
    return "".join(parts)


def paragraph(text: str, *, in_cell: bool = False) -> str:
    """Return inline Markdown as a paragraph: trimmed, and with hard breaks where lines end.

    Args:
        in_cell: It stands in a table, where no sign at the beginning of a line means anything.
    """
    if not text.strip():
        return ""
    rows = re.sub(" {2,}", " ", text).split("\n")
    lines = [line.lstrip(" ").rstrip(" \u00a0") for line in rows]  # none may break after the last
    while lines and not lines[0]:
        del lines[0]
    kept = lines if in_cell else [_line_start(line) for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    return re.sub(r"(  \n){2,}", "\n\n", "  \n".join(kept)) if kept else ""


def _line_start(line: str) -> str:
    line = _LINE_START.sub(lambda found: f"\\{found.group()}", line)
    return _NUMBERED.sub(r"\1\\\2", line)


def one_line(text: str) -> str:
    """Return inline Markdown on one line, as headings need it."""
    return re.sub(r"\s+", " ", text).strip(" ")


def code_span(text: str) -> str:
    """Return inline code; the fence is longer than any run of backticks in it."""
    text = text.replace("\n", " ")
    runs = re.findall(r"`+", text)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str, language: str) -> str:
    """Return a block of code with its exact white space."""
    runs = re.findall(r"`{3,}", text)
    fence = "`" * max(3, max(map(len, runs), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def call(key: int) -> str:
    """Return the mark of a note's call; labels are given when chapters are put together."""
    return f"{CALL_START}{key}{CALL_END}"


def labelled(text: str, shown: dict[int, str]) -> str:
    """Return text with what is shown for each note in the places of its calls."""
    return _CALL.sub(lambda found: shown[int(found.group(1))], text)
