"""Batches that have ended → runs that collect them and submit the next round.

A tick asks the ledger which campaigns are not ended, and the provider how their batches stand.
Nothing is collected or submitted here: that is the run's work.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack

import dagster as dg
import msgspec

from resonare_pipeline.artifacts.s3.client import Connect
from resonare_pipeline.completions.batches.batch import Batch, RemoteBatch
from resonare_pipeline.completions.batches.faults import NotNowError
from resonare_pipeline.completions.batches.opening import batch_endpoint
from resonare_pipeline.completions.batches.watching import OpenCampaign, news, open_campaigns
from resonare_pipeline.completions.environment import CACHE_FILE
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.workspace import Workspace, environment, open_workspace
from resonare_pipeline.sensors import UNFINISHED, interval_seconds
from resources.settings import PARTITION_TAG

JOB = "records_job"
GROUP = "records"
PARTITIONS = "record_sets"
NAME = "batch_sensor"
TICK_SECONDS = 30.0  # of the 60 that the daemon gives a tick
ASK_AGAIN_SECONDS = 3600.0  # a run that failed on the way leaves things as they were


class _Asked(msgspec.Struct, kw_only=True):
    """The cursor: campaign → what was last asked for, and when; how many runs there were."""

    news: dict[str, tuple[str, float]] = {}
    requests: int = 0
    epoch: float = 0.0


def build_batch_sensor(graph: Graph, overrides: Mapping[str, str]) -> dg.SensorDefinition:
    """Return the sensor of batches.

    Args:
        graph: What there is to make.
        overrides: Settings that hold in every run, in the `--set` syntax.
    """

    @dg.sensor(
        name=NAME,
        job_name=JOB,
        minimum_interval_seconds=interval_seconds(graph, overrides),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Looks at batches under way and starts {JOB} when some have ended.",
    )
    def evaluate(
        context: dg.SensorEvaluationContext, s3: dg.ResourceParam[Connect]
    ) -> dg.SensorResult:
        workspace = open_workspace(graph, overrides=overrides, connect_s3=s3)
        return _tick(context, workspace)

    return evaluate


def _tick(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SensorResult:
    asked = _asked(context.cursor)
    environ = environment(workspace.folder)
    campaigns = open_campaigns(
        environ, default_db=workspace.folder / CACHE_FILE, prefix=f"{GROUP}/"
    )
    busy = _busy(context.instance)
    known = set(context.instance.get_dynamic_partitions(PARTITIONS))
    until = time.monotonic() + TICK_SECONDS
    requests: list[dg.RunRequest] = []
    said: list[str] = []
    for campaign in campaigns:
        key = campaign.name.removeprefix(f"{GROUP}/")
        if key not in known:
            said.append(f"{key}: its records are gone")
            continue
        if key in busy or time.monotonic() > until:
            said.append(f"{key}: waiting for a run in progress")
            continue
        try:
            found = _news(campaign, workspace, environ)
        except (ResonareError, NotNowError) as error:
            said.append(f"{key}: {error}")
            continue
        if found is None or _is_old(asked, campaign.name, found):
            said.append(f"{key}: {len(campaign.live)} batches are under way")
            continue
        asked.requests += 1
        asked.news[campaign.name] = (found, time.time())
        run_key = f"{campaign.name}#{asked.requests}@{asked.epoch:.0f}"
        requests.append(dg.RunRequest(run_key=run_key, partition_key=key))
    names = {campaign.name for campaign in campaigns}
    asked.news = {name: value for name, value in asked.news.items() if name in names}
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(said) or "no batches are under way",
        cursor=msgspec.json.encode(asked).decode(),
    )


def _asked(cursor: str | None) -> _Asked:
    try:
        return msgspec.json.decode(cursor or "", type=_Asked)
    except ValueError:
        return _Asked(epoch=time.time())


def _is_old(asked: _Asked, campaign: str, found: str) -> bool:
    before, at = asked.news.get(campaign, ("", 0.0))
    return found == before and time.time() - at < ASK_AGAIN_SECONDS


def _news(campaign: OpenCampaign, workspace: Workspace, environ: Mapping[str, str]) -> str | None:
    from resonare_pipeline.completions.batches.remote import Remote  # and OpenAI's SDK: 0.5 s

    settings = workspace.settings.section(CompletionsSettings, campaign.name)
    with ExitStack() as stack:
        remote: Remote | None = None

        def look(batch: Batch) -> RemoteBatch | None:
            nonlocal remote
            if remote is None:
                remote = Remote(batch_endpoint(settings, environ), settings)
                stack.callback(remote.close)
            return remote.look(batch.remote or "")

        return news(campaign, look)


def _busy(instance: dg.DagsterInstance) -> set[str]:
    runs = instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNFINISHED))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}
