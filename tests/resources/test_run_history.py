from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonare_pipeline.artifacts.databases import compact, databases
from resources.run_history import delete_partitions, delete_runs, is_on_this_machine

KEYS = dg.DynamicPartitionsDefinition(name="exports")
CHECK = dg.AssetCheckSpec(name="sound", asset="words")


@dg.asset(partitions_def=KEYS, check_specs=[CHECK])
def words(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Tells of its partition in its events."""
    said = {"said": f"secret of {context.partition_key}"}
    checked = dg.AssetCheckResult(passed=True, check_name="sound", metadata=said)
    yield dg.MaterializeResult(metadata=said, check_results=[checked])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """A history on disk in which each of three partitions was made, `bea` last."""
    with dg.DagsterInstance.local_temp(str(home)) as found:
        found.add_dynamic_partitions("exports", ["ann", "cy", "bea"])
        for key in ("ann", "cy", "bea"):
            done = dg.materialize([words], instance=found, partition_key=key)
            assert done.success
        yield found


def bytes_of(home: Path) -> bytes:
    for path in databases(home):
        assert compact(path)
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_deleted_runs_leave_nothing_and_the_rest_is_as_it_was(
    instance: dg.DagsterInstance, home: Path
) -> None:
    assert b"secret of bea" in bytes_of(home)

    count = delete_runs(instance, lambda key, _: key == "bea")

    assert count == 1
    left = bytes_of(home)
    assert b"secret of bea" not in left
    assert b"secret of ann" in left
    assert {run.tags["dagster/partition"] for run in instance.get_runs()} == {"ann", "cy"}
    last = instance.get_latest_materialization_event(dg.AssetKey("words"))
    assert last is not None
    assert last.asset_materialization is not None
    assert last.asset_materialization.partition == "cy"


def test_an_asset_all_of_whose_runs_go_was_never_made(
    instance: dg.DagsterInstance, home: Path
) -> None:
    assert delete_runs(instance, lambda _key, _text: True) == 3

    assert b"secret" not in bytes_of(home)
    assert instance.get_latest_materialization_event(dg.AssetKey("words")) is None


def test_config_and_tags_tell_of_whom_a_run_was(instance: dg.DagsterInstance) -> None:
    tags = {"persona": "Bea Lopez"}
    dg.materialize([words], instance=instance, partition_key="ann", tags=tags)

    assert delete_runs(instance, lambda _, text: "Bea Lopez" in text) == 1
    assert delete_runs(instance, lambda _, text: "Bea Lopez" in text) == 0


def test_only_partitions_that_are_there_are_deleted(instance: dg.DagsterInstance) -> None:
    delete_partitions(instance, "exports", ["bea", "nobody"])

    assert set(instance.get_dynamic_partitions("exports")) == {"ann", "cy"}
    assert is_on_this_machine(instance)
