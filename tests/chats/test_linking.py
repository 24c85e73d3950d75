"""One person with ids in several sources has one id in what goes on."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.enriching import EnrichedMessagesSettings, enrich_messages
from resonare_pipeline.chats.labels import read_labels, shown_chats
from resonare_pipeline.chats.linking import read_links
from resonare_pipeline.chats.personas import roles_in
from resonare_pipeline.chats.rendering import ConversationSettings
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.rows import MESSAGES

ANNA = {"ids": ["telegram:user1", "signal:7", "telegram:user9"], "name": "Anna Lee"}
ME = {"ids": ["telegram:user2", "signal:2"], "owner": True}
CHAT: dict[str, Any] = {
    "chat_id": "telegram:user1",
    "name": "Annie",
    "participants": [
        {"sender_id": "telegram:user1", "name": "Annie", "messages": 1, "is_owner": False},
        {"sender_id": "telegram:user2", "name": "Ren", "messages": 1, "is_owner": False},
        {"sender_id": "telegram:user5", "name": "Zoe", "messages": 1, "is_owner": True},
        {"sender_id": "telegram:user9", "name": "Annalee Moss", "messages": 1, "is_owner": False},
    ],
}


def linked(**people: dict[str, Any]) -> PeopleSettings:
    return PeopleSettings.model_validate({"people": people})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFiles(tmp_path))


@pytest.fixture
def messages(store: Store) -> Artifact:
    """One message of each participant, and one of nobody."""
    draft = store.output(store.attempt("messages", "p", "f"), "messages")
    nobody = {"sender_id": None, "name": None, "is_owner": False}
    with draft.table("messages.parquet", MESSAGES) as table:
        for number, person in enumerate([*CHAT["participants"], nobody]):
            table.add(
                dict.fromkeys(MESSAGES.names)
                | {
                    "message_id": f"telegram:user1:{number}",
                    "chat_id": "telegram:user1",
                    "sender_id": person["sender_id"],
                    "sender_name": person["name"],
                    "is_owner": person["is_owner"],
                    "sent_at": dt.datetime(2024, 1, 1, 0, number, tzinfo=dt.UTC),
                    "text": "Annie, Annalee Moss and Anna Lee are one",
                }
            )
    draft.report(rows=5)
    return draft.staged()


def enrich(store: Store, messages: Artifact, people: PeopleSettings, **more: Any) -> Artifact:
    draft = store.output(store.attempt("enriched_messages", "p", "f"), "enriched_messages")
    enrich_messages(messages, draft, EnrichedMessagesSettings(**more), people=people)
    return draft.staged()


def column(artifact: Artifact, name: str) -> list[Any]:
    return [row[name] for row in artifact.rows("messages.parquet")]


def test_people_who_wrote_nothing_here_leave_an_alias(store: Store, messages: Artifact) -> None:
    enriched = enrich(store, messages, linked(eve={"ids": ["signal:8", "telegram:user8"]}))

    assert enriched.entry.alias_of == "messages"


def test_every_id_of_a_person_becomes_the_first_and_the_owner_is_marked(
    store: Store, messages: Artifact
) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA, me=ME))

    assert column(enriched, "sender_id") == [
        "telegram:user1", "telegram:user2", "telegram:user5", "telegram:user1", None,
    ]  # fmt: skip
    assert column(enriched, "sender_name") == ["Anna Lee", "me", "Zoe", "Anna Lee", None]
    assert column(enriched, "is_owner") == [False, True, False, False, False]
    assert column(enriched, "text") == column(messages, "text")


def test_an_owner_who_is_not_here_changes_no_owner(store: Store, messages: Artifact) -> None:
    away = {"ids": ["signal:2"], "owner": True}

    enriched = enrich(store, messages, linked(anna=ANNA, me=away))

    assert column(enriched, "is_owner") == column(messages, "is_owner")


@pytest.mark.parametrize("said", ["Anna Lee", "anna", "signal:7", "telegram:user9"])
def test_excluding_a_person_excludes_all_their_ids(
    said: str, store: Store, messages: Artifact
) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA), exclude_senders=(said,))

    assert column(enriched, "sender_id") == ["telegram:user2", "telegram:user5", None]


@pytest.mark.parametrize(
    "persona", ["signal:7", "telegram:user9", "telegram:user1", "Anna Lee", "anna"]
)
def test_a_persona_is_found_by_any_id_and_takes_part_once(
    persona: str, store: Store, messages: Artifact
) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA, me=ME))

    [shown] = shown_chats(iter([CHAT]), enriched)
    roles = roles_in(iter([CHAT]), enriched, ConversationSettings(persona=persona))

    assert [tuple(person.values()) for person in shown["participants"]] == [
        ("telegram:user1", "Anna Lee", 2, False),
        ("telegram:user2", "me", 1, True),
        ("telegram:user5", "Zoe", 1, False),
    ]
    cast = roles["telegram:user1"]
    assert cast.answers("telegram:user1", "Anna Lee", is_owner=False)
    assert not cast.answers("telegram:user5", "Zoe", is_owner=True)


def test_only_ids_that_wrote_stand_beside_messages(store: Store, messages: Artifact) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA, me=ME))

    with enriched.open("people.json") as stream:
        written = stream.read().decode()
    assert "signal:" not in written
    assert set(read_links(enriched).people) == {
        "telegram:user1",
        "telegram:user2",
        "telegram:user9",
    }


def test_a_silent_id_of_somebody_who_wrote_is_the_same_participant(
    store: Store, messages: Artifact
) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA | {"ids": [*ANNA["ids"], "signal:8"]}))
    silent = {"sender_id": "signal:user8", "name": "Al", "messages": 0, "is_owner": False}
    chat = CHAT | {"participants": [*CHAT["participants"], silent]}

    [shown] = shown_chats(iter([chat]), enriched)

    assert [person["name"] for person in shown["participants"]] == ["Anna Lee", "Ren", "Zoe"]


def test_a_table_called_owner_does_not_take_the_owners_place(
    store: Store, messages: Artifact
) -> None:
    enriched = enrich(store, messages, linked(owner=ANNA))

    roles = roles_in(iter([CHAT]), enriched, ConversationSettings(persona="owner"))

    assert roles["telegram:user1"].by_owner


def test_a_redacted_person_has_one_label_for_all_names(store: Store, messages: Artifact) -> None:
    enriched = enrich(store, messages, linked(anna=ANNA), redact=True)

    assert set(column(enriched, "text")) == {"[PERSON_1], [PERSON_1] and [PERSON_1] are one"}
    assert column(enriched, "sender_name")[0] == column(enriched, "sender_name")[3] == "[PERSON_1]"
    assert read_labels(enriched) == {
        "telegram:user1": "[PERSON_1]",
        "telegram:user2": "[PERSON_2]",
        "telegram:user5": "[PERSON_3]",
    }


def test_nothing_names_people_in_what_manifests_keep() -> None:
    written = repr(linked(anna=ANNA).identity())

    assert not any(word in written for word in ("nna", "user1", "signal"))
    assert linked(anna=ANNA).identity() != linked(anna=ANNA | {"owner": True}).identity()
    assert linked(anna=ANNA).identity() != linked(anna=ANNA | {"name": "Ann"}).identity()
    assert linked(anna=ANNA).identity() != linked(anna=ANNA | {"ids": ANNA["ids"][:2]}).identity()


@pytest.mark.parametrize(
    ("people", "found"),
    [
        ({"a": {"ids": ["signal:7"]}, "b": {"ids": ["signal:user7"]}}, "is both a and b"),
        ({"a": ANNA | {"owner": True}, "b": ME}, "both the owner"),
        ({"a": {"ids": []}}, "at least 1 item"),
        ({"a": {"ids": ["x:1"], "phone": "1"}}, "Extra inputs"),
    ],
)
def test_links_that_contradict_are_refused(people: dict[str, Any], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        linked(**people)
