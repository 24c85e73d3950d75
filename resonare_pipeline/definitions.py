"""What Dagster loads: `build_defs` puts graph, resources, jobs and sensors together."""

from collections.abc import Mapping

import dagster as dg

from assets.graph import GRAPH
from resonare_pipeline.batch_sensors import build_batch_sensor
from resonare_pipeline.gathering_sensors import build_gathering_sensors
from resonare_pipeline.jobs import JOB_GROUPS, build_jobs
from resonare_pipeline.sensors import build_sensors
from resources.artifact_io import IO_MANAGER_KEY, artifact_io_manager
from resources.s3 import S3_KEY, s3_resource
from resources.settings import SETTINGS_KEY, settings_resource
from resources.stage_assets import to_asset


def build_defs(overrides: Mapping[str, str] | None = None) -> dg.Definitions:
    """Return the code location.

    Args:
        overrides: Settings that hold in every run, in the `--set` syntax.
    """
    overrides = overrides or {}
    return dg.Definitions(
        assets=[to_asset(stage, gathered=GRAPH.gathered(stage)) for stage in GRAPH.stages],
        jobs=build_jobs(GRAPH),
        sensors=[
            *build_sensors(GRAPH, JOB_GROUPS, overrides),
            *build_gathering_sensors(GRAPH, JOB_GROUPS, overrides),
            build_batch_sensor(GRAPH, overrides),
        ],
        resources={
            SETTINGS_KEY: settings_resource(GRAPH, JOB_GROUPS, overrides),
            IO_MANAGER_KEY: artifact_io_manager,
            S3_KEY: s3_resource,
        },
        # Several processes cost seconds of imports each; stages spread over cores by themselves.
        executor=dg.in_process_executor,
    )


defs = build_defs()
