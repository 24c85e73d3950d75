"""New raw inputs → partitions and runs: one sensor for each job that reads raw inputs.

A tick lists names, sizes and versions, and asks the planner about what has changed; it hashes
nothing and makes nothing. What counts as new, changed or gone is decided in `planning.watching`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from resonare_pipeline.artifacts.s3.client import Connect
from resonare_pipeline.artifacts.store import utc_now
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.graph import Graph, Stage
from resonare_pipeline.planning.operation import SensorSettings
from resonare_pipeline.planning.raw import RawKind, RawListing
from resonare_pipeline.planning.watching import (
    Look,
    Sifted,
    Watch,
    decode_watch,
    encode_watch,
    forms_of,
    look,
    run_key,
    settle,
    sift,
)
from resonare_pipeline.planning.workspace import Workspace, environment, open_workspace
from resonare_pipeline.settings import load_settings
from resources.settings import PARTITION_TAG, JobGroups

PLANNING_SECONDS = 20.0  # of the 60 that the daemon gives a tick; listing and answering need some
LISTED = 5  # names in a message

UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUSPENDED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """What one sensor looks after: the raw inputs of a kind, and the job that takes them."""

    graph: Graph
    kind: RawKind
    job_name: str
    stages: tuple[Stage, ...]
    overrides: Mapping[str, str]


def build_sensors(
    graph: Graph, job_groups: JobGroups, overrides: Mapping[str, str]
) -> list[dg.SensorDefinition]:
    """Return the sensors of a graph.

    Args:
        job_groups: Job → groups of assets that it makes.
        overrides: Settings that hold in every run, in the `--set` syntax.
    """
    return [
        _sensor(
            _Watched(graph=graph, kind=kind, job_name=job_name, stages=stages, overrides=overrides)
        )
        for job_name, groups in job_groups.items()
        for kind, stages in _kinds(graph, groups).items()
    ]


def _kinds(graph: Graph, groups: tuple[str, ...]) -> dict[RawKind, tuple[Stage, ...]]:
    kinds: dict[RawKind, tuple[Stage, ...]] = {}
    for stage in graph.stages:
        if stage.group in groups and stage.raw is not None:
            kinds[stage.raw] = (*kinds.get(stage.raw, ()), stage)
    return kinds


def _sensor(watched: _Watched) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{watched.kind.partitions}_sensor",
        job_name=watched.job_name,
        minimum_interval_seconds=interval_seconds(watched.graph, watched.overrides),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Looks for new, changed and removed inputs in the raw folder {watched.kind.folder}/ "
            f"and starts {watched.job_name} for each that is not up to date."
        ),
    )
    def evaluate(
        context: dg.SensorEvaluationContext, s3: dg.ResourceParam[Connect]
    ) -> dg.SensorResult:
        workspace = open_workspace(watched.graph, overrides=watched.overrides, connect_s3=s3)
        return _tick(context, workspace, watched)

    return evaluate


def interval_seconds(graph: Graph, overrides: Mapping[str, str]) -> int:
    """Return how long a sensor waits between two looks, as the settings say now."""
    folder = Path.cwd()
    try:
        settings = load_settings(
            graph.sections(), folder=folder, environ=environment(folder), overrides=overrides
        )
        return settings.section(SensorSettings).interval_seconds
    except ResonareError:  # each tick and run says so by itself; the graph can be looked at
        return SensorSettings().interval_seconds


def _tick(
    context: dg.SensorEvaluationContext, workspace: Workspace, watched: _Watched
) -> dg.SensorResult:
    kind = watched.kind
    watch = decode_watch(context.cursor, epoch=utc_now())
    listing = workspace.list_raw()
    found = look(watch, forms_of(listing, kind), doubt=_doubt(watch, listing, kind))
    busy = _busy(context.instance, watched)
    limit = workspace.settings.section(SensorSettings).requests_per_tick
    sifted = sift(
        workspace,
        listing,
        watched.stages,
        found.ripe,
        busy=busy,
        limit=max(0, limit - len(busy)),  # so that the queue stays short, however much is new
        seconds=PLANNING_SECONDS,
    )
    after = settle(found.watch, current=sifted.current, asked=sifted.wanted)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=run_key(after, kind, key), partition_key=key)
            for key in sifted.wanted
        ],
        dynamic_partitions_requests=_partition_changes(context, kind, listing, found),
        skip_reason=None if sifted.wanted else _account(kind, listing, found, sifted),
        cursor=encode_watch(after),
    )


def _doubt(watch: Watch, listing: RawListing, kind: RawKind) -> str:
    missing = [root for root in listing.roots_missing if root.endswith(kind.folder)]
    return f"{missing[0]} is not there" if missing and watch.inputs else ""


def _busy(instance: dg.DagsterInstance, watched: _Watched) -> set[str]:
    """Return the partitions that have a run in progress, or in the queue.

    A run of assets that a person has chosen counts if one of them is of this kind: inputs of two
    kinds may have one key.
    """
    own = {dg.AssetKey(asset) for stage in watched.stages for asset in stage.assets}
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    busy = (
        run
        for run in runs
        if (own & run.asset_selection if run.asset_selection else run.job_name == watched.job_name)
    )
    return {run.tags[PARTITION_TAG] for run in busy if PARTITION_TAG in run.tags}


def _partition_changes(
    context: dg.SensorEvaluationContext, kind: RawKind, listing: RawListing, found: Look
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    registered = set(context.instance.get_dynamic_partitions(kind.partitions))
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if new := [key for key in listing.partitions(kind) if key not in registered]:
        changes.append(dg.AddDynamicPartitionsRequest(kind.partitions, new))
    if gone := [key for key in found.retired if key in registered]:
        changes.append(dg.DeleteDynamicPartitionsRequest(kind.partitions, gone))
    return changes


def _account(kind: RawKind, listing: RawListing, found: Look, sifted: Sifted) -> str:
    """Say why no run was asked for."""
    if found.doubt:
        return f"{found.doubt}; nothing is retired while it looks like an unmounted disk"
    problems = {key: listing.problems.get((kind.folder, key)) for key in listing.keys(kind)}
    unusable = [f"{key}: {error}" for key, error in problems.items() if error]
    unusable += [f"{key}: {error}" for key, error in sifted.failed.items()]
    parts = [f"{len(found.watch.inputs)} inputs"]
    if found.unsteady:
        parts.append(f"new or still changing: {_names(found.unsteady)}")
    if sifted.left:
        parts.append(f"waiting for a run in progress or a free place: {_names(sifted.left)}")
    if sifted.current:
        parts.append(f"up to date: {_names(sifted.current)}")
    if found.retired:
        parts.append(f"removed: {_names(found.retired)}")
    if unusable:
        parts.append(f"cannot be used: {'; '.join(unusable[:LISTED])}")
    return "; ".join(parts)


def _names(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:LISTED]) + (f" and {len(keys) - LISTED} more" if keys[LISTED:] else "")
