import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from resonare_pipeline.artifacts.files import Files
from tests.hub import Hub
from tests.hub import serving as serving_hub
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


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub; no account of this machine is used, and nobody waits before asking again."""
    import huggingface_hub

    for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    # Read when it is imported, which may have been under the variable that keeps tests at home.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-login"))
    # As in a new process, in which it would look up what started it.
    monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None, raising=False)
    monkeypatch.setattr(
        "huggingface_hub.utils._http.time",
        SimpleNamespace(sleep=lambda seconds: None),  # noqa: ARG005
    )
    with serving_hub() as server:
        # What asks without naming a Hub asks this one, as if HF_ENDPOINT had been set all along.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            f"{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        )
        yield server
    huggingface_hub.close_session()
