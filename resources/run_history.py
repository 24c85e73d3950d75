"""Takes runs out of Dagster's history, with all that their events say.

Dagster keeps of an asset its last materialization as a whole, beside the log; that is put back to
the last one that is left. What may not live here: which runs tell of whom.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable
from dagster._serdes import serialize_value

from resonare_pipeline.artifacts.databases import delete_database
from resources.settings import PARTITION_TAG

AT_ONCE = 1_000  # runs held in memory


def delete_runs(instance: dg.DagsterInstance, concerns: Callable[[str | None, str], bool]) -> int:
    """Delete runs with their events, and return how many.

    Args:
        instance: Whose history it is.
        concerns: Tells from a run's partition (None if it has none) and its config and tags as text
            whether it goes.
    """
    doomed = [run_id for run_id, key, text in _runs(instance) if concerns(key, text)]
    for run_id in doomed:
        instance.delete_run(run_id)
    log = instance.event_log_storage
    if doomed and isinstance(log, SqliteEventLogStorage):
        for run_id in doomed:
            delete_database(Path(log.path_for_shard(run_id)))
        _forget_last(instance, log, doomed)
    return len(doomed)


def is_on_this_machine(instance: dg.DagsterInstance) -> bool:
    """Tell whether events lie in files of this machine, which can be written anew."""
    return isinstance(instance.event_log_storage, SqliteEventLogStorage)


def delete_partitions(instance: dg.DagsterInstance, definition: str, keys: Iterable[str]) -> None:
    """Delete partitions whose raw input is gone; those that are not known are passed over."""
    for key in set(keys).intersection(instance.get_dynamic_partitions(definition)):
        instance.delete_dynamic_partition(definition, key)


def _runs(instance: dg.DagsterInstance) -> list[tuple[str, str | None, str]]:
    found: list[tuple[str, str | None, str]] = []
    cursor: str | None = None
    while records := instance.get_run_records(limit=AT_ONCE, cursor=cursor):
        for record in records:
            run = record.dagster_run
            text = f"{run.run_config} {dict(run.tags)}"
            found.append((run.run_id, run.tags.get(PARTITION_TAG), text))
        cursor = records[-1].dagster_run.run_id
    return found


def _forget_last(
    instance: dg.DagsterInstance, log: SqliteEventLogStorage, doomed: list[str]
) -> None:
    with log.index_connection() as connection:
        names = [row[0] for row in connection.execute(sa.select(AssetKeyTable.c.asset_key))]
    for name in names:
        key = dg.AssetKey.from_db_string(name)
        left = instance.fetch_materializations(key, limit=1).records if key else []
        last = {
            "last_materialization": serialize_value(left[0]) if left else None,
            "last_run_id": left[0].run_id if left else None,
        }
        with log.index_connection() as connection:
            connection.execute(
                AssetKeyTable.update().values(**last).where(AssetKeyTable.c.asset_key == name)
            )
    with log.index_connection() as connection:
        checks = AssetCheckExecutionsTable
        connection.execute(checks.delete().where(checks.c.run_id.in_(doomed)))
