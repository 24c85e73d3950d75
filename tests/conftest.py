import uuid
from collections.abc import Iterator

import pytest

from tests.s3 import Server, serving, use


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
