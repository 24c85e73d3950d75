"""Posts, and whose fault it is when one is not told: its own or that of the endpoint."""

import pytest

from resonare_pipeline.chats.links.contents import LinkKind
from resonare_pipeline.chats.links.failures import LinkFailure
from tests.chats.links.conftest import Clock, Read, a_page
from tests.fake_web import (
    HOST,
    Action,
    Handler,
    Page,
    Web,
    page,
    post,
    redirect,
)


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
