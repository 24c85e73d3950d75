"""The line of each message, and its tokens: what workers do for the stage that cuts chats.

A batch of texts in, numbers out. Which texts, and what becomes of the numbers, is not known here.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.chats.rendering import is_blank
from resonare_pipeline.tokenizers import Tokenizer


class Texts(NamedTuple):
    """Texts of messages, and what their lines begin with.

    Attributes:
        texts: Of strings.
        who: For each text, a number into `heads`.
        heads: Beginnings of lines.
    """

    texts: pa.Array
    who: npt.NDArray[np.int64]
    heads: list[str]


class Counted(NamedTuple):
    """Texts that show something, counted.

    Attributes:
        shown: For each text, whether it shows anything.
        alone: Tokens of the line of each text that does.
        joined: The same with the separator behind the line.
        lines: Those lines, if they were asked for.
    """

    shown: npt.NDArray[np.bool_]
    alone: npt.NDArray[np.int64]
    joined: npt.NDArray[np.int64]
    lines: list[str]


def count_lines(texts: Texts, *, tokenizer: Tokenizer, separator: str, keep_lines: bool) -> Counted:
    """Make and count the lines of texts, blank ones left out.

    Args:
        texts: The texts.
        tokenizer: Counts.
        separator: What joins a line to the next.
        keep_lines: Whether the lines are wanted, too.
    """
    heads = texts.heads
    stripped: list[str] = [text.strip() for text in texts.texts.to_pylist()]
    # Nearly all texts begin with a sign that shows, and need no closer look.
    shown = [(text[:1].isprintable() and text != "") or not is_blank(text) for text in stripped]
    lines = [
        heads[who] + text
        for who, text, shows in zip(texts.who.tolist(), stripped, shown, strict=True)
        if shows
    ]
    alone, joined = tokenizer.line_counts(lines, separator)
    return Counted(
        shown=np.array(shown, np.bool_),
        alone=np.array(alone, np.int64),
        joined=np.array(joined, np.int64),
        lines=lines if keep_lines else [],
    )
