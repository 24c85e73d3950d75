"""No link reaches a private place, whatever a name or a redirect says."""

import socket
from typing import Any

import pytest

from resonare_pipeline.chats.links.failures import LinkFailure
from resonare_pipeline.errors import SettingsError
from tests.chats.links.conftest import DEFAULT, Clock, Read, a_page
from tests.fake_web import (
    HOST,
    Web,
    page,
    post,
    redirect,
    serving_web,
)


def test_without_leave_nothing_arrives_at_a_private_address(web: Web, read: Read) -> None:
    port = web.port
    links = [
        f"http://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://[::1]:{port}/",
        f"http://0.0.0.0:{port}/",
    ]
    report = read(*links, allowed_page_networks=())
    assert report.final == {LinkFailure.PRIVATE_ADDRESS: 5}
    assert web.connections == 0


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1"]
)
def test_a_name_that_means_a_private_address_is_refused(
    address: str, web: Web, read: Read, names: dict[str, str | int]
) -> None:
    names["pages.example"] = address
    link = f"http://pages.example:{web.port}/"
    report = read(link, allowed_page_networks=(), oembed_url=DEFAULT)
    assert (report.final, report.retryable) == ({}, {LinkFailure.PRIVATE_NAME: 1})
    assert web.connections == 0


def test_a_name_that_means_a_private_address_for_now_is_asked_for_later(
    web: Web, read: Read, clock: Clock, names: dict[str, str | int]
) -> None:
    names["pages.example"] = "198.18.0.7"
    link = f"http://pages.example:{web.port}/a"
    web.routes = {"/a": page("Title"), "/b": page("Online")}
    report = read(link, f"{web.url}/b")
    assert (report.final, report.retryable) == ({}, {LinkFailure.PRIVATE_NAME: 1})
    names["pages.example"] = HOST
    clock.move(hours=2)
    assert read(link).contents == {link: a_page("Title")}


def test_a_name_that_stays_private_is_given_up_after_five_runs(
    web: Web, read: Read, clock: Clock, names: dict[str, str | int]
) -> None:
    names["pages.example"] = "10.0.0.1"
    web.routes = {f"/{turn}": page("Online") for turn in range(5)}
    for turn in range(5):
        report = read("http://pages.example/", f"{web.url}/{turn}")
        clock.move(days=30)
    assert report.final == {LinkFailure.UNREACHABLE: 1}


def test_where_every_name_is_private_no_try_is_lost(
    read: Read, clock: Clock, names: dict[str, str | int]
) -> None:
    names |= {"pages.example": "198.18.0.7", "publish.twitter.com": "198.18.0.8"}
    for _ in range(7):
        report = read("http://pages.example/", "https://x.com/ada/status/1", oembed_url=DEFAULT)
        assert (report.final, report.retryable) == ({}, {LinkFailure.PRIVATE_NAME: 2})
        clock.move(days=30)


def test_a_name_that_changes_its_meaning_is_refused_when_it_does(
    web: Web, read: Read, names: dict[str, str | int], monkeypatch: pytest.MonkeyPatch
) -> None:
    meanings = [HOST, "127.0.0.2"]
    monkeypatch.setattr("aiohttp.TCPConnector.clear_dns_cache", lambda *_: None)
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **options: Any) -> Any:
        names["pages.example"] = meanings.pop(0) if len(meanings) > 1 else meanings[0]
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    web.routes = {"/a": page("First")}
    assert read(f"http://pages.example:{web.port}/a").contents
    report = read(f"http://pages.example:{web.port}/b")
    assert report.retryable == {LinkFailure.PRIVATE_NAME: 1}
    assert web.calls == ["/a"]


def test_what_was_refused_as_private_is_asked_for_once_it_is_allowed(web: Web, read: Read) -> None:
    web.routes = {"/a": page("Title")}
    link = f"{web.url}/a"
    assert read(link, allowed_page_networks=()).final == {LinkFailure.PRIVATE_ADDRESS: 1}
    assert read(link, allowed_page_networks=()).remembered == 1
    assert read(link).contents == {link: a_page("Title")}
    assert read(link).remembered == 1


def test_a_private_endpoint_is_an_error_of_the_settings(web: Web, read: Read) -> None:
    web.routes = {"/oembed": post("Hello")}
    with pytest.raises(SettingsError, match=r"oembed_url.*allowed_private_networks"):
        read("https://x.com/ada/status/1", allowed_private_networks=())
    assert web.connections == 0


def test_a_name_of_ones_own_endpoint_that_is_private_is_one_too(
    read: Read, names: dict[str, str | int]
) -> None:
    names["home.example"] = "10.0.0.1"
    with pytest.raises(SettingsError, match=r"oembed_url.*allowed_private_networks"):
        read("https://x.com/ada/status/1", oembed_url="http://home.example/oembed")


def test_the_network_of_the_endpoint_is_open_to_no_link(web: Web, read: Read) -> None:
    web.routes = {"/oembed": post("Hello"), "/admin": page("Secret")}
    with serving_web() as neighbour:
        neighbour.routes = {"/admin": page("Secret")}
        report = read(
            "https://x.com/ada/status/1",
            f"{web.url}/admin",
            f"{neighbour.url}/admin",
            allowed_page_networks=(),
        )
        assert neighbour.connections == 0
    assert report.contents.keys() == {"https://x.com/ada/status/1"}
    assert report.final == {LinkFailure.PRIVATE_ADDRESS: 2}
    assert web.paths == ["/oembed"]


def test_the_network_of_the_endpoint_is_open_to_no_redirect_of_it(web: Web, read: Read) -> None:
    with serving_web() as neighbour:
        neighbour.routes = {"/oembed": post("Hello")}
        web.routes = {"/oembed": redirect(f"{neighbour.url}/oembed")}
        report = read("https://x.com/ada/status/1", allowed_page_networks=())
        assert neighbour.connections == 0
    assert report.retryable == {LinkFailure.ENDPOINT_FAILED: 1}
    web.routes = {"/oembed": redirect("/there"), "/there": post("Hello")}
    assert read("https://x.com/ada/status/1", allowed_page_networks=()).contents


def test_the_web_of_ones_own_is_open_to_no_endpoint(web: Web, read: Read) -> None:
    with pytest.raises(SettingsError, match=r"oembed_url.*allowed_private_networks"):
        read("https://x.com/ada/status/1", allowed_private_networks=())
    assert web.connections == 0
