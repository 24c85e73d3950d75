"""The jobs: each makes whole groups of assets, for one partition at a time where there are any."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from resonare_pipeline.planning.graph import Graph, Stage

JOB_GROUPS = {
    "chats_job": ("chats", "style"),
    "records_job": ("records",),
    "books_job": ("books",),
    "dataset_job": ("dataset",),
}
"""Job → groups of assets that it makes, but for those made only on request."""

PUBLISH_JOB = "publish_job"


def build_jobs(graph: Graph) -> list[Any]:
    """Return the jobs; Dagster gives their type no public name."""
    stages = {
        name: [stage for stage in graph.stages if stage.group in groups and not stage.on_request]
        for name, groups in JOB_GROUPS.items()
    }
    requested = [stage for stage in graph.stages if stage.on_request]
    jobs = [
        _job(name, own, f"Make the {' and '.join(JOB_GROUPS[name])} assets.")
        for name, own in stages.items()
        if own
    ]
    if requested:
        groups = {stage.group for stage in requested}
        whole = [stage for stage in graph.stages if stage.group in groups]
        names = ", ".join(stage.name for stage in requested)
        jobs.append(_job(PUBLISH_JOB, whole, f"Make what is made only on request: {names}."))
    return jobs


def _job(name: str, stages: Iterable[Stage], description: str) -> Any:
    keys = [dg.AssetKey(asset) for stage in stages for asset in stage.assets]
    return dg.define_asset_job(name, selection=keys, description=description)


def job_for(stages: Iterable[Stage]) -> str:
    """Return the name of the job that can make some stages of one group."""
    stages = list(stages)
    if any(stage.on_request for stage in stages):
        return PUBLISH_JOB
    return next(
        name
        for name, groups in JOB_GROUPS.items()
        if any(stage.group in groups for stage in stages)
    )
