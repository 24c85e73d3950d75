"""What a link comes to, by what its server does."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.chats.links import connecting
from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.failures import LinkFailure
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.errors import SettingsError
from tests.certificates import self_signed
from tests.chats.links.conftest import Clock, Read
from tests.fake_web import (
    HOST,
    Action,
    Handler,
    Page,
    Web,
    bomb,
    drip,
    flood,
    half,
    hollow,
    page,
    pause,
    post,
    redirect,
    reset,
    serving_web,
    silence,
)

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


def test_a_page_and_a_post_are_read(web: Web, read: Read) -> None:
    web.routes = {"/a": page("Title", "Text"), "/oembed": post("Hello<br>there")}
    tweet = "https://twitter.com/Ada/status/12?s=20"
    report = read(f"{web.url}/a", tweet)
    assert report.contents == {
        f"{web.url}/a": a_page("Title", "Text"),
        tweet: LinkContent(kind=LinkKind.POST, text="Hello there", author="Ada", handle="ada"),
    }
    assert (report.fetched, report.remembered, report.retry_at) == (2, 0, None)
    asked = next(call for call in web.calls if call.startswith("/oembed"))
    assert "url=https%3A%2F%2Fx.com%2Fada%2Fstatus%2F12&" in asked


def test_links_that_mean_one_page_are_fetched_once(web: Web, read: Read) -> None:
    web.routes = {"/a": page("Title"), "/oembed": post("Hello")}
    links = [f"{web.url}/a", f"{web.url}/a#part", f"HTTP://{HOST}:{web.port}/a"]
    posts = ["https://x.com/ada/status/1", "https://mobile.twitter.com/Ada/status/1?s=1"]
    report = read(*links, *links, *posts)
    assert sorted(report.contents) == sorted([*links, *posts])
    assert sorted(web.paths) == ["/a", "/oembed"]
    assert report.fetched == 2


def test_servers_learn_nothing_of_whose_machine_asks(
    web: Web,
    read: Read,
    names: dict[str, str | int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    names["pages.example"] = HOST
    (tmp_path / "netrc").write_text("machine pages.example login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    setting = Page(status=302, headers={"Location": "/b", "Set-Cookie": "seen=1"})
    web.routes = {"/a": setting, "/b": page("B")}
    assert read(f"http://pages.example:{web.port}/a").contents
    assert web.calls == ["/a", "/b"]
    for headers in web.headers:
        assert headers.keys() == {"host", "accept", "accept-encoding", "user-agent"}
        assert headers["user-agent"].startswith("resonare-pipeline/")


def test_redirects_are_followed_to_their_end(web: Web, read: Read) -> None:
    web.routes = {
        "/1": redirect("/2", 301),
        "/2": redirect(f"{web.url}/a b?c=d", 303),
        "/a%20b": redirect("../e", 308),
        "/e": page("End"),
    }
    assert read(f"{web.url}/1").contents == {f"{web.url}/1": a_page("End")}


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (redirect("/a"), LinkFailure.TOO_MANY_REDIRECTS),
        (redirect("file:///etc/passwd"), LinkFailure.BAD_URL),
        (redirect("http://user:password@example.com/"), LinkFailure.BAD_URL),
        (redirect("http://[::1"), LinkFailure.BAD_URL),
        (redirect("http://2130706433/"), LinkFailure.BAD_URL),
        (redirect("http://127.0.0.2:9/"), LinkFailure.PRIVATE_ADDRESS),
        (redirect("http://[::1]:9/"), LinkFailure.PRIVATE_ADDRESS),
        (redirect("http://[::ffff:127.0.0.2]:9/"), LinkFailure.PRIVATE_ADDRESS),
        (redirect("http://localhost.:9/"), LinkFailure.PRIVATE_ADDRESS),
        (redirect("http://169.254.169.254/latest/meta-data/"), LinkFailure.PRIVATE_ADDRESS),
        (Page(status=404), LinkFailure.GONE),
        (Page(status=410), LinkFailure.GONE),
        (Page(status=401), LinkFailure.REFUSED),
        (Page(status=403, body=b"<title>Blocked</title>"), LinkFailure.REFUSED),
        (Page(status=300), LinkFailure.NOT_A_PAGE),
        (Page(kind="application/pdf", body=b"%PDF"), LinkFailure.NOT_A_PAGE),
        (Page(kind="text/plain", body=b"<title>T</title>"), LinkFailure.NOT_A_PAGE),
        (Page(kind="", body=b"<title>T</title>"), LinkFailure.NOT_A_PAGE),
        (Page(body=b"<p>no title"), LinkFailure.NO_TITLE),
        (Page(), LinkFailure.NO_TITLE),
        (hollow, LinkFailure.NO_TITLE),
    ],
)
def test_what_asking_again_cannot_change_is_final(
    answer: Page | Action,
    failure: LinkFailure,
    web: Web,
    read: Read,
    names: dict[str, str | int],
) -> None:
    names["localhost"] = "127.0.0.2"
    web.routes = {"/a": answer}
    report = read(f"{web.url}/a")
    assert (report.contents, report.retryable) == ({}, {})
    assert report.final == {failure: 1}
    assert read(f"{web.url}/a").remembered == 1


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Page(status=408), LinkFailure.SERVER_ERROR),
        (Page(status=425), LinkFailure.SERVER_ERROR),
        (Page(status=500), LinkFailure.SERVER_ERROR),
        (Page(status=503), LinkFailure.SERVER_ERROR),
        (Page(status=429), LinkFailure.RATE_LIMITED),
        (Page(body=b"junk", headers={"Content-Encoding": "gzip"}), LinkFailure.BAD_ANSWER),
        (Page(body=b"junk", headers={"Content-Encoding": "br"}), LinkFailure.BAD_ANSWER),
        (reset, LinkFailure.UNCONNECTED),
        (half, LinkFailure.UNCONNECTED),
        (lambda handler: handler.wfile.write(b"no http\r\n\r\n"), LinkFailure.BAD_ANSWER),
        (silence, LinkFailure.TIMED_OUT),
        (drip, LinkFailure.TIMED_OUT),
    ],
)
def test_what_asking_again_may_change_is_not(
    answer: Page | Action, failure: LinkFailure, web: Web, read: Read
) -> None:
    web.routes = {"/a": answer, "/b": page("B")}
    report = read(f"{web.url}/a", f"{web.url}/b", timeout_seconds=3)
    assert report.contents.keys() == {f"{web.url}/b"}
    assert (report.final, report.retryable) == ({}, {failure: 1})
    assert report.retry_at is not None


@pytest.mark.parametrize("answer", [flood, bomb(30_000_000)])
def test_of_a_page_of_any_size_the_beginning_is_read(
    answer: Page | Action, web: Web, read: Read
) -> None:
    web.routes = {"/a": answer}
    (content,) = read(f"{web.url}/a", max_page_bytes=100_000).contents.values()
    assert content.title in ("Flood", "Bomb")
    assert web.sent_bytes < 20_000_000  # what buffers on the way hold, and not all that there is


@pytest.mark.parametrize(
    "trouble", [Page(status=500), Page(status=429, headers={"Retry-After": "0"}), reset, half]
)
def test_a_passing_trouble_is_got_over_within_a_run(
    trouble: Page | Action, web: Web, read: Read
) -> None:
    tries: list[int] = []

    def answer(handler: Handler) -> None:
        tries.append(1)
        if len(tries) > 1:
            handler.send(page("Fine"))
        elif isinstance(trouble, Page):
            handler.send(trouble)
        else:
            trouble(handler)

    web.routes = {"/a": answer}
    assert read(f"{web.url}/a", retries=2).contents == {f"{web.url}/a": a_page("Fine")}
    assert len(tries) == 2


def test_a_time_out_is_not_tried_again_within_a_run(web: Web, read: Read) -> None:
    web.routes = {"/a": silence}
    read(f"{web.url}/a", retries=2, timeout_seconds=0.3)
    assert web.calls == ["/a"]


def test_a_host_that_wants_a_long_rest_gets_it_and_its_other_links_lose_no_try(
    web: Web, read: Read
) -> None:
    web.routes = {f"/{i}": Page(status=429, headers={"Retry-After": "3600"}) for i in range(30)}
    links = [f"{web.url}/{i}" for i in range(30)]
    report = read(*links, retries=2, requests_per_host=2)
    assert report.retryable == {LinkFailure.RATE_LIMITED: 30}
    assert len(web.calls) <= 2
    web.routes = {f"/{i}": page("Fine") for i in range(30)}
    assert len(read(*links).contents) == 30 - len(web.calls[:2])


def test_a_host_that_does_not_answer_is_given_up_and_others_are_not(web: Web, read: Read) -> None:
    web.routes = {f"/{i}": silence for i in range(30)}
    with serving_web() as other:
        other.routes = {f"/{i}": page("Fine") for i in range(30)}
        links = [f"{server.url}/{i}" for i in range(30) for server in (web, other)]
        report = read(*links, timeout_seconds=2, requests_per_host=3)
    assert report.retryable == {LinkFailure.TIMED_OUT: 30}
    assert len(report.contents) == 30
    assert len(web.calls) <= 5  # three that failed, and what was under way then


def test_dead_ends_of_redirects_are_not_held_against_the_host_they_start_at(
    web: Web, read: Read
) -> None:
    web.routes = {f"/{i}": redirect(f"http://127.0.0.2:9/{i}") for i in range(10)}
    web.routes["/a"] = page("Fine")
    links = [f"{web.url}/{i}" for i in range(10)]
    report = read(*links, f"{web.url}/a", requests_per_host=1)
    assert report.final == {LinkFailure.PRIVATE_ADDRESS: 10}
    assert len(report.contents) == 1


def test_few_links_of_one_host_are_read_at_a_time(web: Web, read: Read) -> None:
    web.routes = {f"/{i}": pause(0.05, page("Fine")) for i in range(20)}
    assert len(read(*(f"{web.url}/{i}" for i in range(20)), requests_per_host=2).contents) == 20
    assert web.most_at_a_time == 2


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


def only(post_id: int, answer: Page) -> Action:
    """An endpoint that knows all posts but one."""

    def tell(handler: Handler) -> None:
        is_it = handler.query["url"][0].endswith(f"/{post_id}")
        handler.send(answer if is_it else post("Hello"))

    return tell


@pytest.mark.parametrize(
    ("answer", "final", "retryable"),
    [
        (Page(status=404), LinkFailure.GONE, None),
        (Page(status=403), LinkFailure.REFUSED, None),
        (post("x" * 3_000), LinkFailure.TOO_LARGE, None),
        (Page(status=500), None, LinkFailure.SERVER_ERROR),
        (Page(status=429), None, LinkFailure.RATE_LIMITED),
        (page("Please log in"), None, LinkFailure.BAD_ANSWER),
        (Page(kind="application/json", body=b"{}"), None, LinkFailure.BAD_ANSWER),
    ],
)
def test_a_post_fails_as_its_endpoint_says(
    answer: Page, final: LinkFailure | None, retryable: LinkFailure | None, web: Web, read: Read
) -> None:
    web.routes = {"/oembed": only(1, answer)}
    posts = [f"https://x.com/ada/status/{post_id}" for post_id in (1, 2)]
    report = read(*posts, max_page_bytes=2_000)
    assert report.contents.keys() == {posts[1]}
    assert (list(report.final), list(report.retryable)) == (
        [final] if final else [],
        [retryable] if retryable else [],
    )


@pytest.mark.parametrize(
    "answer",
    [
        *(Page(status=status) for status in (301, 400, 401, 403, 404, 410, 429, 500)),
        Page(status=404, kind="application/json", body=b'{"message": "/oembed?url=status/1"}'),
        page("Please log in"),
        redirect("/oembed"),
        redirect("http://127.0.0.2:9/"),
    ],
)
def test_an_endpoint_that_tells_of_no_post_is_at_fault_itself(
    answer: Page, web: Web, read: Read, clock: Clock
) -> None:
    posts = [f"https://x.com/ada/status/{post_id}" for post_id in range(3)]
    web.routes = {"/oembed": answer, "/short": redirect(posts[0])}
    links = (*posts, f"{web.url}/short")
    for _ in range(7):
        report = read(*links)
        assert (report.contents, report.final) == ({}, {})
        assert sum(report.retryable.values()) == 4
        assert report.retry_at is not None
        clock.move(days=90)
    web.routes["/oembed"] = post("Hello")
    assert read(*links).contents.keys() == set(links)


def test_a_short_link_of_x_leads_to_its_post_or_its_page(
    web: Web, read: Read, names: dict[str, str | int]
) -> None:
    names |= {"t.co": HOST, "pages.example": HOST}
    web.routes = {
        "/post": redirect("https://twitter.com/Ada/status/12?s=20", 301),
        "/page": redirect(f"http://pages.example:{web.port}/a", 301),
        "/a": page("Title", "Text"),
        "/oembed": post("Hello"),
    }
    to_post, to_page = (f"http://t.co:{web.port}/{name}" for name in ("post", "page"))
    report = read(to_post, to_page)
    assert report.contents[to_page] == a_page("Title", "Text")
    assert report.contents[to_post].kind is LinkKind.POST
    assert report.contents[to_post].text == "Hello"
    assert "url=https%3A%2F%2Fx.com%2Fada%2Fstatus%2F12&" in "".join(web.calls)


def test_a_short_link_of_x_may_lead_on_by_a_page_as_no_other_link_does(
    web: Web, read: Read, names: dict[str, str | int]
) -> None:
    names |= {"t.co": HOST, "pages.example": HOST}

    def leading(place: str) -> Page:
        head = f'<noscript><META http-equiv="refresh" content="0;URL={place}"></noscript>'
        return Page(body=f"<head>{head}<title>{place}</title></head>".encode())

    web.routes = {
        "/post": leading("https://twitter.com/Ada/status/12"),
        "/page": leading(f"http://pages.example:{web.port}/a?b=1&amp;c=2"),
        "/private": leading("http://127.0.0.2:9/"),
        "/plain": page("Warning"),
        "/a": page("Title"),
        "/oembed": post("Hello"),
    }
    short = {
        name: f"http://t.co:{web.port}/{name}" for name in ("post", "page", "private", "plain")
    }
    other = f"http://pages.example:{web.port}/post"
    report = read(*short.values(), other)
    assert report.contents[short["post"]].text == "Hello"
    assert report.contents[short["page"]] == a_page("Title")
    assert report.contents[short["plain"]] == a_page("Warning")
    assert report.contents[other] == a_page("https://twitter.com/Ada/status/12")
    assert report.final == {LinkFailure.PRIVATE_ADDRESS: 1}
    assert "/a?b=1&c=2" in web.calls


def test_a_rest_without_end_ends(web: Web, read: Read) -> None:
    busy = Page(status=429, headers={"Retry-After": "9" * 400})
    web.routes = {f"/{i}": busy for i in range(5)}
    report = read(*(f"{web.url}/{i}" for i in range(5)), requests_per_host=1)
    assert report.retryable == {LinkFailure.RATE_LIMITED: 5}


def test_a_redirect_to_a_post_is_read_as_the_post(web: Web, read: Read) -> None:
    web.routes = {
        "/short": redirect("https://twitter.com/Ada/status/12?s=20"),
        "/oembed": post("Hello"),
    }
    link = f"{web.url}/short"
    assert read(link, oembed_url="").final == {LinkFailure.NO_ENDPOINT: 1}
    assert read(link, oembed_url="").remembered == 1
    assert read(link).contents[link].text == "Hello"
    assert read(link).remembered == 1
    assert "url=https%3A%2F%2Fx.com%2Fada%2Fstatus%2F12&" in web.calls[-1]


def test_without_an_endpoint_posts_are_left_alone(web: Web, read: Read) -> None:
    report = read("https://x.com/ada/status/1", oembed_url="")
    assert report.final == {LinkFailure.NO_ENDPOINT: 1}
    assert web.calls == []


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


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    return self_signed(tmp_path / "web.pem")


def test_pages_are_read_over_tls(
    secure: ssl.SSLContext, read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "web.pem"))
    with serving_web(secure) as web:
        web.routes = {"/a": page("Secure")}
        assert read(f"{web.url}/a").contents == {f"{web.url}/a": a_page("Secure")}


def test_a_certificate_that_nobody_trusts_is_final_only_where_others_are_trusted(
    secure: ssl.SSLContext,
    read: Read,
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    web.routes = {"/a": page("Plain")}
    with serving_web(secure) as trusted, serving_web(self_signed(tmp_path / "b.pem")) as other:
        trusted.routes = {"/a": page("Secure")}
        report = read(f"{other.url}/a", f"{web.url}/a")
        assert (report.final, report.retryable) == ({}, {LinkFailure.TLS_FAILED: 1})
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "web.pem"))
        report = read(f"{other.url}/b", f"{trusted.url}/a")
        assert report.final == {LinkFailure.BAD_CERTIFICATE: 1}
        assert other.calls == []


def test_tls_that_breaks_off_may_pass(web: Web, read: Read) -> None:
    web.routes = {"/a": page("Plain")}
    report = read(f"https://{HOST}:{web.port}/a", f"{web.url}/a")
    assert report.retryable == {LinkFailure.TLS_FAILED: 1}
