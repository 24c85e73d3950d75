"""A dataset and the version before it → report.html.

`figures`, `sampling` and `comparing` read rows, batch by batch; `versions` and `funnel` put numbers
side by side; `page` renders. Equal inputs give equal bytes: there is no clock and no chance in it.
"""

from collections.abc import Mapping

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.datasets.report.comparing import compare_examples
from resonare_pipeline.datasets.report.figures import FIGURE_COLUMNS, Figures
from resonare_pipeline.datasets.report.funnel import Counts, example_funnel, message_funnel
from resonare_pipeline.datasets.report.model import Changes, Page
from resonare_pipeline.datasets.report.sampling import SAMPLE_COLUMNS, Sample, Samples
from resonare_pipeline.datasets.report.settings import ReportSettings
from resonare_pipeline.datasets.report.shards import split_batches
from resonare_pipeline.datasets.report.versions import (
    number_differences,
    read_earlier_summary,
    read_summary,
    setting_differences,
)
from resonare_pipeline.datasets.summary import Summary
from resonare_pipeline.errors import DamagedArtifactError

REPORT_FILE = "report.html"


def write_report(
    dataset: Artifact,
    previous: Artifact | None,
    dropped: Mapping[str, Counts],
    out: OutputDraft,
    *,
    kept: Counts,
    settings: ReportSettings,
) -> None:
    """Write report.html: figures, charts, samples, and what changed.

    Args:
        previous: The version before, if there was one.
        dropped: `messages`, `enriched_messages`, `blocks` → reason → items, over all exports.
        kept: `messages`, `enriched_messages` → rows, over all exports.

    Raises:
        DamagedArtifactError: If the dataset's summary cannot be read, or tells of other rows than
            there are.
    """
    # Here and not above: a plan renders no page, and so needs no template engine.
    from resonare_pipeline.datasets.report.page import render_page

    summary = read_summary(dataset)
    figures, samples = _read_rows(dataset, settings)
    _refuse_other_rows(summary, figures, dataset)
    changes = _changes(dataset, summary, previous)
    page = Page(
        version=dataset.digest,
        summary=summary,
        figures=figures,
        samples=samples,
        sample_characters=settings.sample_characters,
        funnels=(
            message_funnel(kept, dropped),
            example_funnel(summary, figures.total("distinct")),
        ),
        changes=changes,
    )
    with out.open(REPORT_FILE) as stream:
        stream.write(render_page(page).encode())
    examples = changes.examples if changes else None
    out.report(
        rows=summary.examples,
        metadata={
            "sources": len(summary.sources),
            "tokens": summary.tokens,
            "trained_tokens": figures.total("trained_tokens"),
            "left_out": sum(summary.dropped.values()),
            "suspected": sum(summary.left.values()),
            "examples_added": examples.added if examples else None,
            "examples_removed": examples.removed if examples else None,
        },
    )


def _read_rows(
    dataset: Artifact, settings: ReportSettings
) -> tuple[Figures, dict[str, list[Sample]]]:
    figures = Figures()
    samples = Samples(settings.samples_per_split, settings.seed)
    columns = sorted({*FIGURE_COLUMNS, *SAMPLE_COLUMNS})
    for split, batch in split_batches(dataset, columns):
        figures.add(split, batch)
        samples.add(split, batch)
    return figures, samples.chosen()


def _refuse_other_rows(summary: Summary, figures: Figures, dataset: Artifact) -> None:
    rows = {split: numbers.rows for split, numbers in figures.splits.items() if numbers.rows}
    told = {split: numbers.examples for split, numbers in summary.splits.items()}
    if rows != {split: examples for split, examples in told.items() if examples}:
        raise DamagedArtifactError(
            f"shards with {sum(rows.values())} rows, and a summary that tells of "
            f"{sum(told.values())}",
            where=dataset.asset,
            expected="the same rows in both, split by split",
            remedy="Make the dataset again",
        )


def _changes(dataset: Artifact, summary: Summary, previous: Artifact | None) -> Changes | None:
    if previous is None:
        return None
    before = read_earlier_summary(previous)
    if before is None:
        return Changes(before=previous.digest)
    return Changes(
        before=previous.digest,
        summary=before,
        examples=compare_examples(dataset, previous),
        numbers=number_differences(summary, before),
        settings=setting_differences(summary, before),
    )
