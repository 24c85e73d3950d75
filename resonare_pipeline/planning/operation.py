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


OPERATION = (DeliverySettings, SensorSettings)
