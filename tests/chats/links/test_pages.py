import gzip
import random
import tracemalloc
import zlib

import pytest

from resonare_pipeline.chats.links.decoding import decode
from resonare_pipeline.chats.links.inflating import Inflater
from resonare_pipeline.chats.links.pages import page_content

RUSSIAN = "Привет, мир. Сегодня хорошая погода, и мы идём гулять в парк."


def told(html: str) -> tuple[str, str] | None:
    content = page_content(html.encode())
    return (content.title, content.text) if content else None


def meta(key: str, name: str, content: str) -> str:
    return f'<meta {key}="{name}" content="{content}">'


def test_what_a_page_offers_for_previews_comes_first() -> None:
    og = meta("property", "og:title", "Og") + meta("property", "og:description", "Og says")
    twitter = meta("name", "twitter:title", "Tw") + meta("name", "twitter:description", "Tw says")
    plain = "<title>Plain</title>" + meta("name", "description", "Plain says")
    assert told(plain + twitter + og) == ("Og", "Og says")
    assert told(plain + twitter) == ("Tw", "Tw says")
    assert told(plain) == ("Plain", "Plain says")


def test_an_empty_offer_is_none_and_sites_mix_up_name_and_property() -> None:
    html = (
        meta("property", "og:title", "  ") + meta("NAME", "OG:Title", "Named") + "<title>T</title>"
    )
    assert told(html) == ("Named", "")


def test_the_first_of_a_name_counts() -> None:
    assert told(meta("property", "og:title", "1") + meta("property", "og:title", "2")) == ("1", "")


def test_a_description_that_is_the_title_is_not_told_twice() -> None:
    assert told("<title>Same</title>" + meta("name", "description", " Same ")) == ("Same", "")


def test_signs_are_decoded_once_and_lines_are_folded() -> None:
    html = "<title>\n A &amp;amp; B\n\t&lt;b&gt; &#128512;&nbsp;\u2028c&#0;\x00\x07 </title>"
    content = told(html)
    assert content is not None
    assert content[0].replace("\ufffd", "") == "A &amp; B <b> \U0001f600 c"


def test_marks_that_turn_the_direction_of_writing_are_left_out() -> None:
    assert told("<title>a\u202eb\u2066c\u200ed</title>") == ("abcd", "")


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "<title></title>",
        "<title> \n </title>",
        "<!-- <title>Hidden</title> -->",
        "<svg><title>Icon</title></svg>",
        "no page at all",
        meta("property", "og:image", "x"),
        meta("name", "description", "A text without a title"),
    ],
)
def test_a_page_without_a_title_says_nothing(html: str) -> None:
    assert told(html) is None


def test_an_icons_title_is_not_the_pages() -> None:
    assert told("<body><svg><title>Icon</title></svg><title>Page</title>") == ("Page", "")


def test_of_titles_and_offers_without_end_the_first_are_looked_at() -> None:
    icons = "<svg>" + "<g>" * 200 + "<title></title>" * 60_000 + "</svg>"
    assert told(icons + "<title>Late</title>") is None
    assert told("<title>Page</title>" + icons) == ("Page", "")
    noise = meta("name", "viewport", "x") * 20_000
    assert told(noise + meta("property", "og:title", "Late") + "<title>Page</title>") == (
        "Page",
        "",
    )


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    assert told("<html><head><title>Open") == ("Open", "")
    assert told("<title>Deep</title>" + "<div>" * 50_000) == ("Deep", "")
    assert told('<meta property="og:title" content="Cut') is None


@pytest.mark.parametrize(
    ("encoding", "header", "text"),
    [
        ("utf-8", "", RUSSIAN),
        ("utf-8", "utf-8", RUSSIAN),
        ("cp1251", "windows-1251", RUSSIAN),
        ("koi8-r", "KOI8-R", RUSSIAN),
        ("cp1252", "ISO-8859-1", "“déjà vu” — 5 €"),
        ("gb18030", "gb2312", "你好，世界"),
        ("cp932", "Shift_JIS", "こんにちは①"),
        ("euc_jp", "EUC-JP", "こんにちは"),
        ("cp949", "euc-kr", "안녕하세요"),
        ("utf-16-le", "utf-16", RUSSIAN),
    ],
)
def test_the_header_says_how_a_page_is_encoded(encoding: str, header: str, text: str) -> None:
    content = page_content(f"<title>{text}</title>".encode(encoding), header)
    assert content is not None
    assert content.title == text


@pytest.mark.parametrize(
    "declared",
    [
        '<meta charset="windows-1251">',
        "<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset=windows-1251'>",
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
def test_else_the_page_says_so_itself(declared: str) -> None:
    content = page_content(f"{declared}<title>{RUSSIAN}</title>".encode("cp1251"), "nonsense")
    assert content is not None
    assert content.title == RUSSIAN


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_at_the_beginning_counts_before_all(encoding: str) -> None:
    content = page_content(f"<title>{RUSSIAN}</title>".encode(encoding), "iso-8859-1")
    assert content is not None
    assert content.title == RUSSIAN


def test_a_page_that_does_not_say_is_guessed() -> None:
    body = f"<title>{RUSSIAN}</title><p>{RUSSIAN * 20}".encode("cp1251")
    content = page_content(body)
    assert content is not None
    assert content.title == RUSSIAN


def test_a_few_accents_are_western() -> None:
    content = page_content("<title>Café déjà vu</title>".encode("latin-1"))
    assert content is not None
    assert content.title == "Café déjà vu"


@pytest.mark.parametrize(
    "label", ["zip", "hex", "idna", "unicode_escape", "utf-7", "\x00", "x" * 40]
)
def test_names_of_what_is_no_encoding_of_pages_are_passed_over(label: str) -> None:
    assert decode("ä\\u0041".encode(), label) == "ä\\u0041"


def test_a_character_that_is_cut_off_does_not_change_the_encoding() -> None:
    assert decode("grün ä".encode()[:-1]) == "grün \ufffd"


def test_no_bytes_are_too_bad_to_be_read() -> None:
    chance = random.Random(20)  # noqa: S311  # any numbers, the same each time
    pieces = [
        b"<",
        b">",
        b"<title>",
        b"<meta charset=",
        b"&#x",
        b"\xff\xfe",
        b"<!--",
        b"]]>",
        b"\0",
    ]
    pieces += [b'<meta property="og:title" content="', b"</", b"<svg>", b"<!DOCTYPE a [<!ENTITY "]
    labels = ["", "utf-8", "utf-16", "shift_jis", "big5", "iso-2022-jp", "gb2312", "\udcff"]
    told_something = 0
    for _ in range(2_000):
        noise = (chance.choice([*pieces, chance.randbytes(chance.randrange(9))]) for _ in range(40))
        content = page_content(b"".join(noise), chance.choice(labels))
        if content:
            told_something += 1
            (content.title + content.text).encode()
            assert "\n" not in content.title
            assert "\0" not in content.title
    assert told_something


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw"])
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_body_is_decompressed_as_it_comes(name: str, step: int) -> None:
    text = random.Random(1).randbytes(3_000)  # noqa: S311  # any bytes
    raw = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(text),
        "zlib": zlib.compress(text),
        "raw": raw.compress(text) + raw.flush(),
    }
    inflater = Inflater("gzip" if name == "gzip" else "deflate", 3_000)
    for at in range(0, len(bodies[name]), step):
        inflater.add(bodies[name][at : at + step])
    assert inflater.content == text
    assert not inflater.is_full


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_no_more_is_kept_than_was_asked_for(coding: str) -> None:
    body = bytes(5_000_000)
    inflater = Inflater(coding, 1_000)
    inflater.add(gzip.compress(body) if coding else body)
    assert inflater.content == bytes(1_000)
    assert inflater.is_full


def test_a_bomb_is_never_unfolded() -> None:
    body = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        Inflater("gzip", 1_000).add(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_what_is_not_compressed_as_was_said_is_an_error() -> None:
    with pytest.raises(ValueError, match="header"):
        Inflater("gzip", 1_000).add(b"<title>Plain</title>")
    with pytest.raises(ValueError, match="coding"):
        Inflater("br", 1_000)
