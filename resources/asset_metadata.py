"""What Dagster is told of an asset: its shape when it is defined, and what became of it in a run.

A hit and a miss tell the same. What of an artifact's content is shown is the business of
`previews`; no file is opened here.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import CheckEntry, OutputEntry
from resonare_pipeline.artifacts.reading import main_file
from resonare_pipeline.planning.graph import Output
from resonare_pipeline.planning.made import Cache, Made
from resources.previews import previews, reported

SHORT_HASH = 12  # hexadecimal digits: enough to compare by eye


def definition_metadata(output: Output) -> dict[str, Any]:
    """Return what is known of an asset before it is made."""
    if output.schema is None:
        return {}
    columns = [
        dg.TableColumn(
            name=field.name,
            type=str(field.type),
            description=output.columns.get(field.name),
            constraints=dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in output.schema
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def made_metadata(made: Made, output: Output, artifact: Artifact, *, rows: int) -> dict[str, Any]:
    """Return what became of one asset, in the order in which people read it.

    Args:
        rows: Most rows of the artifact that are shown; with 0 nothing of its content is.
    """
    entry = artifact.entry
    return {
        "dagster/row_count": entry.rows,
        "cache": made.cache.value,
        **_because(made),
        **{name: _plain(value) for name, value in reported(entry.metadata, rows).items()},
        **_origin(output, entry),
        **_dropped(entry.dropped),
        **previews(artifact, rows),
        **_making(made),
        **_places(made, artifact),
    }


def _because(made: Made) -> dict[str, Any]:
    if made.cache is Cache.HIT:
        return {}
    return {"made_because": "; ".join(made.reasons)}


def _origin(output: Output, entry: OutputEntry) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if entry.alias_of:
        metadata["alias_of"] = dg.MetadataValue.asset(dg.AssetKey(entry.alias_of))
    if output.lineage:
        metadata["dagster/column_lineage"] = _lineage(output)
    return metadata


def _dropped(dropped: Mapping[str, int]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"dropped": sum(dropped.values())}
    if dropped:
        rows = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
        metadata["dropped_by_reason"] = _table({"reason": "string", "items": "int"}, rows)
    return metadata


def _making(made: Made) -> dict[str, Any]:
    made_at = dt.datetime.fromisoformat(made.manifest.made_at)
    return {
        "seconds": made.seconds,
        "made_in_seconds": made.manifest.seconds,
        "made_at": dg.MetadataValue.timestamp(made_at),
    }


def _places(made: Made, artifact: Artifact) -> dict[str, Any]:
    files = artifact.entry.files
    columns = {"name": "string", "bytes": "int", "sha256": "string", "in_digest": "bool"}
    rows = [(file.name, file.size, file.sha256[:SHORT_HASH], not file.auxiliary) for file in files]
    return {
        "stored_bytes": sum(file.size for file in files),
        "files": _table(columns, rows),
        "path": dg.MetadataValue.path(artifact.files.locate(main_file(artifact).path)),
        "fingerprint": made.manifest.fingerprint,
    }


def check_results(checks: Iterable[CheckEntry], partition: str | None) -> list[dg.AssetCheckResult]:
    """Return what checks found, for Dagster.

    The partition stands among the metadata: Dagster's checks have partitions as a preview only.
    """
    where = {} if partition is None else {"partition": partition}
    return [
        dg.AssetCheckResult(
            check_name=check.name,
            asset_key=check.asset,
            passed=check.passed,
            description=check.message or None,
            metadata=where | {name: _plain(value) for name, value in check.metadata.items()},
        )
        for check in checks
    ]


def _plain(value: object) -> Any:
    if isinstance(value, (dict, list)):
        return dg.MetadataValue.json(value)
    return "" if value is None else value


def _table(columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> dg.TableMetadataValue:
    return dg.TableMetadataValue(
        records=[dg.TableRecord(data=dict(zip(columns, row, strict=True))) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(*column) for column in columns.items()]),
    )


def _lineage(output: Output) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        deps_by_column={
            column: [
                dg.TableColumnDep(asset_key=asset, column_name=source)
                for asset, _, source in (name.partition(".") for name in sources)
            ]
            for column, sources in output.lineage.items()
        }
    )
