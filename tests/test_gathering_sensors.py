"""Ticks of the dataset's sensor, one call each."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.graph import GRAPH
from resonare_pipeline.gathering_sensors import build_gathering_sensors
from resonare_pipeline.jobs import JOB_GROUPS
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resources.s3 import S3_KEY, s3_resource
from resources.settings import PARTITION_TAG
from tests.datasets.exports import many

SETTINGS = {"blocks.min_tokens_per_block": "1"}
KIND = "chat_exports"


class Watched:
    """A project in the working folder, and the sensor that looks after its dataset."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.cursor: str | None = None
        (self.sensor,) = build_gathering_sensors(GRAPH, JOB_GROUPS, SETTINGS)

    def open(self) -> Workspace:
        return open_workspace(GRAPH, overrides=SETTINGS, folder=self.folder)

    def put(self, key: str, *, chats: int = 3) -> None:
        import json

        path = self.folder / "data/raw/chats" / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(many(chats)))
        self.instance.add_dynamic_partitions(KIND, [key])

    def fill(self, key: str) -> None:
        for stage in GRAPH.stages:
            if stage.group == "chats":
                make(self.open(), stage, key)

    def gather(self) -> None:
        for stage in GRAPH.stages:
            if stage.raw is None and not stage.on_request:
                make(self.open(), stage, None)

    def tick(self) -> dg.SensorResult:
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={S3_KEY: s3_resource}
        ) as context:
            answer = self.sensor(context)
        assert isinstance(answer, dg.SensorResult)
        self.cursor = answer.cursor
        return answer

    def skips(self) -> str:
        answer = self.tick()
        assert not answer.run_requests
        assert isinstance(answer.skip_reason, dg.SkipReason)
        return answer.skip_reason.skip_message or ""

    def asks(self) -> str:
        [request] = self.tick().run_requests or ()
        return request.run_key or ""

    def end_run(self, key: str, status: dg.DagsterRunStatus) -> None:
        run = dg.DagsterRun(job_name="chats_job", tags={PARTITION_TAG: key}, status=status)
        self.instance.add_run(run)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watched(tmp_path, instance)


def test_sensor_waits_for_partitions_that_a_run_may_still_make(watched: Watched) -> None:
    watched.put("a")
    assert watched.skips() == "nothing is ready to be gathered"
    watched.fill("a")
    watched.put("b")
    assert watched.skips() == "waiting for b"


def test_sensor_asks_once_a_change_is_made_and_no_more_when_gathered(watched: Watched) -> None:
    watched.put("a")
    watched.fill("a")
    first = watched.asks()
    assert watched.asks() == first
    watched.gather()
    assert watched.skips() == "up to date"
    watched.put("b", chats=5)
    watched.fill("b")
    assert watched.asks() != first


def test_sensor_goes_on_without_a_partition_whose_run_has_failed(watched: Watched) -> None:
    watched.put("a")
    watched.fill("a")
    watched.put("b")
    watched.end_run("b", dg.DagsterRunStatus.FAILURE)
    watched.asks()


def test_sensor_waits_while_any_run_is_going_on(watched: Watched) -> None:
    watched.put("a")
    watched.fill("a")
    watched.end_run("a", dg.DagsterRunStatus.STARTED)
    assert watched.skips() == "waiting for a run in progress"


def test_sensor_waits_until_a_removal_is_believed_and_then_asks(watched: Watched) -> None:
    for key, chats in (("a", 3), ("b", 5)):
        watched.put(key, chats=chats)
        watched.fill(key)
    watched.gather()
    (watched.folder / "data/raw/chats/b.json").unlink()
    assert "chat_exports_sensor" in watched.skips()
    watched.instance.delete_dynamic_partition(KIND, "b")
    watched.asks()


def test_sensor_asks_each_time_that_an_export_comes_and_goes(watched: Watched) -> None:
    toml = watched.folder / "resonare.toml"
    for key, chats in (("a", 3), ("b", 5)):
        watched.put(key, chats=chats)
        watched.fill(key)
    keys = []
    for number in range(5):
        toml.write_text(f'[partition."chats/b".mixture]\ninclude = {str(number % 2 == 0).lower()}')
        keys.append(watched.asks())
        watched.gather()
        assert watched.skips() == "up to date"
    assert len(set(keys)) == 5


def test_sensor_asks_again_for_a_hit_that_was_laid_over(watched: Watched) -> None:
    watched.put("a", chats=3)
    watched.fill("a")
    first = watched.asks()
    watched.gather()
    watched.put("a", chats=5)
    watched.fill("a")
    watched.gather()
    watched.put("a", chats=3)
    watched.fill("a")
    again = watched.asks()
    assert again != first
    watched.gather()
    assert watched.skips() == "up to date"
