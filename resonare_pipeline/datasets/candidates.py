"""Examples before it is decided which of them are taken: a small note of each, rows on a spool.

The notes of all examples are held in memory, some hundred bytes each; the rows never are.
"""

import tempfile
from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import Self

import msgspec

from resonare_pipeline.rows import Turn


class DropReason(StrEnum):
    """Why an example is left out."""

    TOO_FEW_TOKENS = "too_few_tokens"
    TOO_MANY_TOKENS = "too_many_tokens"
    TOO_FEW_TURNS = "too_few_turns"
    NO_ANSWER = "no_answer"  # nothing in it is trained on
    NOT_PLAIN = "not_plain"  # calls of tools and their results, or content that is not all text
    SENSITIVE_WORD = "sensitive_word"
    DUPLICATE = "duplicate"  # the same turns as another example, after redaction
    OUTSIDE_TIME = "outside_time"  # on the other side of `train_before`, or without a time
    OVER_LIMIT = "over_limit"
    UNWEIGHTED = "unweighted"  # a weight below 1


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared example, as it lies on the spool: what the table has of it, times in µs."""

    example_id: str
    messages: tuple[Turn, ...]
    tools: str | None
    root_id: str
    turns: int
    tokens: int
    trained_tokens: int
    language: str | None
    started_us: int | None
    ended_us: int | None
    block_id: str
    mock: bool


class Note(msgspec.Struct, kw_only=True, gc=False):
    """What must be known of an example to choose, order and count it.

    Attributes:
        example_id: Of the source's row: a hash of the text before redaction, never published.
        source: Number of its source.
        root: Number of its root.
        content: Hash of its turns.
        size: Bytes of text.
        openai_tokens: Tokens that OpenAI would bill for one epoch.
        redactions: Kind → replacements in it.
        left: Kind → what an audit still suspects.
        reason: Why it is left out, known before others are looked at; or empty.
    """

    example_id: str
    source: int
    root: int
    content: bytes
    started_us: int | None
    ended_us: int | None
    turns: int
    tokens: int
    trained_tokens: int
    openai_tokens: int
    language: str | None
    size: int
    mock: bool
    redactions: Mapping[str, int] | None
    left: Mapping[str, int] | None
    reason: str = ""
    offset: int = 0
    length: int = 0

    @property
    def public_id(self) -> str:
        """The example's id in the dataset: a hash of what stands there, and of nothing else."""
        return self.content.hex()


class Spool:
    """Rows on disk, written one after the other and read in any order; gone when it is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._decoder = msgspec.msgpack.Decoder(Row)
        self._end = 0

    def add(self, content: bytes) -> int:
        """Keep an encoded row, and return its offset."""
        offset = self._end
        self._file.write(content)
        self._end += len(content)
        return offset

    def row(self, note: Note) -> Row:
        """Return the row of a note."""
        self._file.seek(note.offset)
        return self._decoder.decode(self._file.read(note.length))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
