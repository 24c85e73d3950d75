"""Nothing torn is ever read, and the next run heals, wherever storage fails during a run."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.s3.client import connect
from resonare_pipeline.errors import StoreError
from resonare_pipeline.planning.making import make
from tests.faults import Faults, When, failing_requests
from tests.places import contents
from tests.planning.toy import Toy, text, words_and_letters
from tests.projects import Project, Result, assert_nothing_torn, project_at, run
from tests.s3 import Server, serving, use

EVERY = 5  # of the calls of making a dataset, which are many and alike, one in so many fails


@pytest.mark.parametrize("when", [When.AFTER, When.FOR_GOOD])
def test_run_on_disk_failing_at_any_call_commits_nothing_torn_and_the_next_heals(
    tmp_path: Path, when: When
) -> None:
    def project(name: str) -> Project:
        folder = tmp_path / name
        return project_at(tmp_path, *(str(folder / place) for place in ("raw", "store", "output")))

    faults = Faults()
    expected = run(project("whole").open(faults))
    failures = 0
    for number in range(1, faults.calls + 1):
        broken = project(f"broken{number}")
        try:
            run(broken.open(Faults(fail_at=number, when=when)))
        except StoreError:
            failures += 1
            assert_nothing_torn(broken.open(), expected)
        assert run(broken.open()) == expected
        shutil.rmtree(tmp_path / f"broken{number}")
    assert failures > faults.calls / 2  # the rest is notes that a run can do without


@pytest.mark.parametrize("when", [When.AFTER, When.FOR_GOOD])
def test_dataset_failing_at_any_call_is_never_made_of_less_and_the_next_run_heals(
    tmp_path: Path, when: When
) -> None:
    def project(name: str) -> Project:
        folder = tmp_path / name
        return project_at(tmp_path, *(str(folder / place) for place in ("raw", "store", "output")))

    chats = run(project("whole").open())
    shutil.copytree(tmp_path / "whole", tmp_path / "before")
    faults = Faults()
    expected = run(project("whole").open(faults), "dataset")
    failures = 0
    for number in range(1, faults.calls + 1, EVERY):
        shutil.copytree(tmp_path / "before", tmp_path / "broken")
        broken = project("broken")
        try:
            run(broken.open(Faults(fail_at=number, when=when)), "dataset")
        except StoreError:
            failures += 1
            both = Result(digests=chats.digests | expected.digests, laid=expected.laid)
            assert_nothing_torn(broken.open(), both)
        assert run(broken.open(), "dataset") == expected
        shutil.rmtree(tmp_path / "broken")
    assert failures > faults.calls / EVERY / 2


def make_some(toy: Toy) -> dict[str, str]:
    """Make a raw input's hashes, two stages and their deliverables; return digests by asset."""
    workspace = toy.open()
    return {
        asset: entry.digest
        for stage in (text, words_and_letters)
        for asset, entry in make(workspace, stage, "a").manifest.outputs.items()
    }


def assert_whole(toy: Toy, expected: dict[str, str]) -> None:
    """Fail if an artifact that counts as there is not whole."""
    store = toy.open().store
    for manifest in store.manifests():
        if store.damage(manifest):  # the planner makes it again
            continue
        for asset, entry in manifest.outputs.items():
            assert entry.digest == expected[asset]
            assert [store.problem(file) for file in entry.files] == [""] * len(entry.files)


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_run_on_s3_failing_at_any_request_commits_nothing_torn_and_the_next_heals(
    tmp_path: Path, bucket: str, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def toy(name: str) -> Toy:
        made = Toy(tmp_path, f"s3://{bucket}/{name}")
        made.write("a.txt", "one two  three")
        return made

    whole = toy("whole")
    with failing_requests() as asked:
        expected = make_some(whole)
    laid = contents(open_files(whole.place("output")))
    failures = 0
    for number in range(1, len(asked) + 1):
        broken = toy(f"broken{number}")
        with failing_requests(number, when):
            try:
                make_some(broken)
            except StoreError:
                failures += 1
        assert_whole(broken, expected)
        assert make_some(broken) == expected
        assert contents(open_files(broken.place("output"))) == laid
    assert failures > len(asked) / 2


@pytest.mark.parametrize(
    ("output", "share"),
    [("s3", 0.0), ("disk", 0.2), ("s3", 0.4), ("disk", 0.6), ("s3", 0.8), ("disk", 0.95)],
)
def test_run_when_the_server_dies_midway_says_so_and_the_next_run_heals(
    tmp_path: Path, output: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with serving() as server:
        use(server, monkeypatch)
        bucket = f"bucket-{uuid.uuid4().hex}"
        server.client().create_bucket(Bucket=bucket)

        def project(name: str) -> Project:
            remote = f"s3://{bucket}/{name}"
            laid = f"{remote}/output" if output == "s3" else str(tmp_path / name)
            return project_at(tmp_path, f"{remote}/raw", f"{remote}/store", laid)

        whole = project("whole").open()
        with failing_requests() as asked:
            expected = run(whole)
        broken = project("broken").open()
        with (
            dying(server, 1 + int(share * len(asked))),
            pytest.raises(StoreError, match="cannot be reached"),
        ):
            run(broken)
        server.start()
        assert_nothing_torn(broken, expected)
        assert run(broken) == expected


@contextmanager
def dying(server: Server, at: int) -> Iterator[None]:
    """Stop the server when it is asked for the k-th time."""
    asked = 0

    def before_send(**_: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == at:
            server.stop()

    client: Any = connect()
    client.meta.events.register("before-send.s3", before_send)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.s3", before_send)
