"""What a link comes to, by what its server does."""

import ssl
from pathlib import Path

import pytest

from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.failures import LinkFailure
from tests.certificates import self_signed
from tests.chats.links.conftest import Read, a_page
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
