"""A server of strangers, a clock that is moved by hand, and links that are read with both."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.chats.links import hosts
from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.reading import LinksReport, read_links
from resonare_pipeline.chats.links.settings import LinksSettings
from tests.fake_web import LOOPBACK, Web, serving_web

Read = Callable[..., LinksReport]


class Clock:
    def __init__(self) -> None:
        self.time = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.time

    def move(self, **units: float) -> None:
        self.time += dt.timedelta(**units)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving_web() as server:
        yield server


@pytest.fixture
def settings(web: Web) -> LinksSettings:
    """Settings that let the server be reached, and no other private address."""
    return LinksSettings(
        oembed_url=f"{web.url}/oembed",
        allowed_private_networks=LOOPBACK,
        allowed_page_networks=LOOPBACK,
        timeout_seconds=20,
        retries=0,
    )


@pytest.fixture
def read(
    settings: LinksSettings, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Read:
    """Reads links with these settings, some of them changed; nobody waits long between tries."""
    monkeypatch.setattr(hosts, "FIRST_PAUSE_SECONDS", 0.01)

    def run(*urls: str, environ: dict[str, str] | None = None, **changed: object) -> LinksReport:
        now = settings.model_copy(update=changed)
        return read_links(urls, now, environ or {}, default_db=tmp_path / "c.db", now=clock)

    return run


DEFAULT = LinksSettings().oembed_url
PUBLIC = "93.184.215.14"


def a_page(title: str, text: str = "") -> LinkContent:
    return LinkContent(kind=LinkKind.PAGE, title=title, text=text)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | int]:
    """Host name → its address, or the error of the resolver; only addresses are known else."""
    known: dict[str, str | int] = {}

    def resolve(host: str, port: int | None, *_: Any, **__: Any) -> list[Any]:
        meant = known.get(host, socket.EAI_NONAME)
        if isinstance(meant, int):
            raise socket.gaierror(meant, "as the test wants it")
        family = socket.AF_INET6 if ":" in meant else socket.AF_INET
        place = (meant, port or 0, 0, 0) if ":" in meant else (meant, port or 0)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known
