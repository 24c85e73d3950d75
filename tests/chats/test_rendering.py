"""Lines, turns and roles."""

from typing import Any

import pytest

from resonare_pipeline.chats.personas import casts
from resonare_pipeline.chats.rendering import (
    ConversationSettings,
    SpeakerLabels,
    as_messages,
    is_blank,
    line_head,
    render,
)
from resonare_pipeline.errors import SettingsError


def chat(chat_id: str, *people: tuple[str | None, str, bool]) -> dict[str, Any]:
    keys = ("sender_id", "name", "is_owner")
    participants = [dict(zip(keys, person, strict=True)) for person in people]
    return {"chat_id": chat_id, "participants": participants}


ME = ("telegram:user1", "Me", True)
ADA = ("telegram:user2", "Ada", False)
BOB = ("telegram:user3", "Bob", False)


def test_render_neighbours_of_one_role_become_one_turn() -> None:
    settings = ConversationSettings(system_prompt="Be kind.")
    lines = [">>> a", ">>> b", ">>> c", ">>> d"]
    turns = render([False, False, True, False], lines, settings)
    assert as_messages(turns) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": ">>> a\n>>> b"},
        {"role": "assistant", "content": ">>> c"},
        {"role": "user", "content": ">>> d"},
    ]


def test_render_nothing_without_system_prompt_has_no_turn() -> None:
    assert render([], [], ConversationSettings()) == ()


@pytest.mark.parametrize(
    ("label", "head"),
    [(None, ">>> "), ("Ada", ">>> Ada: "), ("Ada\n Byron ", ">>> Ada Byron: ")],
)
def test_line_head_label_stands_behind_the_prefix_in_one_line(label: str | None, head: str) -> None:
    assert line_head(label, ConversationSettings()) == head


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", "\ufeff \u200d\n", "\u2060\u00a0"])
def test_is_blank_text_that_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "\u200b.", " 😂 ", "\u202bمرحبا", "\U0001f9e0\ufe0f"])
def test_is_blank_text_that_shows_something_is_not(text: str) -> None:
    assert not is_blank(text)


def test_casts_owner_by_default_is_whoever_is_marked() -> None:
    cast = casts([chat("c", ME, ADA)], ConversationSettings())["c"]
    assert cast.present
    assert cast.answers("telegram:user9", "x", is_owner=True)
    assert not cast.answers("telegram:user1", "Me", is_owner=False)


@pytest.mark.parametrize("persona", ["telegram:user2", "Ada"])
def test_casts_participant_by_id_or_name_answers(persona: str) -> None:
    rows = [chat("c", ME, ADA), chat("d", ME, BOB)]
    found = casts(rows, ConversationSettings(persona=persona))
    assert found["c"].answers("telegram:user2", "Ada", is_owner=False)
    assert not found["c"].answers("telegram:user1", "Me", is_owner=True)
    assert not found["d"].present


def test_casts_person_without_id_is_known_by_name() -> None:
    cast = casts([chat("c", ME, (None, "Ada", False))], ConversationSettings(persona="Ada"))["c"]
    assert cast.answers(None, "Ada", is_owner=False)
    assert not cast.answers(None, "Bob", is_owner=False)


def test_casts_person_in_no_chat_is_an_error_listing_participants() -> None:
    rows = [chat("c", *[(f"telegram:user{n}", f"P{n}", False) for n in range(25)])]
    with pytest.raises(SettingsError, match=r"no chat has a participant 'Zoe'.*5 more") as caught:
        casts(rows, ConversationSettings(persona="Zoe"))
    assert str(caught.value).count("telegram:user") >= 20


def test_casts_name_of_two_people_in_one_chat_is_an_error_naming_their_ids() -> None:
    rows = [chat("c", ME, ADA, ("telegram:user7", "Ada", False))]
    with pytest.raises(SettingsError, match=r"telegram:user2, telegram:user7"):
        casts(rows, ConversationSettings(persona="Ada"))


def test_casts_no_chats_at_all_is_no_error() -> None:
    assert casts([], ConversationSettings(persona="Zoe")) == {}


@pytest.mark.parametrize(
    ("labels", "people", "label"),
    [
        (SpeakerLabels.GROUPS, (ME, ADA, BOB), "Ada"),
        (SpeakerLabels.GROUPS, (ME, ADA), None),
        (SpeakerLabels.ALWAYS, (ME, ADA), "Ada"),
        (SpeakerLabels.NEVER, (ME, ADA, BOB), None),
    ],
)
def test_label_follows_the_setting_and_the_size_of_the_chat(
    labels: SpeakerLabels, people: tuple[tuple[str, str, bool], ...], label: str | None
) -> None:
    cast = casts([chat("c", *people)], ConversationSettings(speaker_labels=labels))["c"]
    assert cast.label("Ada", answers=False) == label
    assert cast.label("Me", answers=True) is None
