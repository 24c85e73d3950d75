"""The `settings` resource: what a run may override, and the workspace that every step opens.

Before its first step a run registers its own partition here, if raw input of that name exists, so
that a run started by name alone works on an instance that has never seen the partition.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.raw import RawKind
from resonare_pipeline.planning.workspace import Workspace, environment, open_workspace
from resonare_pipeline.settings import Places
from resources.liveness import PROCESS_TAG, process_name
from resources.s3 import S3_KEY

PARTITION_TAG = "dagster/partition"
ACCOUNT_TAG = "resonare/account"
RETRY_TAG = "dagster/retry_number"
SETTINGS_KEY = "settings"
FORCE = "force"
UNATTENDED_TAGS = frozenset(
    {"dagster/sensor_name", "dagster/schedule_name", "dagster/auto_materialize"}
)

_CONFIG = {
    "overrides": dg.Field(
        {str: str},
        default_value={},
        description="Settings for this run alone, as stage.key: value, like --set.",
    ),
    FORCE: dg.Field(bool, default_value=False, description="Make stages again even on a hit."),
    "folder": dg.Field(
        str, is_required=False, description="Where resonare.toml lies; else the working folder."
    ),
    "raw": dg.Field(str, is_required=False, description="Raw inputs; else RESONARE_RAW."),
    "store": dg.Field(str, is_required=False, description="Artifacts; else RESONARE_STORE."),
    "output": dg.Field(str, is_required=False, description="Deliverables; else RESONARE_OUTPUT."),
    "patient": dg.Field(
        bool, default_value=False, description="Wait for batches until they are answered."
    ),
    "single": dg.Field(
        str, is_required=False, description="A file or folder to take as the only raw input."
    ),
}


class RunSettings:
    """What a run's steps share: the workspace, and whether hits are made again."""

    def __init__(self, workspace: Workspace, *, force: bool) -> None:
        self.workspace = workspace
        self.force = force


JobGroups = Mapping[str, tuple[str, ...]]


def settings_resource(
    graph: Graph, job_groups: JobGroups, defaults: Mapping[str, str]
) -> dg.ResourceDefinition:
    """Return the resource for a graph.

    Args:
        job_groups: Job → groups of assets that it makes.
        defaults: Overrides that hold in every run, in the `--set` syntax.
    """

    def run_settings(context: dg.InitResourceContext) -> RunSettings:
        config: dict[str, Any] = context.resource_config
        folder = Path(config.get("folder", Path.cwd()))
        common = Places.from_environment(environment(folder))
        places = Places(
            **{name: config.get(name, getattr(common, name)) for name in Places.__slots__}
        )
        workspace = open_workspace(
            graph,
            overrides={**defaults, **config["overrides"]},
            places=places,
            single=Path(config["single"]) if "single" in config else None,
            folder=folder,
            connect_s3=getattr(context.resources, S3_KEY),
        )
        _register(context, workspace, job_groups)
        workspace = replace(
            workspace,
            unattended=_is_unattended(context),
            # No later run would see what was set for this one alone, so it stays until all is done.
            patient=config["patient"] or config[FORCE] or bool(config["overrides"]),
            account=_account(context.run) or workspace.account,
        )
        return RunSettings(workspace, force=config[FORCE])

    return dg.ResourceDefinition(
        resource_fn=run_settings,
        config_schema=_CONFIG,
        description="The project as a run sees it: settings from resonare.toml, the environment "
        "and the overrides, and where raw inputs, artifacts and deliverables lie.",
        required_resource_keys={S3_KEY},
    )


def _is_unattended(context: dg.InitResourceContext) -> bool:
    """Tell whether a sensor or a schedule has started the run, or a run that it repeats."""
    return context.run is not None and not UNATTENDED_TAGS.isdisjoint(context.run.tags)


def _account(run: dg.DagsterRun | None) -> str:
    """Return the name under which a run's costs are added up.

    Several runs that one command starts share one; a run that Dagster starts again goes on with
    that of the first.
    """
    if run is None:
        return ""
    repeated = run.root_run_id if RETRY_TAG in run.tags else None
    return run.tags.get(ACCOUNT_TAG) or repeated or run.run_id


def _register(context: dg.InitResourceContext, workspace: Workspace, job_groups: JobGroups) -> None:
    """Note which process a run lives in, and add its partition."""
    run = context.run
    if run is None or context.instance is None:
        return
    context.instance.add_run_tags(run.run_id, {PROCESS_TAG: process_name()})
    key = run.tags.get(PARTITION_TAG)
    if key is None:
        return
    for kind in _kinds_of_run(workspace.graph, run, job_groups.get(run.job_name, ())):
        workspace.list_raw(only=key).require(kind, key)
        if key not in context.instance.get_dynamic_partitions(kind.partitions):
            context.instance.add_dynamic_partitions(kind.partitions, [key])


def _kinds_of_run(graph: Graph, run: dg.DagsterRun, groups: tuple[str, ...]) -> list[RawKind]:
    selected = {key.to_user_string() for key in run.asset_selection or ()}
    return list(
        dict.fromkeys(
            stage.raw
            for stage in graph.stages
            if stage.raw is not None
            and (selected.intersection(stage.assets) if selected else stage.group in groups)
        )
    )
