"""What the page says in sentences: the paragraph at its top, and what a person must know first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resonare_pipeline.datasets.report.figures import UNKNOWN_LANGUAGE, Figures
from resonare_pipeline.datasets.report.language_names import language_name
from resonare_pipeline.datasets.report.text import about, month_in_words, number, plural
from resonare_pipeline.datasets.summary import Summary

MOST_LANGUAGES = 3  # named in the paragraph at the top
NEVER_MINOR = 0.05  # a language with a smaller share is not named there


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to know before the figures; `tone` is good, warn or bad."""

    tone: str
    title: str
    text: str = ""


def lede(summary: Summary, figures: Figures) -> str:
    """Return what the dataset is, in two or three sentences."""
    if not summary.examples:
        return "Nothing is in this dataset yet."
    sources = plural(sum(1 for source in summary.sources.values() if source.examples), "source")
    roots = sum(split.roots for split in summary.splits.values())
    sentences = [
        f"{plural(summary.examples, 'example')} with {plural(summary.tokens, 'token')}, "
        f"from {plural(roots, 'conversation or text', 'conversations and texts')} "
        f"of {sources}{_span(figures)}.",
        _languages(figures),
        f"{about(figures.total('trained_tokens'), figures.total('tokens'))} of the tokens are "
        "trained on.",
    ]
    return " ".join(filter(None, sentences))


def _span(figures: Figures) -> str:
    if figures.first_at is None or figures.last_at is None:
        return ""
    first, last = (month_in_words(_month(time)) for time in (figures.first_at, figures.last_at))
    return f", written in {first}" if first == last else f", written between {first} and {last}"


def _month(microseconds: int) -> int:
    return int(np.datetime64(microseconds, "us").astype("datetime64[M]").astype(int))


def _languages(figures: Figures) -> str:
    rows = figures.total("rows")
    known = [
        (code, numbers.rows)
        for code, numbers in sorted(
            figures.languages.items(), key=lambda entry: (-entry[1].rows, entry[0])
        )
        if code != UNKNOWN_LANGUAGE and numbers.rows >= NEVER_MINOR * rows
    ]
    named = [
        f"{language_name(code)} ({about(count, rows)})" for code, count in known[:MOST_LANGUAGES]
    ]
    if not named:
        return ""
    if known[0][1] == rows:
        return f"All in {language_name(known[0][0])}."
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"Mostly in {listed}."


def notices(summary: Summary) -> Iterator[Notice]:
    """Yield what must not be overlooked, worst first."""
    if not summary.redacted:
        yield Notice(
            tone="bad",
            title="Not redacted",
            text="Names, numbers and addresses stand in the texts as people wrote them.",
        )
    if summary.mock_examples:
        yield Notice(
            tone="bad",
            title=f"{plural(summary.mock_examples, 'example')} with mock answers",
            text="No model has written them. Such a dataset cannot be published.",
        )
    suspected = sum(summary.left.values())
    if suspected:
        yield Notice(
            tone="warn",
            title=f"{number(suspected)} suspected to be left",
            text="The audit of the finished rows names them by kind, under Redactions.",
        )
    if summary.absent:
        yield Notice(
            tone="warn",
            title=f"{plural(len(summary.absent), 'source')} absent",
            text="Not ready when the dataset was made; Notes names each.",
        )
    if summary.redacted and not suspected:
        yield Notice(
            tone="good",
            title="Redacted",
            text="The audit of the finished rows suspects nothing more.",
        )
