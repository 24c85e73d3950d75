import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import Files
from tests.places import BucketPlace, DiskPlace, Place
from tests.s3 import Server, serving, use


def pytest_configure() -> None:
    """Let interrupts arrive: shells let what they start in the background ignore them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_s3_server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def s3_server(shared_s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, which the environment names; its objects are in nobody else's bucket."""
    use(shared_s3_server, monkeypatch)
    return shared_s3_server


@pytest.fixture
def bucket(s3_server: Server) -> str:
    """A new bucket."""
    name = f"bucket-{uuid.uuid4().hex}"
    s3_server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty root on each storage in turn."""
    if request.param == "disk":
        return DiskPlace(tmp_path / "store")
    return BucketPlace(request.getfixturevalue("bucket"), "deep/store")


@pytest.fixture
def files(place: Place) -> Files:
    return place.files
