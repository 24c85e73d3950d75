from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resonare_pipeline.definitions import defs
from resources.artifact_io import IO_MANAGER_KEY, artifact_io_manager
from resources.s3 import S3_KEY, s3_resource
from resources.settings import SETTINGS_KEY, settings_resource
from resources.stage_assets import to_asset
from tests.planning.toy import GRAPH, Toy
from tests.s3 import Server


@pytest.fixture
def remote(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.chdir(tmp_path)
    project = Toy(tmp_path, f"s3://{bucket}")
    project.write("a.txt", "one two  three")
    return project


def execute(toy: Toy, s3: dict[str, Any]) -> dg.ExecuteInProcessResult:
    made = dg.Definitions(
        assets=[to_asset(stage) for stage in GRAPH.stages],
        jobs=[dg.define_asset_job("texts_job", selection=dg.AssetSelection.groups("texts"))],
        resources={
            SETTINGS_KEY: settings_resource(GRAPH, {"texts_job": ("texts",)}, {}),
            IO_MANAGER_KEY: artifact_io_manager,
            S3_KEY: s3_resource,
        },
        executor=dg.in_process_executor,
    )
    places = {name: toy.place(name) for name in ("raw", "store", "output")}
    with dg.DagsterInstance.ephemeral() as instance:
        return made.resolve_job_def("texts_job").execute_in_process(
            instance=instance,
            run_config={
                "resources": {SETTINGS_KEY: {"config": places}, S3_KEY: {"config": s3}},
            },
            tags={"dagster/partition": "a"},
            raise_on_error=False,
        )


def cached(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {
        event.materialization.asset_key.to_user_string(): event.materialization.metadata[
            "cache"
        ].value
        for event in result.all_events
        if event.is_step_materialization
    }


def test_s3_resource_without_config_takes_the_environment(remote: Toy) -> None:
    assert cached(execute(remote, {})) == dict.fromkeys(GRAPH.makers, "miss")
    assert cached(execute(remote, {})) == dict.fromkeys(GRAPH.makers, "hit")


def test_s3_resource_with_config_overrides_the_environment(
    remote: Toy, s3_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("THE_SECRET", "secret")
    config = {
        "endpoint_url": s3_server.url,
        "aws_access_key_id": "name",
        "aws_secret_access_key": {"env": "THE_SECRET"},
        "region_name": "us-east-1",
        "max_attempts": 2,
        "verify": False,
    }
    assert cached(execute(remote, config)) == dict.fromkeys(GRAPH.makers, "miss")


def test_s3_resource_with_a_wrong_endpoint_fails_the_run_before_any_step(remote: Toy) -> None:
    result = execute(remote, {"endpoint_url": "http://127.0.0.1:1", "max_attempts": 1})
    assert not result.success
    assert cached(result) == {}
    [failure] = [event for event in result.all_events if event.is_run_failure]
    assert "cannot be reached" in str(failure.job_failure_data.error)


def test_definitions_show_the_s3_resource() -> None:
    resource = defs.resolve_job_def("chats_job").resource_defs[S3_KEY]
    assert "dagster_aws.s3.S3Resource" in str(resource.description)
