"""The jobs: each makes whole groups of assets, for one partition at a time."""

from typing import Any

import dagster as dg

JOB_GROUPS = {"chats_job": ("chats",)}
"""Job → groups of assets that it makes."""


def build_jobs() -> list[Any]:
    """Return the jobs; Dagster gives their type no public name."""
    return [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.groups(*groups),
            description=f"Make the {' and '.join(groups)} assets of one partition.",
        )
        for name, groups in JOB_GROUPS.items()
    ]
