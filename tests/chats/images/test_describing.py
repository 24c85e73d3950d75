"""Images told by a model: which are asked for, what is kept, and what a failure leaves."""

import base64
import json
from dataclasses import replace

import pytest

from resonare_pipeline.chats.images import describing
from resonare_pipeline.chats.images.finding import image_type
from resonare_pipeline.errors import (
    BudgetError,
    SettingsError,
    StageError,
    UnansweredError,
)
from tests.chats.images.conftest import ASKING, photo
from tests.chats.telling import KEY, Album, message, png
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fault, Rule, Script


def shown(server: Running) -> list[bytes]:
    """Return the pictures that the server was shown, in order."""
    urls = [body["messages"][0]["content"][1]["image_url"]["url"] for body in server.bodies()]
    return [base64.b64decode(url.removeprefix("data:image/png;base64,")) for url in urls]


def test_an_image_is_told_in_a_line_after_the_text_of_its_message(
    album: Album, server: Running
) -> None:
    album.write([photo(1, "a", "Look!"), photo(2, "b"), message(3, "Nice")], a=png(1), b=png(2))
    first, second, third = album.texts(album.open(**ASKING))
    assert first.startswith("Look!\n[Image: answer ")
    assert first.endswith("]")
    assert second.startswith("[Image: answer ")
    assert third == "Nice"
    assert sorted(shown(server)) == sorted([png(1), png(2)])


def test_what_is_asked_holds_the_template_the_detail_and_the_parameters(
    album: Album, server: Running
) -> None:
    album.write([photo(1, "a")], a=png())
    settings = {"images__language": "Basque", "completions__temperature": "0"}
    album.texts(album.open(**ASKING, **settings))
    [body] = server.bodies()
    text, image = body["messages"][0]["content"]
    assert "Basque" in text["text"]
    assert image["image_url"]["detail"] == "low"
    assert (body["model"], body["temperature"]) == ("gpt-4o", 0)


def test_the_model_for_images_may_be_another_than_the_model_for_texts(
    album: Album, server: Running
) -> None:
    album.write([photo(1, "a")], a=png())
    album.texts(album.open(**ASKING, images__model="seeing"))
    assert [body["model"] for body in server.bodies()] == ["seeing"]


def test_one_image_in_many_messages_is_asked_for_once(album: Album, server: Running) -> None:
    album.write([photo(1, "a"), photo(2, "a"), photo(3, "b")], a=png(), b=png())
    assert len(set(album.texts(album.open(**ASKING)))) == 1
    assert len(server.journal()) == 1


def test_nothing_is_asked_unless_it_is_switched_on(album: Album, server: Running) -> None:
    album.write([photo(1, "a", "Look!")], a=png())
    assert album.texts(album.open()) == ["Look!"]
    assert server.journal() == []


def test_messages_left_out_are_not_asked_for(album: Album, server: Running) -> None:
    album.write([photo(1, "a", "Look!")], a=png())
    assert album.texts(album.open(**ASKING, enriched_messages__since="2025-01-01")) == []
    assert server.journal() == []


def test_answers_are_kept_so_that_a_changed_export_pays_for_new_images_alone(
    album: Album, server: Running
) -> None:
    album.write([photo(1, "a")], a=png(1))
    album.texts(album.open(**ASKING))
    album.write([photo(1, "a"), photo(2, "b", "new")], b=png(2))
    assert len(album.texts(album.open(**ASKING))) == 2
    assert len(server.journal()) == 2


def test_a_changed_image_is_told_anew(album: Album) -> None:
    album.write([photo(1, "a")], a=png(1))
    before = album.texts(album.open(**ASKING))
    album.write([photo(1, "a")], a=png(2, padding=9))
    assert album.texts(album.open(**ASKING)) != before


def test_a_changed_image_makes_nothing_again_while_images_are_not_asked_for(album: Album) -> None:
    album.write([photo(1, "a")], a=png(1))
    album.made(album.open())
    album.write([photo(1, "a")], a=png(2, padding=9))
    assert album.made(album.open()).cache == "hit"


def test_a_changed_template_asks_anew(
    album: Album, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album.folder)
    album.write([photo(1, "a")], a=png())
    album.made(album.open(**ASKING))
    own = album.folder / "prompts" / "chats" / "describe_image.jinja"
    own.parent.mkdir(parents=True)
    own.write_text("Tell it as a limerick in {{ language }}.")
    assert album.made(album.open(**ASKING)).cache == "miss"
    told = server.bodies()[-1]["messages"][0]["content"][0]["text"]
    assert told == "Tell it as a limerick in English."


def test_a_template_that_wants_an_unknown_value_is_an_error_that_names_it(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album.folder)
    album.write([photo(1, "a")], a=png())
    own = album.folder / "prompts" / "chats" / "describe_image.jinja"
    own.parent.mkdir(parents=True)
    own.write_text("{{ tongue }}")
    with pytest.raises(SettingsError, match="tongue"):
        album.made(album.open(**ASKING))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("large", png(padding=2_000), "too_large"),
        ("wrong", b"GIFT of no image", "not_an_image"),
        ("empty", b"", "not_an_image"),
    ],
)
def test_what_cannot_be_shown_stays_as_it_is_and_is_counted(
    album: Album, server: Running, name: str, content: bytes, reason: str
) -> None:
    album.write([photo(1, name, "Look!"), photo(2, "a")], **{name: content, "a": png()})
    workspace = album.open(**ASKING, images__max_bytes="1000")
    assert album.texts(workspace)[0] == "Look!"
    counts = album.made(workspace).manifest.outputs["enriched_messages"].metadata
    assert counts["images_left_as_they_are"] == {reason: 1}
    assert counts["images_described"] == 1
    assert len(server.journal()) == 1


@pytest.mark.parametrize(
    "path", ["../../../secret.png", "/etc/secret.png", "photos/none.png", "photos\\..\\..\\x.png"]
)
def test_a_path_that_leads_out_of_the_export_or_nowhere_is_not_followed(
    album: Album, server: Running, path: str
) -> None:
    album.write([message(1, "Look!", photo=path)])
    (album.folder / "secret.png").write_bytes(png())
    workspace = album.open(**ASKING)
    assert album.texts(workspace) == ["Look!"]
    counts = album.made(workspace).manifest.outputs["enriched_messages"].metadata
    assert counts["images_not_in_the_export"] == 1
    assert server.journal() == []


def test_stickers_and_animations_are_no_images(album: Album, server: Running) -> None:
    sticker = message(1, "A", file="photos/a.png", media_type="sticker")
    animation = message(2, "B", file="photos/a.png", media_type="animation")
    album.write([sticker, animation], a=png())
    assert album.texts(album.open(**ASKING)) == ["A", "B"]
    assert server.journal() == []


def test_a_refused_image_stays_as_it_is(album: Album, server: Running) -> None:
    server.use(Script(rules=(Rule(fault=Fault.FILTER, times=1),)))
    album.write([photo(1, "a", "one")], a=png(1))
    assert album.texts(album.open(**ASKING)) == ["one"]


def test_a_failure_that_may_pass_commits_nothing_and_the_next_run_asks_for_the_rest(
    album: Album, server: Running
) -> None:
    album.write([photo(n, f"p{n}") for n in range(4)], **{f"p{n}": png(n) for n in range(4)})
    retries = {"completions__retries": "0", "completions__concurrency": "1"}
    server.use(Script(rules=(Rule(fault=Fault.SERVER, times=1),)))
    with pytest.raises(UnansweredError, match="1 of 4 images are not described yet: server 1"):
        album.made(album.open(**ASKING, **retries))
    sent = len(server.journal())
    assert len(set(album.texts(album.open(**ASKING, **retries)))) == 4
    assert len(server.journal()) == sent + 1


def test_partial_answers_are_taken_where_that_is_allowed(album: Album, server: Running) -> None:
    album.write([photo(1, "a", "one"), photo(2, "b", "two")], a=png(1), b=png(2))
    server.use(Script(rules=(Rule(fault=Fault.SERVER, times=1),)))
    workspace = album.open(**ASKING, images__allow_partial="true", completions__retries="0")
    told = [text for text in album.texts(workspace) if "[Image: " in text]
    assert len(told) == 1


def test_a_model_that_sees_nothing_ends_the_stage_with_what_to_set(
    album: Album, server: Running
) -> None:
    server.use(Script(rules=(Rule(fault=Fault.INVALID),)))
    album.write([photo(n, f"p{n}") for n in range(3)], **{f"p{n}": png(n) for n in range(3)})
    with pytest.raises(StageError, match="refused every one of 3 images") as caught:
        album.made(album.open(**ASKING))
    assert "images.model" in str(caught.value)
    partial = album.open(**ASKING, images__allow_partial="true")
    assert album.texts(partial) == ["", "", ""]


def test_one_image_that_is_always_refused_does_not_hold_up_its_export(
    album: Album, server: Running
) -> None:
    server.use(Script(rules=(Rule(fault=Fault.INVALID),)))
    album.write([photo(1, "a", "Look!")], a=png())
    workspace = album.open(**ASKING)
    assert album.texts(workspace) == ["Look!"]
    told = album.made(workspace).manifest.outputs["enriched_messages"].metadata["warnings"]
    assert told == ["1 of 1 images stay as they are: invalid 1"]


def test_a_template_is_read_once_however_long_the_asking_takes(
    album: Album, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album.folder)
    own = album.folder / "prompts" / "chats" / "describe_image.jinja"
    own.parent.mkdir(parents=True)
    own.write_text("Before.")

    def edited_meanwhile(content: bytes) -> str | None:
        own.write_text("After.")
        return image_type(content)

    monkeypatch.setattr(describing, "image_type", edited_meanwhile)
    album.write([photo(n, f"p{n}") for n in range(3)], **{f"p{n}": png(n) for n in range(3)})
    album.made(album.open(**ASKING))
    assert {b["messages"][0]["content"][0]["text"] for b in server.bodies()} == {"Before."}


def test_the_mock_describes_nothing(album: Album) -> None:
    album.write([photo(1, "a")], a=png())
    with pytest.raises(SettingsError, match="the mock sees no images"):
        album.made(album.open(**ASKING, completions__provider="mock"))


def test_a_cap_refuses_before_anything_is_sent(album: Album, server: Running) -> None:
    album.write([photo(1, "a")], a=png())
    capped = {"completions__max_cost_usd": "0.000001", "completions__max_tokens": "100"}
    with pytest.raises(BudgetError, match="1 requests would cost about"):
        album.made(album.open(**ASKING, **capped))
    assert server.journal() == []
    enough = {"completions__max_cost_usd": "1", "completions__max_tokens": "100"}
    assert "[Image: " in album.texts(album.open(**ASKING, **enough))[0]


def test_a_run_that_nobody_started_pays_for_nothing(album: Album, server: Running) -> None:
    album.write([photo(1, "a")], a=png())
    with pytest.raises(BudgetError, match="max_unattended_cost_usd"):
        album.made(replace(album.open(**ASKING, completions__max_tokens="100"), unattended=True))
    assert server.journal() == []


def test_a_redacted_description_is_redacted_as_a_text_is(album: Album) -> None:
    album.write([photo(1, "a", "me@example.org")], a=png())
    [text] = album.texts(album.open(**ASKING, enriched_messages__redact="true"))
    assert "example.org" not in text
    assert "[Image: " in text


def test_many_large_images_are_never_held_together(album: Album, server: Running) -> None:
    count, size = 24, 4_000_000
    names = [f"p{n}" for n in range(count)]
    album.write(
        [photo(n + 1, name) for n, name in enumerate(names)],
        **{name: png(n, padding=size) for n, name in enumerate(names)},
    )
    server.use(Script(latency_seconds=0.3))
    album.texts(album.open(**ASKING))
    # 32 MB are held at most, of pictures that take 5.4 MB each as they are sent.
    assert 1 < server.state()["most_running"] <= 6
    assert len(server.journal()) == count


def test_images_of_a_chat_exported_by_signal_export_are_told_as_well(album: Album) -> None:
    place = album.folder / "raw" / "chats" / KEY / "Bea"
    (place / "media").mkdir(parents=True)
    (place / "media" / "a.png").write_bytes(png())
    said = {
        "date": "2024-01-01T10:00:00",
        "sender": "Me",
        "body": "look",
        "quote": "",
        "sticker": {},
        "reactions": [],
        "attachments": [{"name": "a", "path": "./media/a.png"}],
    }
    (place / "data.json").write_text(json.dumps(said) + "\n")
    [text] = album.texts(album.open(**ASKING))
    assert text.startswith("look\n[Image: answer ")
