"""S3 on loopback for tests: moto's server, which keeps its objects while it is stopped."""

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request drowns failures


class Server:
    """The server; it can be stopped, and started again at the same address."""

    def __init__(self) -> None:
        self._server = self._started(0)
        self.port: int = self._server.get_host_and_port()[1]
        self.is_up = True

    def _started(self, port: int) -> Any:
        server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
        server.start()
        return server

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a person would set, and what keeps requests on loopback."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "name",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "NO_PROXY": HOST,
        }

    def client(self) -> Any:
        """Return a client of the tests' own, that asks once."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="name",
            aws_secret_access_key="secret",  # noqa: S106  # moto takes any
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def stop(self) -> None:
        if self.is_up:
            self._server.stop()
            self._server._server.server_close()  # its own stop leaves the socket open
            self.is_up = False

    def start(self) -> None:
        if not self.is_up:
            self._server = self._started(self.port)
            self.is_up = True


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.stop()


def set_age(bucket: str, key: str, *, days: float) -> None:
    """Let an object, or the parts sent to a key, be that old; no request can do it."""
    found = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket]
    then = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=days)
    for name, item in found.keys.items():
        if name == key:
            item.last_modified = then
    for upload in found.multiparts.values():
        if upload.key_name == key:
            for part in upload.parts.values():
                part.last_modified = then


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find the server, as it would find any storage."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
