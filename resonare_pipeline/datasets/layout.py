"""Names of a dataset's files: what lies where in the artifact, the output folder and the Hub."""

from resonare_pipeline.datasets.summary import SUMMARY_FILE

CARD_FILE = "README.md"
REPORT_FILE = "report.html"
ORIGINS_FILE = "origins.parquet"  # leads back to what stood there before redaction: only for trace
HUB_PATTERNS = (CARD_FILE, "data/*", "jsonl/*", "openai/*")
"""Files that may be published. `summary.json` names sources, so it stays on the machine."""

DELIVERED = (*HUB_PATTERNS, SUMMARY_FILE)


def shard_file(split: str, number: int, of: int) -> str:
    """Return a Parquet shard's name, as the Hub finds splits by (`data/train-00000-of-00002`)."""
    return f"data/{split}-{number:05d}-of-{of:05d}.parquet"


def lines_file(split: str) -> str:
    """Return the name of a split's rows as JSON lines."""
    return f"jsonl/{split}.jsonl"


def openai_file(split: str) -> str:
    """Return the name of a split's file for fine-tuning at OpenAI."""
    return f"openai/{split}.jsonl"
