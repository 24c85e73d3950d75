"""What a failure to reach a host says of it while the network itself may be down."""

import socket
from typing import Any

import pytest

from resonare_pipeline.chats.links import connecting
from resonare_pipeline.chats.links.failures import LinkFailure
from tests.chats.links.conftest import PUBLIC, Clock, Read
from tests.fake_web import (
    HOST,
    Web,
    page,
)


def test_a_host_that_does_not_exist_is_final_if_this_machine_finds_others(
    web: Web, read: Read, names: dict[str, str | int]
) -> None:
    web.routes = {"/a": page("Title")}
    report = read("http://gone.example/", f"{web.url}/a")
    assert report.final == {LinkFailure.NO_SUCH_HOST: 1}
    assert read("http://gone.example/").remembered == 1
    assert names == {}


def test_else_this_machine_is_offline_and_no_try_is_lost(
    read: Read, names: dict[str, str | int]
) -> None:
    names["slow.example"] = socket.EAI_AGAIN
    links = ("http://gone.example/", "http://slow.example/")
    for _ in range(9):
        report = read(*links)
        assert report.final == {}
        assert report.retryable == {LinkFailure.OFFLINE: 1, LinkFailure.NAME_UNRESOLVED: 1}
        assert report.retry_at is not None


def test_a_resolver_that_knows_the_endpoint_tells_that_this_machine_is_online(
    read: Read, names: dict[str, str | int]
) -> None:
    names["oembed.example"] = PUBLIC
    report = read("http://gone.example/", oembed_url="https://oembed.example/oembed")
    assert report.final == {LinkFailure.NO_SUCH_HOST: 1}


def test_an_endpoint_that_cannot_be_reached_is_never_a_posts_fault(
    web: Web, read: Read, clock: Clock, names: dict[str, str | int]
) -> None:
    names["slow.example"] = socket.EAI_AGAIN
    for place in ("http://127.0.0.1:1/oembed", "http://slow.example/", "http://gone.example/"):
        for turn in range(7):
            web.routes = {f"/{turn}": page("This machine is online")}
            links = (f"{web.url}/{turn}?{place}", "https://x.com/ada/status/1")
            report = read(*links, oembed_url=place)
            assert (len(report.contents), report.final) == (1, {})
            assert sum(report.retryable.values()) == 1
            clock.move(days=9)


@pytest.mark.parametrize(
    "address", [socket.EAI_AGAIN, socket.EAI_NONAME, "198.18.0.7", "127.0.0.1"]
)
def test_a_network_that_is_down_is_noticed_and_no_try_is_lost(
    address: str | int,
    read: Read,
    clock: Clock,
    names: dict[str, str | int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[str] = set()
    names |= {f"h{i}.example": address for i in range(300)}
    known = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **options: Any) -> Any:
        asked.add(host)
        return known(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    links = [f"http://h{i}.example:1/" for i in range(300)]
    for _ in range(6):
        report = read(*links)
        assert report.final == {}
        assert report.retryable.total() == 300
        assert report.retryable[LinkFailure.OFFLINE] >= 200
        assert len(asked) < 100
        clock.move(days=90)


def test_a_network_that_goes_down_in_a_run_costs_no_try(
    web: Web, read: Read, clock: Clock, names: dict[str, str | int]
) -> None:
    names |= {f"h{i}.example": socket.EAI_AGAIN for i in range(60)}
    for turn in range(6):
        web.routes = {f"/{turn}": page("Before")}
        links = [f"{web.url}/{turn}", *(f"http://h{i}.example/" for i in range(60))]
        report = read(*links, concurrency=1)
        assert (len(report.contents), report.final) == (1, {})
        assert report.retryable[LinkFailure.OFFLINE] == 30
        clock.move(days=90)


def test_one_host_of_many_ports_is_no_network_that_is_down(
    read: Read, names: dict[str, str | int]
) -> None:
    names["old.example"] = socket.EAI_AGAIN
    report = read(*(f"http://old.example:{8_000 + i}/" for i in range(80)))
    assert report.retryable == {LinkFailure.NAME_UNRESOLVED: 80}


def test_servers_that_answer_between_hosts_that_do_not_keep_a_run_going(
    web: Web, read: Read, names: dict[str, str | int]
) -> None:
    names |= {f"h{i}.example": socket.EAI_AGAIN for i in range(80)}
    links = [f"http://h{i}.example/" for i in range(80)]
    web.routes = {f"/{i}": page("Fine") for i in range(4)}
    for i in range(4):
        names[f"p{i}.example"] = HOST
        links.insert(20 * i + 20 + i, f"http://p{i}.example:{web.port}/{i}")
    report = read(*links, concurrency=1)
    assert len(report.contents) == 4
    assert report.retryable == {LinkFailure.NAME_UNRESOLVED: 80}


def test_hosts_that_are_gone_are_no_network_that_is_down_if_the_endpoint_is_reached(
    web: Web, read: Read, names: dict[str, str | int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["oembed.example"] = HOST
    monkeypatch.setattr(connecting, "is_allowed", lambda _: True)  # loopback plays the internet
    links = [f"http://h{i}.example/" for i in range(80)]
    report = read(*links, oembed_url=f"http://oembed.example:{web.port}/oembed")
    assert report.final == {LinkFailure.NO_SUCH_HOST: 80}
    assert web.calls == []
    links = [f"http://g{i}.example/" for i in range(80)]
    report = read(*links, oembed_url="http://oembed.example:1/oembed")
    assert report.final == {}
