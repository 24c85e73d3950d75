"""The dataset card: README.md with a header that the Hub reads, and a body for people.

Header fields as documented in huggingface/hub-docs (datasetcard.md). Nothing that names a source or
a person stands here: the card is published with the data.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import yaml

from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.datasets.columns import COLUMNS
from resonare_pipeline.datasets.languages import UNKNOWN
from resonare_pipeline.datasets.layout import CARD_FILE
from resonare_pipeline.datasets.summary import Summary
from resonare_pipeline.rows import EXAMPLES

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
LARGEST = "100M<n<1B"
RARE = 0.01  # part of the examples below which a language is not named in the header

_DTYPES = {"int8": "int8", "int16": "int16", "int32": "int32", "string": "string"}


def write_card(summary: Summary, out: OutputDraft) -> None:
    """Write the card of a dataset whose other files are written."""
    sizes = {file.name: file.size for file in out.files}
    header = card_header(summary, sizes)
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=100)
    with out.open(CARD_FILE) as stream:
        stream.write(f"---\n{text}---\n\n{card_body(summary)}".encode())


def card_header(summary: Summary, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return the fields of the header.

    Args:
        sizes: File name → bytes, of the dataset's files.
    """
    named = [
        language
        for language, count in summary.languages.items()
        if language != UNKNOWN and count >= RARE * summary.examples
    ]
    header: dict[str, Any] = {"language": named} if named else {}
    return header | {
        "license": summary.license,
        "pretty_name": summary.name,
        "size_categories": [size_category(summary.examples)],
        "task_categories": ["text-generation"],
        "tags": ["conversational", "fine-tuning", "resonare-pipeline"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*"} for split in summary.splits
                ],
            }
        ],
        "dataset_info": {
            "features": features(EXAMPLES),
            "splits": [
                {"name": name, "num_bytes": split.num_bytes, "num_examples": split.examples}
                for name, split in summary.splits.items()
            ],
            "download_size": sum(size for name, size in sizes.items() if name.startswith("data/")),
            "dataset_size": sum(split.num_bytes for split in summary.splits.values()),
        },
    }


def size_category(examples: int) -> str:
    """Return the Hub's name for so many examples."""
    return next((name for below, name in SIZES if examples < below), LARGEST)


def features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return a schema as the Hub's `dataset_info` writes features."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = kind.value_type
        if pa.types.is_struct(inner):
            return {"list": [{"name": f.name, **_feature(f.type)} for f in inner]}
        return {"list": _feature(inner)["dtype"]}
    if pa.types.is_timestamp(kind):
        return {"dtype": f"timestamp[{kind.unit}, tz={kind.tz}]"}
    return {"dtype": _DTYPES[str(kind)]}


def card_body(summary: Summary) -> str:
    """Return the text for people, in Markdown."""
    parts = [
        f"# {_line(summary.name)}",
        "Conversations for fine-tuning language models, made by resonare_pipeline.",
        "## What is in it",
        _table(
            ("split", "examples", "roots", "turns", "tokens", "trained on"),
            [
                (name, s.examples, s.roots, s.turns, s.tokens, s.trained_tokens)
                for name, s in summary.splits.items()
            ],
        ),
        f"Tokens are those of `{summary.tokenizer}`, with the markup of the conversation. A root "
        "(chat, book, record) stands in one split only: the hash of its id decides which, so data "
        "that is added later moves nothing.",
        "```python\nfrom datasets import load_dataset\n\n"
        'data = load_dataset("parquet", data_files={"train": "data/train-*.parquet"})\n```',
        "`jsonl/` holds the same rows as JSON lines, `openai/` files that OpenAI's fine-tuning "
        "takes.",
        "### Columns",
        _table(("column", "meaning"), [(f"`{n}`", meaning) for n, meaning in COLUMNS.items()]),
        "## How it was made",
        _sources(summary),
        _counts("What was left out", "reason", summary.dropped, "Nothing was left out."),
        "### Languages (guessed)",
        _table(("language", "examples"), list(summary.languages.items())),
        _privacy(summary),
        _openai(summary),
        "## Settings",
        _settings(summary),
        "## Limits",
        "- These are conversations of a few people. What they say is neither representative nor "
        "checked for truth.\n"
        "- Languages are guessed; short conversations are often guessed wrong or not at all.\n"
        "- Redaction finds what looks like personal data. It cannot find what only people "
        "recognise: nicknames, places, events, ways of speaking.\n"
        "- Timestamps are those of the messages.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sources(summary: Summary) -> str:
    totals: dict[str, Counter[str]] = {}
    for name, source in summary.sources.items():
        group = totals.setdefault(name.partition("/")[0], Counter())
        group.update(sources=1, read=source.read, rows=source.examples, tokens=source.tokens)
    rows = [
        (name, count["sources"], count["read"], count["rows"], count["tokens"])
        for name, count in totals.items()
    ]
    text = _table(("kind", "sources", "examples read", "rows", "tokens"), rows)
    if summary.absent:
        text += f"\n\n{len(summary.absent)} sources were not ready and are not in it."
    return text


def _counts(title: str, name: str, counts: Mapping[str, int], none: str) -> str:
    if not counts:
        return f"### {title}\n\n{none}"
    return f"### {title}\n\n" + _table((name, "count"), list(counts.items()))


def _privacy(summary: Summary) -> str:
    if not summary.redacted:
        return (
            "## Privacy\n\n**Texts are not redacted, or not everything in them is.** They may hold "
            "names, numbers and secrets."
        )
    return "\n\n".join(
        (
            "## Privacy",
            "Texts are redacted in place: the names of participants, phone numbers, addresses, "
            "cards, accounts and secrets are replaced by placeholders or pseudonyms. Ids of chats "
            "and accounts are not in the data.",
            _counts("Replaced", "kind", summary.redactions, "Nothing was found to replace."),
            _counts(
                "Left, as far as a second look suspects, names apart",
                "kind",
                summary.left,
                "The second look suspects nothing.",
            ),
        )
    )


def _openai(summary: Summary) -> str:
    training = summary.training
    return (
        "## Training at OpenAI\n\n"
        + _table(
            ("split", "lines", "left out", "tokens of one epoch"),
            [
                (name, s.openai_examples, sum(s.openai_left_out.values()), s.openai_tokens)
                for name, s in summary.splits.items()
            ],
        )
        + f"\n\nEstimate: {training['epochs']:.0f} epochs, "
        f"{training['billed_tokens']:,.0f} tokens, "
        f"{training['cost_usd']:.2f} USD."
    )


def _settings(summary: Summary) -> str:
    rows = [
        (f"`{section}.{key}`", f"`{_line(str(value))}`")
        for section, values in summary.settings.items()
        for key, value in values.items()
        if value not in (None, "", [], 0, False)
    ]
    return _table(("setting", "value"), rows)


def _line(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("`", "'").split())


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [[f"{c:,}" if isinstance(c, int) else str(c) for c in row] for row in rows]
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join('---' for _ in header)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])
