"""What a dataset holds, in numbers: `summary.json` beside its shards.

Written by the making of the dataset; the card, the report and publishing read it. No message text
and no person's name stand in it.
"""

import msgspec

SUMMARY_FILE = "summary.json"
SPLITS = ("train", "validation", "test")


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One split.

    Attributes:
        examples: Rows, copies by weight included.
        roots: Chats, books and so on that the rows come from.
        turns: Without the system's.
        num_bytes: Of the rows in memory, as the Hub's `dataset_info` counts them.
        openai_examples: Lines of the file for OpenAI.
        openai_left_out: Reason → examples that OpenAI's rules do not allow.
        openai_tokens: Tokens of one epoch that OpenAI would bill.
    """

    examples: int
    roots: int
    turns: int
    tokens: int
    trained_tokens: int
    num_bytes: int
    openai_examples: int
    openai_left_out: dict[str, int]
    openai_tokens: int


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One source: a partition of an asset.

    Attributes:
        read: Examples that it offered.
        examples: Rows of the dataset, copies by weight included.
        dropped: Reason → examples left out.
        redactions: Kind → replacements in its examples, those left out apart.
    """

    asset: str
    read: int
    examples: int
    tokens: int
    weight: float
    dropped: dict[str, int]
    redactions: dict[str, int]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A whole dataset.

    Attributes:
        sources: Full partition name (`chats/alice`) → what it gave.
        splits: Name → numbers, of the splits that are not empty.
        dropped: Reason → examples left out, over all sources.
        redacted: Whether texts were redacted.
        redactions: Kind → replacements in the examples that stayed.
        left: Kind → what an audit of the finished rows still suspects.
        languages: ISO 639-1 code, or `und` → examples.
        absent: Sources that were not ready.
        mock_examples: Examples with an answer of a mock.
        notes: What a person should know, in sentences.
        training: Epochs, tokens and `cost_usd` that OpenAI's training is estimated at.
        settings: Section → effective settings that made it.
    """

    name: str
    license: str
    examples: int
    tokens: int
    redacted: bool
    sources: dict[str, SourceSummary]
    splits: dict[str, SplitSummary]
    dropped: dict[str, int]
    redactions: dict[str, int]
    left: dict[str, int]
    languages: dict[str, int]
    absent: tuple[str, ...]
    mock_examples: int
    notes: tuple[str, ...]
    training: dict[str, float]
    tokenizer: str
    settings: dict[str, dict[str, object]]


def encode_summary(summary: Summary) -> bytes:
    """Return the summary as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n"


def decode_summary(content: bytes) -> Summary:
    """Return the summary that `encode_summary` has written."""
    return msgspec.json.decode(content, type=Summary)
