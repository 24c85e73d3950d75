from typing import Any

import pytest

from resonare_pipeline.chats.links.finding import canonical, links_of, post_of


def mark(kind: str, text: str, part: str, value: str | None = None) -> dict[str, Any]:
    return {"type": kind, "offset": text.index(part), "length": len(part), "value": value}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://example.com/a.", ["https://example.com/a"]),
        ("(https://example.com/a)", ["https://example.com/a"]),
        ("https://example.com/Go_(game)", ["https://example.com/Go_(game)"]),
        ("look: (https://example.com/Go_(game)), ok", ["https://example.com/Go_(game)"]),
        ("[a](https://example.com/a)!", ["https://example.com/a"]),
        ("**https://example.com/a**", ["https://example.com/a"]),
        ("«https://example.com/ä»", ["https://example.com/ä"]),
        ("看https://example.com/路。好", ["https://example.com/路"]),
        ("「https://example.com/a」と", ["https://example.com/a"]),
        ("1https://example.com/a", []),
        ("HTTPS://Example.COM?q=1…", ["HTTPS://Example.COM?q=1"]),
        ("www.example.com/a", ["http://www.example.com/a"]),
        ("http://[2001:4860::1]/a]", ["http://[2001:4860::1]/a"]),
        ("ftp://example.com mailto:a@example.com tg://user?id=1", []),
        ("me@www.example.com and xhttp://example.com", []),
        ("example.com/a is no link unless the app says so", []),
        ("http:// https://", []),
    ],
)
def test_bare_addresses_end_where_a_reader_would_end_them(text: str, links: list[str]) -> None:
    assert links_of(text, None) == links


@pytest.mark.parametrize("tail", [")", "]", ".", "….)", "_~"])
def test_a_tail_of_any_length_is_taken_off_at_a_walk(tail: str) -> None:
    text = "http://example.com/a" + tail * (1_000_000 // len(tail))
    assert links_of(text, None) == ["http://example.com/a"]


@pytest.mark.parametrize("sign", ["(", "[", "www.", "http://", "a"])
def test_an_address_that_does_not_end_is_none(sign: str) -> None:
    assert links_of("http://example.com/" + sign * (1_000_000 // len(sign)) + "a", None) == []


def test_links_that_overlap_are_one_and_hide_the_text_once() -> None:
    text = "https://example.com/abcdefgh " + "x" * 1_000_000
    whole = {"type": "code", "offset": 29, "length": len(text), "value": None}
    over = [{"type": "link", "offset": at, "length": 28 - at, "value": None} for at in range(20)]
    assert links_of(text, [*over, *[whole] * 10_000]) == ["https://example.com/abcdefgh"]


def test_a_mark_longer_than_any_address_hides_its_text_and_is_no_link() -> None:
    text = "https://example.com/a " * 1_000
    wide = {"type": "link", "offset": 0, "length": 10**9, "value": None}
    assert links_of(text, [wide]) == []


def test_masks_that_lie_over_each_other_hide_what_each_of_them_hides() -> None:
    text = "http://a.example http://b.example http://c.example http://d.example"
    marks = [
        {"type": "code", "offset": 0, "length": 30, "value": None},
        mark("pre", text, "http://a.example"),
        {"type": "code", "offset": 20, "length": 30, "value": None},
    ]
    assert links_of(text, marks) == ["http://d.example"]


def test_marks_tell_what_a_text_does_not() -> None:
    text = "here or example.com/b, example.org:8080 or https://example.com/c"
    marks = [
        mark("text_link", text, "here", "https://example.com/a"),
        mark("link", text, "example.com/b"),
        mark("link", text, "example.org:8080"),
        mark("link", text, "https://example.com/c"),
        mark("bold", text, "or"),
    ]
    assert links_of(text, marks) == [
        "https://example.com/a",
        "http://example.com/b",
        "http://example.org:8080",
        "https://example.com/c",
    ]


def test_an_address_shown_for_another_one_counts_as_well() -> None:
    text = "https://example.com/shown"
    marks = [mark("text_link", text, text, "https://example.com/z-meant")]
    assert links_of(text, marks) == ["https://example.com/z-meant", "https://example.com/shown"]


@pytest.mark.parametrize("kind", ["code", "pre"])
def test_code_holds_no_links(kind: str) -> None:
    text = "curl https://example.com/a"
    assert links_of(text, [mark(kind, text, text)]) == []


@pytest.mark.parametrize("value", [None, "", "tg://user?id=1", "mailto:a@example.com", "tel:+1"])
def test_links_into_apps_are_none(value: str | None) -> None:
    assert links_of("hello", [mark("text_link", "hello", "hello", value)]) == []


def test_each_page_is_named_once_and_places_outside_of_the_text_do_no_harm() -> None:
    text = "https://example.com/a https://EXAMPLE.com:443/a#part https://example.com/b"
    wild: list[dict[str, Any]] = [
        {"type": "link", "offset": 900, "length": 5, "value": None},
        {"type": "link", "offset": -3, "length": -1, "value": None},
        {"type": "text_link", "offset": None, "length": None, "value": None},
    ]
    assert links_of(text, wild) == ["https://example.com/a", "https://example.com/b"]


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("http://example.com:80/a#b", "http://example.com/a"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("https://example.com./a?b=c", "https://example.com/a?b=c"),
        ("https://bücher.example/ä?q=ö", "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://例え.テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://example.com/%7Ea%2Fb", "https://example.com/%7Ea%2Fb"),
        ("http://[2001:4860:0:0:0:0:0:8]/", "http://[2001:4860::8]/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
    ],
)
def test_an_address_has_one_form(url: str, form: str) -> None:
    assert canonical(url) == form
    assert canonical(form) == form


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:password@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https:///a",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://exa mple.com/",
        "https://example.com/a\nb",
        "https://example.com\\@example.org/",
        "https://example..com/",
        "https://-example.com/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://1.2.3.4.5/",
        "https://example.com/\ud800",
        "https://\u2024\u2024.example/",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "a" * 5_000,
    ],
)
def test_what_must_not_or_cannot_be_asked_for_has_no_form(url: str) -> None:
    assert canonical(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/Ada/status/12",
        "http://twitter.com/ada/status/12?s=20&t=abc",
        "https://www.twitter.com/ADA/statuses/12/photo/1",
        "https://mobile.twitter.com/ada/status/12#m",
        "https://m.x.com/ada/status/12/",
    ],
)
def test_all_addresses_of_a_post_are_one(url: str) -> None:
    assert post_of(canonical(url) or "") == "https://x.com/ada/status/12"


def test_a_post_may_be_named_without_its_author() -> None:
    assert post_of("https://twitter.com/i/web/status/12") == "https://x.com/i/status/12"


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/ada",
        "https://x.com/ada/status/",
        "https://fxtwitter.com/ada/status/12",
        "https://example.com/x.com/ada/status/12",
        "https://x.com.example.com/ada/status/12",
        "https://notx.com/ada/status/12",
    ],
)
def test_other_addresses_are_no_posts(url: str) -> None:
    assert post_of(url) is None
