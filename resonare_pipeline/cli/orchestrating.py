"""Runs of Dagster started by the command line, in this process. Imported only on a miss."""

import logging
import warnings
from dataclasses import dataclass

import dagster as dg

from resonare_pipeline.cli.request import Request
from resonare_pipeline.definitions import defs
from resonare_pipeline.jobs import job_for
from resonare_pipeline.planning.graph import Stage
from resources.settings import ACCOUNT_TAG, FORCE, PARTITION_TAG, SETTINGS_KEY

_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run ended.

    Attributes:
        error: What went wrong, for people; empty on success.
    """

    run_id: str
    error: str = ""


def run_partition(
    request: Request, stages: list[Stage], partition: str | None, *, force: bool
) -> RunOutcome:
    """Make some stages of one partition in a Dagster run.

    Raises:
        KeyboardInterrupt: If the run was interrupted, at whatever place Dagster noticed it.
    """
    places = request.workspace.places
    config: dict[str, object] = {
        "overrides": request.overrides,
        FORCE: force,
        "patient": True,  # somebody sits before the terminal
        "folder": str(request.workspace.folder),
        "raw": places.raw,
        "store": places.store,
        "output": places.output,
    }
    if request.workspace.single is not None:
        config["single"] = str(request.workspace.single)
    tags = {ACCOUNT_TAG: request.workspace.account}  # one for all partitions
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), dg.DagsterInstance.get() as instance:
        warnings.simplefilter("ignore")  # Dagster's notices to developers say nothing to a person
        result = defs.resolve_job_def(job_for(stages)).execute_in_process(
            instance=instance,
            run_config={
                "resources": {SETTINGS_KEY: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            tags=tags if partition is None else {**tags, PARTITION_TAG: partition},
            asset_selection=[dg.AssetKey(name) for stage in stages for name in stage.assets],
            raise_on_error=False,
        )
    if _was_interrupted(result):
        raise KeyboardInterrupt
    return RunOutcome(run_id=result.run_id, error="" if result.success else _why(result))


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return any(error and error.cls_name in _INTERRUPTIONS for error in errors)


def _why(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            if data.error:
                return data.error.message.strip()
    for event in result.all_events:
        if event.is_run_failure and event.job_failure_data.error:
            error = event.job_failure_data.error
            return (error.cause or error).message.strip()
    return f"run {result.run_id} failed"
