"""What the page about a dataset shows. Rules live elsewhere."""

from typing import Annotated, ClassVar

from pydantic import Field

from resonare_pipeline.settings import Section


class ReportSettings(Section):
    """What stands in the report."""

    section: ClassVar[str] = "dataset_report"

    samples_per_split: Annotated[int, Field(ge=0, le=50)] = 6
    """Examples of each split that are shown to read, spread over sources. 0: none. Default: 6."""

    sample_characters: Annotated[int, Field(ge=200, le=100_000)] = 4_000
    """Most characters shown of one example; what is cut off is counted on the page."""

    seed: int = 0
    """Which examples are shown. With the same number an example that was shown stays on the page of
    the next version, unless another takes its place by hash."""
