"""What gathers partitions → runs: one sensor for each job without partitions of its own.

A tick asks the planner how things stand and starts the job when they are at rest: no run in
progress, and nothing left that a run could still make. Nothing is hashed or made here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
import msgspec

from resonare_pipeline.artifacts.s3.client import Connect
from resonare_pipeline.artifacts.store import Store, utc_now
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.planning.delivery import delivery_folder, is_laid, laid_files
from resonare_pipeline.planning.graph import Graph, Stage
from resonare_pipeline.planning.plan import Entry, Plan, Status, plan
from resonare_pipeline.planning.raw import RawKind, RawListing
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.sensors import UNFINISHED, interval_seconds
from resources.settings import PARTITION_TAG, JobGroups

ASKED_ABOUT = 100  # partitions that are not ready whose runs are looked up in one tick


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathering:
    """What one sensor looks after."""

    graph: Graph
    job_name: str
    stages: tuple[Stage, ...]
    overrides: Mapping[str, str]


def build_gathering_sensors(
    graph: Graph, job_groups: JobGroups, overrides: Mapping[str, str]
) -> list[dg.SensorDefinition]:
    """Return the sensors of the jobs that gather.

    Args:
        job_groups: Job → groups of assets that it makes.
        overrides: Settings that hold in every run, in the `--set` syntax.
    """
    jobs = {
        name: tuple(s for s in graph.stages if s.group in groups and not s.on_request)
        for name, groups in job_groups.items()
    }
    return [
        _sensor(_Gathering(graph=graph, job_name=name, stages=stages, overrides=overrides))
        for name, stages in jobs.items()
        if any(graph.gathered(stage) for stage in stages)
    ]


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was last asked for, kept as the sensor's cursor.

    Attributes:
        epoch: When counting began, so that a cursor which was reset repeats no old key.
        requests: How many different ones there were: going back and forth is asked for each time.
    """

    epoch: str
    wanted: str = ""
    requests: int = 0


def _asked(cursor: str | None, wanted: str) -> _Asked:
    try:
        before = msgspec.json.decode(cursor or "", type=_Asked)
    except ValueError:
        before = _Asked(epoch=utc_now())
    if before.wanted == wanted:
        return before
    return _Asked(epoch=before.epoch, wanted=wanted, requests=before.requests + 1)


def _sensor(gathering: _Gathering) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{gathering.job_name.removesuffix('_job')}_sensor",
        job_name=gathering.job_name,
        minimum_interval_seconds=interval_seconds(gathering.graph, gathering.overrides),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Starts {gathering.job_name} when what it gathers has changed and no run is going on "
            "that would change it further."
        ),
    )
    def evaluate(
        context: dg.SensorEvaluationContext, s3: dg.ResourceParam[Connect]
    ) -> dg.SensorResult:
        workspace = open_workspace(gathering.graph, overrides=gathering.overrides, connect_s3=s3)
        answer = _tick(context.instance, workspace, gathering)
        if isinstance(answer, dg.SkipReason):
            return dg.SensorResult(skip_reason=answer, cursor=context.cursor)
        asked = _asked(context.cursor, answer)
        request = dg.RunRequest(run_key=f"{gathering.job_name}#{asked.requests}@{asked.epoch}")
        return dg.SensorResult(run_requests=[request], cursor=msgspec.json.encode(asked).decode())

    return evaluate


def _tick(
    instance: dg.DagsterInstance, workspace: Workspace, gathering: _Gathering
) -> str | dg.SkipReason:
    """Return what a run is wanted for, or why none is."""
    listing = workspace.list_raw()
    current = plan(
        workspace.graph,
        workspace.settings,
        listing,
        Store(workspace.store.files, verifies=False),  # hashing is a run's work
        targets=gathering.stages,
        as_it_stands=True,
    )
    own = [current.entry(stage, None) for stage in gathering.stages]
    if not any(entry.gathered.ready for entry in own):
        return dg.SkipReason("nothing is ready to be gathered")
    wanted = [entry for entry in own if not _is_current(workspace, entry)]
    if not wanted:
        return dg.SkipReason("up to date")
    if failed := next((entry.error for entry in own if entry.error), None):
        return dg.SkipReason(f"cannot be planned: {failed}")
    if unrest := _unrest(instance, listing, current):
        return dg.SkipReason(unrest)
    # A hit that was laid over needs a run as well.
    before = laid_files(workspace.output, delivery_folder(wanted[0].stage, None))
    laid = sorted({file.fingerprint for file in before.values()})
    return short_hash([[entry.fingerprint for entry in own], laid])


def _is_current(workspace: Workspace, entry: Entry) -> bool:
    """Tell whether a stage is a hit, and what lies in the output folder is its own."""
    if entry.status is not Status.HIT or entry.manifest is None:
        return False
    return is_laid(workspace.output, entry.stage, entry.manifest)


def _unrest(instance: dg.DagsterInstance, listing: RawListing, current: Plan) -> str:
    """Return why it is too early; empty if things are at rest."""
    if instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1):
        return "waiting for a run in progress"
    kinds = {entry.stage.raw for entry in current.entries.values() if entry.stage.raw is not None}
    for kind in sorted(kinds, key=lambda kind: kind.folder):
        # The sensor of the inputs decides, by two looks, what is new and what is gone.
        known = set(instance.get_dynamic_partitions(kind.partitions))
        if known != set(listing.partitions(kind)):
            return f"waiting for {kind.partitions}_sensor to take note of what is new or gone"
    pending = _pending(instance, current, kinds)
    return f"waiting for {', '.join(pending[:3])}" if pending else ""


def _pending(instance: dg.DagsterInstance, current: Plan, kinds: set[RawKind]) -> list[str]:
    """Return the partitions that a run may still make: not ready, and no run of them has failed.

    What lacks only stages that nothing gathers of it is ready.
    """
    absent = {name for entry in current.entries.values() for name in entry.gathered.absent}
    lacking = {
        entry.partition
        for entry in current.entries.values()
        if entry.stage.raw in kinds
        and entry.stage.raw is not None
        and entry.manifest is None
        and not entry.error
        and f"{entry.stage.raw.folder}/{entry.partition}" in absent
    }
    keys = sorted(key for key in lacking if key is not None)
    if len(keys) > ASKED_ABOUT:
        return keys
    return [key for key in keys if not _has_failed(instance, key)]


def _has_failed(instance: dg.DagsterInstance, key: str) -> bool:
    runs = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: key}), limit=1)
    return bool(runs) and runs[0].status in (
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    )
