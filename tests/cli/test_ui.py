"""`resonare ui` as a person starts, uses and stops it."""

import json
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import DATA
from tests.processes import clean_environment, family_of, script, wait_for

BACKFILL = """
mutation Backfill($keys: [String!]!, $assets: [AssetKeyInput!]!) {
  launchPartitionBackfill(backfillParams: {partitionNames: $keys, assetSelection: $assets}) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
ASSETS = "{ assetNodes { assetKey { path } groupName description kinds } }"
SENSORS = """
{ sensorsOrError(repositorySelector: {
    repositoryName: "__repository__", repositoryLocationName: "resonare_pipeline.definitions"}) {
    ... on Sensors { results { name sensorState { status } } } } }
"""


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[str]
    url: str
    folder: Path

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(  # noqa: S310  # the server's own address on loopback
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # the same
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    raw = tmp_path / "data" / "raw" / "chats"
    raw.mkdir(parents=True)
    for key in ("a", "b"):
        shutil.copy(DATA / "chatpackcli_export.json", raw / f"{key}.json")
    settings = "[blocks]\nmin_tokens_per_block = 8\n[sensors]\ninterval_seconds = 1\n"
    (tmp_path / "resonare.toml").write_text(settings)
    with subprocess.Popen(
        [script("resonare"), "ui"],
        cwd=tmp_path,
        env=clean_environment(COLUMNS="200"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Server(process, _address(process), tmp_path)
        finally:
            if process.poll() is None:
                process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"UI and daemon: (http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError(said)


def test_ui_shows_graph_and_sensor_fills_back_and_stops_cleanly(server: Server) -> None:
    nodes = server.ask(ASSETS)["assetNodes"]
    groups = {"chats", "style", "records", "books", "dataset"}
    assert {node["groupName"] for node in nodes} == groups
    assert all(node["description"] and node["kinds"] for node in nodes)
    sensors = server.ask(SENSORS)["sensorsOrError"]["results"]
    watched = ("chat_exports", "record_sets", "books", "batch", "dataset")
    assert {sensor["name"]: sensor["sensorState"]["status"] for sensor in sensors} == dict.fromkeys(
        (f"{name}_sensor" for name in watched), "RUNNING"
    )

    def known() -> bool:
        query = """{ assetNodeOrError(assetKey: {path: ["messages"]}) {
            ... on AssetNode { partitionKeys } } }"""
        keys: list[str] = server.ask(query)["assetNodeOrError"]["partitionKeys"]
        return keys == ["a", "b"]

    log = server.folder / "data" / ".dagster" / "ui.log"
    wait_for("the sensor to register both partitions", known, log=log)
    assets = [node["assetKey"] for node in nodes if node["groupName"] == "chats"]
    launched = server.ask(BACKFILL, keys=["a", "b"], assets=assets)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    query = """query Q($id: String!) { partitionBackfillOrError(backfillId: $id) {
        ... on PartitionBackfill { status } } }"""

    def finished() -> bool:
        found = server.ask(query, id=launched["backfillId"])["partitionBackfillOrError"]
        assert "FAILED" not in found["status"]
        return bool(found["status"] == "COMPLETED_SUCCESS")

    wait_for("the backfill", finished, log=log)
    for key in ("a", "b"):
        assert (server.folder / "data/output/chats" / key / "train.jsonl").stat().st_size > 0

    family = family_of(server.process.pid)
    assert len(family) >= 3  # web server, daemon, code server
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait() == 0
    wait_for("every process to end", lambda: not any(member.is_running() for member in family))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_ui_that_loses_its_terminal_or_is_killed_leaves_no_process(
    server: Server, number: signal.Signals
) -> None:
    second = subprocess.run(
        [script("resonare"), "ui"],
        cwd=server.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"a web UI runs on this home already: {server.url}" in second.stderr
    family = family_of(server.process.pid)
    assert len(family) >= 3
    server.process.send_signal(number)
    server.process.wait()
    wait_for("every process to end", lambda: not any(member.is_running() for member in family))


def test_ui_taken_port_is_an_error_that_names_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        asked = subprocess.run(
            [script("resonare"), "ui", "--port", str(port)],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert asked.returncode == 1
    assert f"127.0.0.1:{port}: the port is taken" in asked.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--port", "70000"), 2, "Invalid value for .--port."),
        (("--host", "no.such.host.invalid"), 1, "no.such.host.invalid: no such address"),
    ],
)
def test_ui_address_that_cannot_be_is_an_error(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    asked = subprocess.run(
        [script("resonare"), "ui", *arguments],
        cwd=tmp_path,
        env=clean_environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == code
    assert re.search(said, asked.stderr)
    assert "Traceback" not in asked.stderr
