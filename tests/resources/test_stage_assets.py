from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.artifact_io import IO_MANAGER_KEY, artifact_io_manager
from resources.s3 import S3_KEY, s3_resource
from resources.settings import SETTINGS_KEY, settings_resource
from resources.stage_assets import to_asset
from tests.planning.toy import GRAPH, Toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.chdir(tmp_path)
    project = Toy(tmp_path)
    project.write("a.txt", "one two  three")
    return project


@pytest.fixture
def instance() -> Any:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def execute(
    toy: Toy,
    instance: dg.DagsterInstance,
    partition: str = "a",
    overrides: dict[str, str] | None = None,
    *,
    select: list[str] | None = None,
) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions(
        assets=[to_asset(stage) for stage in GRAPH.stages],
        jobs=[dg.define_asset_job("texts_job", selection=dg.AssetSelection.groups("texts"))],
        resources={
            SETTINGS_KEY: settings_resource(GRAPH, {"texts_job": ("texts",)}, {}),
            IO_MANAGER_KEY: artifact_io_manager,
            S3_KEY: s3_resource,
        },
        executor=dg.in_process_executor,
    )
    config = {
        "overrides": overrides or {},
        "raw": str(toy.folder / "raw"),
        "store": str(toy.folder / "store"),
        "output": str(toy.folder / "output"),
    }
    return defs.resolve_job_def("texts_job").execute_in_process(
        instance=instance,
        run_config={"resources": {SETTINGS_KEY: {"config": config}}},
        tags={"dagster/partition": partition},
        asset_selection=[dg.AssetKey(name) for name in select] if select else None,
        raise_on_error=False,
    )


def materializations(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {
        event.materialization.asset_key.to_user_string(): event.materialization
        for event in result.all_events
        if event.is_step_materialization
    }


def cached(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {name: made.metadata["cache"].value for name, made in materializations(result).items()}


def test_run_registers_its_partition_and_reports_every_asset(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    result = execute(toy, instance)
    assert result.success
    assert instance.get_dynamic_partitions("text_files") == ["a"]
    assert cached(result) == dict.fromkeys(GRAPH.makers, "miss")
    made = materializations(result)
    assert made["words"].metadata["dagster/row_count"].value == 3
    assert made["words"].partition == "a"
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("length", True)


def test_run_again_reports_hits_with_their_checks(toy: Toy, instance: dg.DagsterInstance) -> None:
    first = execute(toy, instance)
    again = execute(toy, instance)
    assert cached(again) == dict.fromkeys(GRAPH.makers, "hit")
    assert [check.passed for check in again.get_asset_check_evaluations()] == [True]
    version = "dagster/data_version"
    assert {name: made.tags[version] for name, made in materializations(first).items()} == {
        name: made.tags[version] for name, made in materializations(again).items()
    }


def test_run_with_overrides_reaches_every_step_and_is_nobody_elses_input(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    execute(toy, instance)
    assert cached(execute(toy, instance, overrides={"words.upper": "true"})) == {
        "text": "hit",
        "words": "miss",
        "letters": "miss",
        "same_words": "miss",
        "parity": "hit",
    }
    # The experiment above is the youngest artifact, and yet the plain run finds its own.
    assert cached(execute(toy, instance)) == dict.fromkeys(GRAPH.makers, "hit")
    assert (toy.folder / "output/texts/a/words.txt").read_text() == "one\ntwo\nthree"


def test_run_of_one_asset_loads_its_input_from_the_store(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    execute(toy, instance)
    result = execute(toy, instance, select=["parity"])
    assert cached(result) == {"parity": "hit"}


def test_run_of_one_asset_without_its_input_fails(toy: Toy, instance: dg.DagsterInstance) -> None:
    result = execute(toy, instance, select=["parity"])
    assert not result.success


def test_run_of_unknown_partition_fails_and_registers_nothing(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    result = execute(toy, instance, partition="nobody")
    assert not result.success
    assert instance.get_dynamic_partitions("text_files") == []
    assert materializations(result) == {}


def test_run_failing_check_is_a_failure_that_names_it(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    result = execute(toy, instance, overrides={"words.longest": "2"})
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "check length failed: 5 letters" in str(failure.step_failure_data.user_failure_data)
    assert set(materializations(result)) == {"text"}
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.description) == ("length", False, "5 letters")


def test_report_of_a_miss_and_a_hit_tell_the_same_story(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    first = materializations(execute(toy, instance))["words"].metadata
    again = materializations(execute(toy, instance))["words"].metadata
    assert first["made_because"].value == "never made"
    told = set(first) - {"made_because"}
    assert told == set(again)
    changing = {"cache", "seconds"}
    assert {name: first[name] for name in told - changing} == {
        name: again[name] for name in told - changing
    }
    assert first["dropped"].value == 0
    assert [record.data["name"] for record in first["files"].records] == ["words.txt"]
    assert len(first["fingerprint"].value) == 64


def test_report_after_a_changed_setting_says_why_it_was_made(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    execute(toy, instance)
    made = materializations(execute(toy, instance, overrides={"words.upper": "true"}))
    assert made["words"].metadata["made_because"].value == "setting words.upper: False → True"


def test_report_of_an_alias_names_the_asset_whose_files_it_has(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    made = materializations(execute(toy, instance))
    assert made["same_words"].metadata["alias_of"].value == dg.AssetKey("words")


def test_report_of_a_check_names_its_partition_on_a_hit_too(
    toy: Toy, instance: dg.DagsterInstance
) -> None:
    for _ in range(2):
        [check] = execute(toy, instance).get_asset_check_evaluations()
        assert check.description == "5 letters"
        assert check.metadata["partition"].value == "a"
        assert check.metadata["letters"].value == 5
