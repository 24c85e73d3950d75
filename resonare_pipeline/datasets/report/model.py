"""All that stands on the page, before it is rendered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resonare_pipeline.datasets.report.comparing import ExampleChanges
from resonare_pipeline.datasets.report.figures import Figures
from resonare_pipeline.datasets.report.funnel import Funnel
from resonare_pipeline.datasets.report.sampling import Sample
from resonare_pipeline.datasets.report.versions import Difference, SettingDifference
from resonare_pipeline.datasets.summary import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs from the version before.

    Attributes:
        before: Digest of that version.
        summary: Its summary; None if another release of the project has written it, and then
            nothing is compared.
        numbers: Title → numbers that changed.
    """

    before: str
    summary: Summary | None = None
    examples: ExampleChanges | None = None
    numbers: Mapping[str, Sequence[Difference]] = field(default_factory=dict)
    settings: Sequence[SettingDifference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that stands on the page.

    Attributes:
        version: Digest of the dataset.
        samples: Split → examples to read.
        sample_characters: Most characters shown of one.
        funnels: Of messages, then of examples.
        changes: None for the first version.
    """

    version: str
    summary: Summary
    figures: Figures
    samples: Mapping[str, Sequence[Sample]]
    sample_characters: int
    funnels: Sequence[Funnel]
    changes: Changes | None
