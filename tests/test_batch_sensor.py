"""Batches of record sets in Dagster: what the sensor starts, and what such a run may pay for."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest

from assets.graph import GRAPH
from resonare_pipeline.batch_sensors import NAME, build_batch_sensor
from resonare_pipeline.definitions import defs
from resources.s3 import S3_KEY, s3_resource
from resources.settings import SETTINGS_KEY
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, Fate, FateRule, Script

SETTINGS = '[completions]\nmode = "batch"\nmodel = "gpt-4o-mini"\nmax_tokens = 20\n'
HOUR = Script(batches=BatchScript(running_seconds=3600))


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(HOUR) as running:
        yield running
        running.advance(1e6)
        running.batches()


class Project:
    """A project with one record set, in the working folder."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.cursor: str | None = None
        instance.add_dynamic_partitions("record_sets", ["set"])

    def settings(self, more: str = "") -> None:
        (self.folder / "resonare.toml").write_text(SETTINGS + more)

    def put(self, first: int, count: int) -> None:
        path = self.folder / "data/raw/records/set.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        turns = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
        path.write_text(
            "".join(
                json.dumps({"messages": [{**turns[0], "content": f"q{n}"}, turns[1]]}) + "\n"
                for n in range(first, first + count)
            )
        )

    def run(
        self,
        *,
        by_sensor: bool = False,
        overrides: Mapping[str, str] | None = None,
        force: bool = False,
    ) -> str:
        """Run the job, and return what made it fail, or what it waits for, or nothing."""
        config = {"overrides": dict(overrides or {}), "force": force}
        result = defs.resolve_job_def("records_job").execute_in_process(
            partition_key="set",
            instance=self.instance,
            raise_on_error=False,
            tags={"dagster/sensor_name": NAME} if by_sensor else {},
            run_config={"resources": {SETTINGS_KEY: {"config": config}}},
        )
        for event in result.all_events:
            if event.is_step_failure and event.step_failure_data.user_failure_data:
                return event.step_failure_data.user_failure_data.description or "failed"
            if event.event_type_value == "ASSET_OBSERVATION":
                return "waiting"
        assert result.success
        return ""

    def tick(self) -> int:
        """Return how many runs the sensor asks for."""
        sensor = build_batch_sensor(GRAPH, {})
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={S3_KEY: s3_resource}
        ) as context:
            found = sensor(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        return len(found.run_requests or ())

    def count(self, query: str) -> int:
        database = sqlite3.connect(self.folder / "data" / "completions.sqlite")
        try:
            return int(database.execute(f"SELECT count(*) FROM {query}").fetchone()[0])  # noqa: S608
        finally:
            database.close()


@pytest.fixture
def project(tmp_path: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        f"BASE_URL={server.url}\nAPI_KEY=dummy\nRESONARE_BATCH_POLL_SECONDS=0.02\n"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        made = Project(tmp_path, instance)
        made.settings()
        made.put(0, 6)
        yield made


def test_sensor_asks_once_when_a_batch_has_ended_and_its_run_collects_it(
    project: Project, server: Running
) -> None:
    assert project.tick() == 0
    assert project.run() == "waiting"
    assert project.tick() == 0
    server.advance(4000)
    assert project.tick() == 1
    assert project.tick() == 0  # the same news is told once
    assert project.run(by_sensor=True) == ""  # begun by hand, so its cap does not hold
    assert project.count("answers") == 6
    assert project.count("marks") == 0
    assert project.tick() == 0


def test_what_nobody_asked_for_by_hand_is_not_paid_for_since_other_requests_were(
    project: Project, server: Running
) -> None:
    assert project.run() == "waiting"
    project.put(1000, 300)
    server.advance(4000)
    assert "budget 300" in project.run(by_sensor=True)
    assert project.count("answers") == 6
    assert "max_unattended_cost_usd" in project.run(by_sensor=True)
    assert len(server.batches()) == 1


def test_a_refused_key_starts_no_run_after_run(project: Project, server: Running) -> None:
    project.settings("max_unattended_cost_usd = 1.0\n")
    server.use(Script(keys=("right",)))
    assert "401" in project.run()
    assert [project.tick() for _ in range(3)] == [0, 0, 0]
    assert project.count("claims") == 0


def test_the_last_few_are_asked_online_by_the_sensors_run_as_by_hand(
    project: Project, server: Running
) -> None:
    project.settings('batch_tail = "online"\n')
    expires = FateRule(fate=Fate.EXPIRED, share=0.5, times=1)
    server.use(Script(batches=BatchScript(running_seconds=3600, fates=(expires,))))
    assert project.run() == "waiting"
    server.advance(4000)
    assert project.tick() == 1
    assert project.run(by_sensor=True) == ""
    assert project.count("answers") == 6
    assert [entry.kind for entry in server.journal()].count("chat") == 3


def test_batches_under_way_are_collected_although_the_mode_is_online_now(
    project: Project, server: Running
) -> None:
    assert project.run() == "waiting"
    project.settings()
    (project.folder / "resonare.toml").write_text(SETTINGS.replace("batch", "online"))
    assert project.run() == "waiting"
    server.advance(4000)
    assert project.run() == ""
    assert project.count("answers") == 6
    assert [entry.kind for entry in server.journal()].count("chat") == 0


def test_a_run_with_settings_of_its_own_stays_until_its_batches_are_answered(
    project: Project, server: Running
) -> None:
    server.use(Script())
    while project.run():
        pass
    fresh = {"record_completions.fresh_answers": "true"}
    assert project.run(overrides=fresh, force=True) == ""
    assert len(server.batches()) == 2
    assert project.count("marks") == 0
    assert project.count("claims") == 0
