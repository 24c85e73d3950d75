"""Whether a staged dataset is what it says, found out from its files alone."""

from collections.abc import Iterator

import msgspec
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.datasets.layout import lines_file, openai_file
from resonare_pipeline.datasets.openai import breach
from resonare_pipeline.datasets.summary import SUMMARY_FILE, Summary, decode_summary
from resonare_pipeline.fingerprint import short_hash

ASSET = "dataset"
COLUMNS = ["example_id", "root_id", "repeat", "messages", "tokens"]


def check_dataset(staged: Artifact) -> list[CheckEntry]:
    """Check splits for leaks, rows for copies, files for their counts and OpenAI's rules."""
    with staged.open(SUMMARY_FILE) as stream:
        summary = decode_summary(stream.read())
    roots: dict[str, str] = {}
    contents: dict[str, str] = {}
    rows: set[tuple[str, int]] = set()
    leaks: list[str] = []
    repeated: list[str] = []
    counts: list[str] = []
    for split in summary.splits:
        examples = tokens = 0
        for example_id, root_id, repeat, content, count in _rows(staged, split):
            examples += 1
            tokens += count
            if roots.setdefault(root_id, split) != split:
                leaks.append(f"root of {example_id} in {roots[root_id]} and {split}")
            if contents.setdefault(content, split) != split:
                leaks.append(f"turns of {example_id} in {contents[content]} and {split}")
            if (example_id, repeat) in rows:
                repeated.append(example_id)
            rows.add((example_id, repeat))
        counts += _miscounts(staged, summary, split, examples, tokens)
    breaches = [text for split in summary.splits for text in _breaches(staged, split)]
    of_splits = f"{len(roots)} roots in {len(summary.splits)} splits"
    return [
        _entry("no_leaks", leaks, f"{of_splits}, none in two; nor are any turns", len(roots)),
        _entry("unique_rows", repeated, f"{len(rows)} rows", len(rows)),
        _entry("counts", counts, "files hold what the summary says", len(rows)),
        _entry("openai_rules", breaches, "every line keeps OpenAI's rules", len(rows)),
    ]


def _rows(staged: Artifact, split: str) -> Iterator[tuple[str, str, int, str, int]]:
    names = [file.name for file in staged.entry.files if file.name.startswith(f"data/{split}-")]
    for name in names:
        for batch in staged.batches(name, columns=COLUMNS, batch_rows=1_024):
            others = (
                batch.column(column).to_pylist() for column in COLUMNS if column != "messages"
            )
            contents = map(_content, batch.column("messages"))
            for (example_id, root_id, repeat, tokens), content in zip(
                zip(*others, strict=True), contents, strict=True
            ):
                yield example_id, root_id, repeat, content, tokens


def _content(messages: pa.Scalar) -> str:
    return short_hash([[m["role"], m["content"]] for m in messages.as_py()], digits=32)


def _miscounts(
    staged: Artifact, summary: Summary, split: str, examples: int, tokens: int
) -> list[str]:
    said = summary.splits[split]
    lines = sum(1 for _ in staged.lines(lines_file(split)))
    openai = sum(1 for _ in staged.lines(openai_file(split)))
    pairs = {
        "rows": (examples, said.examples),
        "tokens": (tokens, said.tokens),
        "JSON lines": (lines, said.examples),
        "OpenAI lines": (openai, said.openai_examples),
    }
    return [
        f"{split}: {found} {name}, not {expected}"
        for name, (found, expected) in pairs.items()
        if found != expected
    ]


def _breaches(staged: Artifact, split: str) -> Iterator[str]:
    decode = msgspec.json.Decoder(dict).decode
    for number, line in enumerate(staged.lines(openai_file(split)), start=1):
        if rule := breach(decode(line)):
            yield f"{split}, line {number}: {rule}"


def _entry(name: str, failures: list[str], passed: str, rows: int) -> CheckEntry:
    failed = f"{len(failures)} failures, the first: {failures[0]}" if failures else ""
    return CheckEntry(
        name=name,
        asset=ASSET,
        passed=not failures,
        message=failed or passed,
        metadata={"checked": rows, "failures": len(failures)},
    )
