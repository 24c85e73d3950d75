"""What messages gain from their links, through the stage: on real servers of loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.graph import GRAPH
from resonare_pipeline.chats.additions import Additions, without_people
from resonare_pipeline.chats.forgetting import ForgottenPerson, Traces
from resonare_pipeline.chats.links import reading
from resonare_pipeline.planning.making import make
from tests.chats.telling import KEY, Album, message
from tests.fake_web import LOOPBACK, Page, Web, page, post, redirect, serving_web


@pytest.fixture
def web() -> Iterator[Web]:
    with serving_web() as web:
        yield web


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(folder=tmp_path)


@pytest.fixture
def asking(web: Web) -> dict[str, str]:
    return {
        "enriched_messages__fetch_links": "true",
        "links__allowed_private_networks": f'["{LOOPBACK[0]}"]',
        "links__allowed_page_networks": f'["{LOOPBACK[0]}"]',
        "links__oembed_url": f"{web.url}/oembed",
        "links__retries": "0",
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, datetime]:
    """What links take for the time."""
    at = {"now": datetime.now(UTC)}
    monkeypatch.setattr(
        reading.read_links,
        "__kwdefaults__",
        {**(reading.read_links.__kwdefaults__ or {}), "now": lambda: at["now"]},
    )
    return at


def test_a_page_is_told_in_a_line_after_the_text(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/a"] = page("A title", "What it says")
    album.write([message(1, f"See {web.url}/a!"), message(2, "Fine")])
    assert album.texts(album.open(**asking)) == [
        f"See {web.url}/a!\n[Link: A title — What it says]",
        "Fine",
    ]


def test_a_post_is_told_by_the_endpoint_and_not_by_its_own_server(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/oembed"] = post("Hello, world")
    album.write(
        [message(1, "https://twitter.com/ada/status/1?s=20 and https://x.com/ada/status/1")]
    )
    [text] = album.texts(album.open(**asking))
    assert text.splitlines()[1:] == ["[Post by Ada (@ada): Hello, world]"]
    assert web.paths == ["/oembed"]


def test_a_link_behind_words_is_told_and_the_marks_stay_where_they_are(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/a"] = page("Behind")
    link = {"type": "text_link", "text": "this", "href": f"{web.url}/a"}
    album.write([message(1, ["Read ", link, "."])])
    workspace = album.open(**asking)
    artifact = workspace.store.artifact(album.made(workspace).manifest, "enriched_messages")
    [row] = artifact.rows("messages.parquet")
    assert row["text"] == "Read this.\n[Link: Behind]"
    [mark] = row["entities"]
    assert row["text"][mark["offset"] : mark["offset"] + mark["length"]] == "this"


def test_several_links_of_a_message_are_told_in_their_order_and_each_once(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes |= {"/a": page("One"), "/b": page("Two"), "/c": page("One")}
    album.write([message(1, f"{web.url}/b {web.url}/a {web.url}/c {web.url}/gone")])
    [text] = album.texts(album.open(**asking))
    assert text.splitlines()[1:] == ["[Link: Two]", "[Link: One]"]


def test_nothing_is_asked_unless_it_is_switched_on(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    del asking["enriched_messages__fetch_links"]
    album.write([message(1, f"{web.url}/a")])
    workspace = album.open(**asking)
    assert album.made(workspace).manifest.outputs["enriched_messages"].alias_of == "messages"
    assert web.calls == []


def test_settings_of_links_count_only_where_links_are_read(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/a"] = page("A title that is long enough")
    album.write([message(1, f"{web.url}/a")])
    album.made(album.open())
    assert album.made(album.open(links__max_characters="20")).cache == "hit"
    album.made(album.open(**asking))
    [text] = album.texts(album.open(**asking, links__max_characters="20"))
    assert text.endswith("[Link: A title that is…]")
    assert web.paths == ["/a"]  # what was read is cut anew, and not read again


def test_a_private_place_is_never_asked_whatever_the_page_says(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/away"] = redirect(f"http://127.0.0.2:{web.port}/secret")
    web.routes["/secret"] = page("Secret")
    album.write([message(1, f"{web.url}/away"), message(2, f"http://127.0.0.2:{web.port}/secret")])
    workspace = album.open(**asking)
    assert [text.count("[Link") for text in album.texts(workspace)] == [0, 0]
    counts = album.made(workspace).manifest.outputs["enriched_messages"].metadata
    assert counts["links_that_say_nothing"] == {"private_address": 2}
    assert web.paths == ["/away"]


def test_a_source_that_fails_for_now_leaves_its_message_and_is_tried_again_later(
    album: Album, web: Web, asking: dict[str, str], clock: dict[str, datetime]
) -> None:
    web.routes |= {"/a": page("One"), "/b": [Page(status=503), page("Two")]}
    album.write([message(1, f"{web.url}/a"), message(2, f"{web.url}/b")])
    # An hour must be over for planner and links alike, and only the links' clock can be moved.
    clock["now"] -= timedelta(hours=2)
    workspace = album.open(**asking)
    made = album.made(workspace)
    entry = made.manifest.outputs["enriched_messages"]
    assert entry.metadata["links_to_be_tried_again"] == {"server_error": 1}
    assert entry.retry_at == clock["now"] + timedelta(hours=1)
    clock["now"] += timedelta(hours=2)
    again = make(workspace, GRAPH.makers["enriched_messages"], KEY)
    assert again.cache == "miss"
    assert again.manifest.fingerprint == made.manifest.fingerprint
    texts = album.texts(workspace)
    assert [text.splitlines()[1] for text in texts] == ["[Link: One]", "[Link: Two]"]
    assert web.paths == ["/a", "/b", "/b"]
    assert album.made(workspace).cache == "hit"


def test_until_its_time_has_come_nothing_is_tried_again(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/b"] = [Page(status=503), page("Two")]
    album.write([message(1, f"{web.url}/b")])
    album.made(album.open(**asking))
    assert album.made(album.open(**asking)).cache == "hit"
    assert web.paths == ["/b"]


def test_what_a_link_says_is_redacted_as_a_text_is(
    album: Album, web: Web, asking: dict[str, str]
) -> None:
    web.routes["/a"] = page("Write to someone@example.org")
    album.write([message(1, f"{web.url}/a")])
    [text] = album.texts(album.open(**asking, enriched_messages__redact="true"))
    assert "example.org" not in text
    assert "[Link: Write to" in text


def test_people_who_are_left_out_are_in_no_line_of_links_or_images() -> None:
    person = ForgottenPerson(names=("Bea Lopez", "Bea", "@bea"))
    found = Additions(
        links={"a": "[Link: BEA LOPEZ — a beach]", "b": "[Post by Bea Lopez (@bea): Hi]"},
        images={"c": "[Image: Bea on a bench.]"},
        counts={"links": 2},
    )
    left = without_people(found, Traces.of({"telegram:user3": person}))
    assert left.links == {
        "a": "[Link: [forgotten] — a beach]",
        "b": "[Post by [forgotten] ([forgotten]): Hi]",
    }
    assert left.images == {"c": "[Image: [forgotten] on a bench.]"}
    assert left.counts == found.counts
