"""Ticks of the sensor, one call each; the daemon itself runs in test_daemon."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import dagster as dg
import pytest

from assets.graph import GRAPH
from resonare_pipeline.artifacts.files import Files, write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.errors import StoreError
from resonare_pipeline.jobs import JOB_GROUPS
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from resonare_pipeline.sensors import build_sensors
from resources.s3 import S3_KEY, s3_resource
from tests.s3 import serving, use

SAMPLE = Path(__file__).parent / "data" / "telegram" / "chatpackcli_export.json"
JOB, PARTITIONS = "chats_job", "chat_exports"


class Daemon:
    """Calls the sensor tick by tick and does what a daemon does with its answers."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None
        sensors = build_sensors(GRAPH, JOB_GROUPS, {"blocks.min_tokens_per_block": "8"})
        (self.sensor,) = (found for found in sensors if found.name == "chat_exports_sensor")

    def tick(self) -> dg.SensorResult:
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={S3_KEY: s3_resource}
        ) as context:
            result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        for change in result.dynamic_partitions_requests or ():
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(PARTITIONS, list(change.partition_keys))
            else:
                for key in change.partition_keys:
                    self.instance.delete_dynamic_partition(PARTITIONS, key)
        self.cursor = result.cursor
        return result

    def asked(self) -> list[str | None]:
        return [request.partition_key for request in self.tick().run_requests or ()]

    @property
    def partitions(self) -> set[str]:
        return set(self.instance.get_dynamic_partitions(PARTITIONS))


class Raw(Protocol):
    """The raw folder of chats, on one storage."""

    def put(self, key: str, *, at: int = 1) -> None:
        """Write an export, last written at a time."""
        ...

    def remove(self, key: str) -> None:
        """Remove an export."""
        ...


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, key: str, *, at: int = 1) -> None:
        path = self.path / f"{key}.json"
        shutil.copy(SAMPLE, path)
        os.utime(path, (at, at))

    def remove(self, key: str) -> None:
        (self.path / f"{key}.json").unlink()


class Bucket:
    def __init__(self, files: Files) -> None:
        self.files = files

    def put(self, key: str, *, at: int = 1) -> None:
        # An ETag tells of the content alone, so another time is another content here.
        write_bytes(self.files, f"{key}.json", SAMPLE.read_bytes() + b" " * at)

    def remove(self, key: str) -> None:
        self.files.delete(f"{key}.json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data" / "raw" / "chats"
    path.mkdir(parents=True)
    return Folder(path)


@pytest.fixture(params=["disk", "s3"])
def raw(request: pytest.FixtureRequest, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Raw:
    if request.param == "disk":
        return folder
    location = f"s3://{request.getfixturevalue('bucket')}/raw"
    monkeypatch.setenv("RESONARE_RAW", location)
    return Bucket(open_files(f"{location}/chats"))


@pytest.fixture
def daemon(folder: Folder) -> Iterator[Daemon]:  # noqa: ARG001  # the working folder
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(instance)


def make_current(key: str) -> None:
    workspace = open_workspace(GRAPH, overrides={"blocks.min_tokens_per_block": "8"})
    for stage in GRAPH.stages:
        if stage.group in ("chats", "style"):
            make(workspace, stage, key)


def test_sensor_takes_a_file_at_the_second_look_and_registers_it_at_the_first(
    raw: Raw, daemon: Daemon
) -> None:
    raw.put("a")
    assert daemon.asked() == []
    assert daemon.partitions == {"a"}
    assert daemon.asked() == ["a"]
    assert daemon.asked() == []


def test_sensor_every_request_has_a_run_key_of_its_own(raw: Raw, daemon: Daemon) -> None:
    keys = []
    for at in (1, 1, 2, 2, 1, 1):
        raw.put("a", at=at)
        keys += [request.run_key for request in daemon.tick().run_requests or ()]
    assert len(set(keys)) == len(keys) == 3


def test_sensor_passes_over_what_the_planner_calls_current(raw: Raw, daemon: Daemon) -> None:
    raw.put("a")
    raw.put("b")
    make_current("a")
    daemon.tick()
    assert daemon.asked() == ["b"]
    raw.put("a", at=5)
    daemon.tick()
    assert daemon.asked() == ["a"]


def test_sensor_waits_while_a_run_of_the_partition_is_in_progress(raw: Raw, daemon: Daemon) -> None:
    raw.put("a")
    daemon.tick()
    run = dg.DagsterRun(
        job_name=JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "a"}
    )
    daemon.instance.add_run(run)
    waiting = daemon.tick()
    assert not waiting.run_requests
    assert "a run in progress" in str(waiting.skip_reason)
    daemon.instance.report_run_failed(run)
    assert daemon.asked() == ["a"]


def test_sensor_retires_what_two_listings_miss(raw: Raw, daemon: Daemon) -> None:
    raw.put("a")
    raw.put("b")
    daemon.tick()
    raw.remove("a")
    daemon.tick()
    assert daemon.partitions == {"a", "b"}
    daemon.tick()
    assert daemon.partitions == {"b"}


@pytest.mark.parametrize("is_gone", [True, False], ids=["folder gone", "folder empty"])
def test_sensor_unmounted_folder_retires_nothing(
    folder: Folder, daemon: Daemon, *, is_gone: bool
) -> None:
    folder.put("a")
    daemon.tick()
    shutil.rmtree(folder.path)
    if not is_gone:
        folder.path.mkdir()
    for _ in range(4):
        assert "unmounted" in str(daemon.tick().skip_reason)
    assert daemon.partitions == {"a"}


def test_sensor_folder_that_cannot_be_listed_fails_the_tick_and_changes_nothing(
    folder: Folder, daemon: Daemon
) -> None:
    folder.put("a")
    daemon.tick()
    before = daemon.cursor
    folder.path.rename(folder.path.with_name("elsewhere"))
    folder.path.write_text("in the folder's place")
    with pytest.raises(StoreError, match="not a folder"):
        daemon.tick()
    assert (daemon.cursor, daemon.partitions) == (before, {"a"})


def test_sensor_two_inputs_of_one_name_are_told_and_not_run(folder: Folder, daemon: Daemon) -> None:
    folder.put("a")
    (folder.path / "a").mkdir()
    shutil.copy(SAMPLE, folder.path / "a" / "result.json")
    for _ in range(3):
        result = daemon.tick()
        assert not result.run_requests
        assert "two raw inputs have the name 'a'" in str(result.skip_reason)


def test_sensor_asks_for_no_more_than_the_limit_until_runs_end(
    raw: Raw, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_SENSORS__REQUESTS_PER_TICK", "2")
    for key in "abc":
        raw.put(key)
    daemon.tick()
    assert daemon.asked() == ["a", "b"]
    runs = [
        dg.DagsterRun(
            job_name=JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": key}
        )
        for key in "ab"
    ]
    for run in runs:
        daemon.instance.add_run(run)
    assert daemon.asked() == []
    daemon.instance.report_run_failed(runs[0])
    assert daemon.asked() == ["c"]


def test_sensor_with_a_lost_cursor_asks_again_only_for_what_is_not_current(
    raw: Raw, daemon: Daemon
) -> None:
    raw.put("a")
    raw.put("b")
    daemon.tick()
    first = [request.run_key for request in daemon.tick().run_requests or ()]
    make_current("a")
    daemon.cursor = None
    daemon.tick()
    again = [
        (request.partition_key, request.run_key) for request in daemon.tick().run_requests or ()
    ]
    assert [key for key, _ in again] == ["b"]
    assert again[0][1] not in first


def test_sensor_looks_at_thousands_of_inputs(folder: Folder, daemon: Daemon) -> None:
    for number in range(3_000):
        (folder.path / f"export-{number:04}.json").write_text("{}")
    daemon.tick()
    assert len(daemon.partitions) == 3_000
    assert len(daemon.asked()) == 50
    assert daemon.cursor is not None
    assert len(daemon.cursor) < 100_000


def test_sensor_storage_that_does_not_answer_fails_the_tick_and_changes_nothing(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with serving() as server:
        use(server, monkeypatch)
        server.client().create_bucket(Bucket="exports")
        monkeypatch.setenv("RESONARE_RAW", "s3://exports")
        raw = Bucket(open_files("s3://exports/chats"))
        raw.put("a")
        daemon.tick()
        before = daemon.cursor
        server.stop()
        for _ in range(3):
            with pytest.raises(StoreError, match="exports"):
                daemon.tick()
        assert (daemon.cursor, daemon.partitions) == (before, {"a"})
        server.start()
        assert daemon.asked() == ["a"]


def test_sensor_name_that_cannot_be_a_partition_stops_nothing_and_is_told(
    folder: Folder, daemon: Daemon
) -> None:
    folder.put("a")
    for name in (b"caf\xe9.json", b"tab\there.json", b"a...b.json"):
        with open(os.fsencode(folder.path) + b"/" + name, "wb") as stream:  # noqa: PTH123  # bytes
            stream.write(SAMPLE.read_bytes())
    daemon.tick()
    assert daemon.asked() == ["a"]
    assert daemon.partitions == {"a"}
    assert "cannot name a partition" in str(daemon.tick().skip_reason)


def test_sensor_folder_that_is_gone_is_named(folder: Folder, daemon: Daemon) -> None:
    folder.put("a")
    daemon.tick()
    shutil.rmtree(folder.path)
    assert f"{folder.path} is not there" in str(daemon.tick().skip_reason)


def test_sensor_hashes_nothing(folder: Folder, daemon: Daemon) -> None:
    folder.put("a")
    make_current("a")
    artifact = next((folder.path.parents[2] / "data" / "artifacts").rglob("messages.parquet"))
    content = artifact.read_bytes()
    artifact.write_bytes(content[:-1] + b"X")  # the same size: only a hash could tell
    daemon.tick()
    assert daemon.asked() == ["a"]
