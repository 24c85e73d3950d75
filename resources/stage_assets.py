"""Stages as Dagster assets: the only place where a declaration meets the orchestrator.

Dagster never decides what is made; a step asks the planner, makes or finds the artifact, and
reports it as a materialization, with `cache: hit` where nothing had to be done.
"""

from collections.abc import Iterator

import dagster as dg

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import CheckFailedError, ResonareError, WaitingError
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.planning.graph import Output, Stage
from resonare_pipeline.planning.ingredients import stage_code
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.operation import UiSettings
from resources.artifact_io import IO_MANAGER_KEY
from resources.asset_metadata import check_results, definition_metadata, made_metadata
from resources.previews import preview_rows
from resources.settings import SETTINGS_KEY, RunSettings

WAITING = "waiting"  # metadata of an observation: what a stage without outputs waits for


def to_asset(stage: Stage, *, gathered: tuple[str, ...] = ()) -> dg.AssetsDefinition:
    """Return the Dagster asset, or assets, that a stage makes.

    Args:
        gathered: Inputs of which it gets every partition. Dagster knows of them only for lineage:
            it would hand on all partitions or fail, where the planner takes those that are ready.
    """
    code_version = short_hash(stage_code(stage))

    @dg.multi_asset(
        name=stage.name,
        description=stage.description,
        outs={output.asset: _asset_out(stage, output, code_version) for output in stage.outputs},
        ins={
            name: dg.AssetIn(key=name, dagster_type=dg.Any)
            for name in stage.inputs
            if name not in gathered
        },
        deps=[dg.AssetKey(name) for name in gathered],
        internal_asset_deps={
            output.asset: {dg.AssetKey(name) for name in stage.inputs} for output in stage.outputs
        },
        partitions_def=partitions_of(stage),
        check_specs=[
            dg.AssetCheckSpec(
                name=check.name, asset=check.asset, description=check.description, blocking=True
            )
            for check in stage.checks
        ],
        required_resource_keys={SETTINGS_KEY},
    )
    def compute(
        context: dg.AssetExecutionContext, **inputs: Artifact
    ) -> Iterator[dg.MaterializeResult[Artifact] | dg.AssetCheckResult]:
        settings: RunSettings = getattr(context.resources, SETTINGS_KEY)
        partition = context.partition_key if stage.raw is not None else None
        try:
            made = make(settings.workspace, stage, partition, inputs=inputs, force=settings.force)
        except ResonareError as error:
            if isinstance(error, WaitingError):
                _observe(context, stage, str(error))
                return
            if isinstance(error, CheckFailedError):
                yield from check_results(error.checks, partition)
            raise dg.Failure(description=str(error), allow_retries=False) from error
        yield from _report(settings, context.instance, made)

    return compute


def _observe(context: dg.AssetExecutionContext, stage: Stage, text: str) -> None:
    """Say in the UI what a stage waits for: it has no outputs, and what needs them is skipped."""
    context.log.info(f"waiting: {text}")  # noqa: G004  # Dagster formats nothing by itself
    partition = context.partition_key if stage.raw is not None else None
    for output in stage.outputs:
        context.log_event(
            dg.AssetObservation(
                asset_key=output.asset,
                partition=partition,
                description="waiting",
                metadata={WAITING: dg.MetadataValue.text(text)},
            )
        )


def partitions_of(stage: Stage) -> dg.DynamicPartitionsDefinition | None:
    """Return the partitions definition of a stage."""
    if stage.raw is None:
        return None
    return dg.DynamicPartitionsDefinition(name=stage.raw.partitions)


def _asset_out(stage: Stage, output: Output, code_version: str) -> dg.AssetOut:
    return dg.AssetOut(
        description=output.description or stage.description,
        group_name=stage.group,
        kinds=set(output.kinds),
        code_version=code_version,
        io_manager_key=IO_MANAGER_KEY,
        is_required=not stage.may_wait,
        dagster_type=dg.Any,
        metadata=definition_metadata(output),
    )


def _report(
    settings: RunSettings, instance: dg.DagsterInstance, made: Made
) -> Iterator[dg.MaterializeResult[Artifact]]:
    workspace = settings.workspace
    rows = preview_rows(workspace.settings.section(UiSettings), instance.event_log_storage)
    checks = check_results(made.manifest.checks, made.partition)
    for output in made.stage.outputs:
        key = dg.AssetKey(output.asset)
        artifact = workspace.store.artifact(made.manifest, output.asset)
        yield dg.MaterializeResult(
            asset_key=key,
            value=artifact,
            data_version=dg.DataVersion(artifact.digest),
            metadata=made_metadata(made, output, artifact, rows=rows),
            check_results=[check for check in checks if check.asset_key == key],
        )
