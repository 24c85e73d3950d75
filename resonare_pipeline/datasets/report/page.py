"""Figures → the page. What it looks like stands in the template and the style sheet.

The template is given plain values; everything that is not `Markup` is escaped there.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from resonare_pipeline.datasets.report.charts import strip
from resonare_pipeline.datasets.report.drawing import (
    split_class,
    time_chart,
    tokens_chart,
    turns_chart,
)
from resonare_pipeline.datasets.report.excerpts import shown_sample
from resonare_pipeline.datasets.report.figures import Figures
from resonare_pipeline.datasets.report.funnel import EXPLANATIONS
from resonare_pipeline.datasets.report.language_names import language_name
from resonare_pipeline.datasets.report.model import Page
from resonare_pipeline.datasets.report.template import STYLE_FILE, TEMPLATE_FILE, read_file
from resonare_pipeline.datasets.report.text import (
    NOTHING,
    name,
    number,
    percent,
    plural,
    short,
    shown,
    signed,
    visible,
)
from resonare_pipeline.datasets.report.versions import as_json
from resonare_pipeline.datasets.report.words import lede, notices
from resonare_pipeline.datasets.summary import SourceSummary

MOST_SOURCES = 100  # rows of the table; the others are added up
ABSENT = "absent: "  # a note that begins so says what the list of absent sources does
VERSION_DIGITS = 12  # of the dataset's digest: enough to compare by eye


def render_page(page: Page) -> str:
    """Return the page as HTML with a final newline."""
    style = read_file(STYLE_FILE).strip()
    environment = Environment(
        loader=DictLoader({TEMPLATE_FILE: read_file(TEMPLATE_FILE)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "name": name,
        "number": number,
        "plural": plural,
        "short": short,
        "shown": shown,
        "signed": signed,
        "visible": visible,
        "json": as_json,
        "language": language_name,
        "split_class": split_class,
    }
    environment.globals |= {"percent": percent, "strip": strip, "NOTHING": NOTHING}
    return environment.get_template(TEMPLATE_FILE).render(
        style=Markup(style),  # noqa: S704  # a file of the project
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        **_values(page),
    )


def _values(page: Page) -> dict[str, Any]:
    summary, figures = page.summary, page.figures
    return {
        "page": page,
        "summary": summary,
        "figures": figures,
        "changes": page.changes,
        "version": page.version[:VERSION_DIGITS],
        "before": page.changes.before[:VERSION_DIGITS] if page.changes else "",
        "lede": lede(summary, figures),
        "notices": list(notices(summary)),
        "notes": [note for note in summary.notes if not note.startswith(ABSENT)],
        "explanations": EXPLANATIONS,
        "sources": _sources(summary.sources),
        "split_strip": _by_class(figures),
        "charts": {
            "tokens": tokens_chart(figures),
            "turns": turns_chart(figures),
            "time": time_chart(figures),
        },
        "languages": sorted(
            figures.languages.items(), key=lambda entry: (-entry[1].rows, entry[0])
        ),
        "kinds": sorted(
            summary.redactions.keys() | summary.left.keys(),
            key=lambda kind: (-summary.redactions.get(kind, 0), kind),
        ),
        "duplicates": sum(
            loss.items
            for funnel in page.funnels
            for step in funnel.steps
            for loss in step.losses
            if loss.is_duplicate
        ),
        "samples": {
            split: [shown_sample(sample, page.sample_characters) for sample in samples]
            for split, samples in page.samples.items()
        },
    }


def _by_class(figures: Figures) -> Counter[str]:
    rows: Counter[str] = Counter()  # splits without a colour of their own share one
    for split, numbers in figures.splits.items():
        rows[split_class(split)] += numbers.rows
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A row of the table of sources; the last one may stand for many."""

    label: Markup
    asset: str
    read: int
    examples: int
    tokens: int
    weight: float | None
    left_out: int


def _sources(sources: Mapping[str, SourceSummary]) -> list[SourceRow]:
    """Return the sources with the most tokens first, and those beyond the bound as one row."""
    ordered = sorted(sources.items(), key=lambda entry: (-entry[1].tokens, entry[0]))
    rows = [
        SourceRow(
            label=name(key),
            asset=source.asset,
            read=source.read,
            examples=source.examples,
            tokens=source.tokens,
            weight=source.weight,
            left_out=sum(source.dropped.values()),
        )
        for key, source in ordered[:MOST_SOURCES]
    ]
    others = [source for _, source in ordered[MOST_SOURCES:]]
    if others:
        rows.append(
            SourceRow(
                label=Markup("{} more").format(number(len(others))),
                asset="",
                read=sum(source.read for source in others),
                examples=sum(source.examples for source in others),
                tokens=sum(source.tokens for source in others),
                weight=None,
                left_out=sum(sum(source.dropped.values()) for source in others),
            )
        )
    return rows
