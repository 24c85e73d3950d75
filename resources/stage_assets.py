"""Stages as Dagster assets: the only place where a declaration meets the orchestrator.

Dagster never decides what is made; a step asks the planner, makes or finds the artifact, and
reports it as a materialization, with `cache: hit` where nothing had to be done.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import OutputEntry
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.planning.graph import Output, Stage
from resonare_pipeline.planning.making import Made, make
from resonare_pipeline.planning.plan import stage_code
from resources.artifact_io import IO_MANAGER_KEY
from resources.settings import SETTINGS_KEY, RunSettings


def to_asset(stage: Stage) -> dg.AssetsDefinition:
    """Return the Dagster asset, or assets, that a stage makes."""
    code_version = short_hash(stage_code(stage))

    @dg.multi_asset(
        name=stage.name,
        description=stage.description,
        outs={output.asset: _asset_out(stage, output, code_version) for output in stage.outputs},
        ins={name: dg.AssetIn(key=name, dagster_type=dg.Any) for name in stage.inputs},
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
    ) -> Iterator[dg.MaterializeResult[Artifact]]:
        settings: RunSettings = getattr(context.resources, SETTINGS_KEY)
        partition = context.partition_key if stage.raw is not None else None
        try:
            made = make(settings.workspace, stage, partition, inputs=inputs, force=settings.force)
        except ResonareError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        yield from _report(settings, made)

    return compute


def partitions_of(stage: Stage) -> dg.DynamicPartitionsDefinition | None:
    """Return the partitions definition of a stage."""
    if stage.raw is None:
        return None
    return dg.DynamicPartitionsDefinition(name=stage.raw.partitions)


def _asset_out(stage: Stage, output: Output, code_version: str) -> dg.AssetOut:
    metadata: dict[str, Any] = {}
    if output.schema is not None:
        metadata["dagster/column_schema"] = _column_schema(output.schema)
    return dg.AssetOut(
        description=output.description or stage.description,
        group_name=stage.group,
        kinds=set(output.kinds),
        code_version=code_version,
        io_manager_key=IO_MANAGER_KEY,
        dagster_type=dg.Any,
        metadata=metadata,
    )


def _column_schema(schema: pa.Schema) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in schema
        ]
    )


def _report(settings: RunSettings, made: Made) -> Iterator[dg.MaterializeResult[Artifact]]:
    store = settings.workspace.store
    for name, entry in made.manifest.outputs.items():
        yield dg.MaterializeResult(
            asset_key=name,
            value=store.artifact(made.manifest, name),
            data_version=dg.DataVersion(entry.digest),
            metadata=_metadata(made, entry),
            check_results=[
                dg.AssetCheckResult(
                    check_name=check.name,
                    asset_key=check.asset,
                    passed=check.passed,
                    description=check.message or None,
                )
                for check in made.manifest.checks
                if check.asset == name
            ],
        )


def _metadata(made: Made, entry: OutputEntry) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "cache": made.cache.value,
        "dagster/row_count": entry.rows,
        "fingerprint": made.manifest.fingerprint,
        "seconds": made.seconds,
        "bytes": sum(file.size for file in entry.files),
        "dropped": sum(entry.dropped.values()),
    }
    if entry.dropped:
        metadata["dropped_by_reason"] = dg.TableMetadataValue(
            records=[
                dg.TableRecord(data={"reason": reason, "items": items})
                for reason, items in entry.dropped.items()
            ],
            schema=dg.TableSchema(
                columns=[dg.TableColumn("reason", "string"), dg.TableColumn("items", "int")]
            ),
        )
    if entry.alias_of:
        metadata["alias_of"] = entry.alias_of
    return metadata | {name: _plain(value) for name, value in entry.metadata.items()}


def _plain(value: object) -> Any:
    if isinstance(value, (dict, list)):
        return dg.MetadataValue.json(value)
    return "" if value is None else value
