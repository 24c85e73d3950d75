"""Settings of how the project is operated: none of them changes what any stage makes.

A stage does not declare these, so no fingerprint holds them, and they cannot be set for a single
partition with any effect.
"""

from typing import ClassVar

from pydantic import Field

from resonare_pipeline.settings import Section


class DeliverySettings(Section):
    """Where deliverables are laid beside the output folder."""

    section: ClassVar[str] = "delivery"

    also_to: str = ""
    """A second place for every deliverable, such as `s3://bucket/prefix`. Empty: none."""


class SensorSettings(Section):
    """How new raw inputs are noticed."""

    section: ClassVar[str] = "sensors"

    interval_seconds: int = Field(default=30, ge=1)
    """Least time between two looks at the raw folder, in seconds. A file is taken when it was the
    same at two looks."""

    requests_per_tick: int = Field(default=50, ge=1)
    """Most runs that one look asks for; what is left over follows at the next."""


class UiSettings(Section):
    """What Dagster's web UI is told of each artifact, beside counts, ids and hashes."""

    section: ClassVar[str] = "ui"

    preview_rows: int | None = Field(default=None, ge=0, le=50)
    """Rows shown of each artifact, with texts cut to 80 characters, and with them examples, whose
    turns are cut to 240, the statistics page and its plots. These are copies of what people wrote,
    and of their names, in Dagster's event log. 0: nothing of all that. Unset: 10 where that log is
    a file on this machine, 0 where it is a database that others may read."""


OPERATION = (DeliverySettings, SensorSettings, UiSettings)
