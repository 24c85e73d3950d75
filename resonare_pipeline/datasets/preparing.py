"""Lines of a source → rows with text redacted, counted and guessed at: what workers do.

Each line is looked at by itself. Which rows are taken is decided later, in `mixing`.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from resonare_pipeline.counting import O200kTokenizer
from resonare_pipeline.datasets.candidates import DropReason, Note, Row
from resonare_pipeline.datasets.languages import guess_language
from resonare_pipeline.datasets.settings import DatasetSettings
from resonare_pipeline.datasets.sources import SourceRow, SourceTurn, decode_row
from resonare_pipeline.privacy.audit import audit
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import covers_all
from resonare_pipeline.rows import Turn
from resonare_pipeline.tokenizers import Tokenizer

ASSISTANT = "assistant"
SYSTEM = "system"
CONTENT_BYTES = 16  # of a hash that tells conversations apart
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


class Lines(NamedTuple):
    """Neighbouring lines of a source.

    Attributes:
        first: Number of the first, from 1.
    """

    first: int
    lines: list[bytes]


class Prepared(NamedTuple):
    """One example: a note of it, its root, and its row as the spool keeps it."""

    note: Note
    root_id: str
    row: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """All that decides what becomes of one source's lines; it can be sent to a worker.

    Attributes:
        where: Name of the source, for messages.
        source: Its number.
        redactor: None leaves texts as they are.
        drops_sensitive: An example in which a sensitive word stands is left out.
    """

    where: str
    source: int
    redactor: Redactor | None
    drops_sensitive: bool
    tokenizer: Tokenizer
    settings: DatasetSettings


def prepare_lines(part: Lines, *, preparer: Preparer) -> list[Prepared]:
    """Prepare some lines of a source.

    Raises:
        StageError: For a line that is no example.
    """
    decoder = msgspec.json.Decoder(SourceRow)
    encoder = msgspec.msgpack.Encoder()
    return [
        _prepare(decode_row(line, decoder, f"{preparer.where}, line {number}"), preparer, encoder)
        for number, line in enumerate(part.lines, start=part.first)
    ]


def _prepare(row: SourceRow, preparer: Preparer, encoder: msgspec.msgpack.Encoder) -> Prepared:
    redactions: Counter[str] = Counter()
    left: Counter[str] = Counter()
    redactor, sensitive = preparer.redactor, False
    is_clean = (
        redactor is not None and covers_all(redactor.settings) and not redactor.settings.regions
    )
    turns: list[Turn] = []
    for turn in row.messages:
        content = turn.text
        if redactor is not None:
            redacted = redactor.redact(content)
            content, sensitive = redacted.text, sensitive or redacted.sensitive
            redactions.update(redacted.counts)
        left.update(audit(content, is_redacted=is_clean))
        turns.append(Turn(role=turn.role, content=content, weight=_weight(turn)))
    tools = _tools(bytes(row.tools), redactor, redactions)
    made = _row(row, tuple(turns), tools, preparer.tokenizer)
    reason = _reason(made, preparer.settings)
    if not all(turn.is_plain for turn in row.messages):
        reason = DropReason.NOT_PLAIN
    if sensitive and preparer.drops_sensitive:
        reason = DropReason.SENSITIVE_WORD
    note = Note(
        example_id=made.example_id,
        source=preparer.source,
        root=-1,
        content=_content_hash(made.messages, tools),
        started_us=made.started_us,
        ended_us=made.ended_us,
        turns=made.turns,
        tokens=made.tokens,
        trained_tokens=made.trained_tokens,
        openai_tokens=min(
            _openai_tokens(made, preparer.tokenizer), preparer.settings.openai_max_tokens
        ),
        language=made.language,
        size=sum(len(turn.content.encode("utf-8", "replace")) for turn in turns),
        mock=made.mock,
        redactions=_plain(redactions),
        left=_plain(left),
        reason=reason,
    )
    return Prepared(note, made.root_id, encoder.encode(made))


def _tools(content: bytes, redactor: Redactor | None, redactions: Counter[str]) -> str | None:
    """Return tools as JSON, with every text in them redacted."""
    if not content or content == b"null":
        return None
    if redactor is None:
        return content.decode()

    def clean(value: object) -> object:
        match value:
            case str():
                redacted = redactor.redact(value)
                redactions.update(redacted.counts)
                return redacted.text
            case list():
                return [clean(item) for item in value]
            case dict():
                return {name: clean(item) for name, item in value.items()}
        return value

    return msgspec.json.encode(clean(msgspec.json.decode(content))).decode()


def _weight(turn: SourceTurn) -> int | None:
    if turn.role != ASSISTANT:
        return None
    return 1 if turn.weight is None else turn.weight


def _row(row: SourceRow, turns: tuple[Turn, ...], tools: str | None, tokenizer: Tokenizer) -> Row:
    trained = [turn.content for turn in turns if turn.weight]
    spoken = [turn for turn in turns if turn.role != SYSTEM]
    return Row(
        example_id=row.metadata.example_id,
        messages=turns,
        tools=tools,
        root_id=row.root_id,
        turns=len(spoken),
        tokens=tokenizer.count_conversation(_mappings(turns)),
        trained_tokens=sum(tokenizer.count_texts(trained)),
        language=guess_language(turn.content for turn in spoken),
        started_us=_microseconds(row.metadata.started_at),
        ended_us=_microseconds(row.metadata.ended_at),
        block_id=row.metadata.block_id,
        mock=row.metadata.mock,
    )


def _mappings(turns: tuple[Turn, ...]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in turns]


def _openai_tokens(row: Row, tokenizer: Tokenizer) -> int:
    if isinstance(tokenizer, O200kTokenizer):
        return row.tokens
    return O200kTokenizer().count_conversation(_mappings(row.messages))


def _microseconds(time: str) -> int | None:
    return (dt.datetime.fromisoformat(time) - EPOCH) // MICROSECOND if time else None


def _content_hash(turns: tuple[Turn, ...], tools: str | None) -> bytes:
    parts = msgspec.json.encode([[(turn.role, turn.content) for turn in turns], tools])
    return hashlib.sha256(parts).digest()[:CONTENT_BYTES]


def _reason(row: Row, settings: DatasetSettings) -> str:
    if not any(turn.weight for turn in row.messages):
        return DropReason.NO_ANSWER
    if row.turns < settings.min_turns:
        return DropReason.TOO_FEW_TURNS
    if row.tokens < settings.min_tokens:
        return DropReason.TOO_FEW_TOKENS
    if settings.max_tokens is not None and row.tokens > settings.max_tokens:
        return DropReason.TOO_MANY_TOKENS
    return ""


def _plain(counts: Mapping[str, int]) -> dict[str, int] | None:
    return {str(kind): count for kind, count in counts.items() if count} or None
