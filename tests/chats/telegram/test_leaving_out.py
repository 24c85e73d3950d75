"""People who are left out while an export is read."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.forgetting import PLACEHOLDER, ForgetSettings, ForgottenPerson
from tests.chats.reads import Export, Row
from tests.chats.telegram.conftest import Reader, chat, message

BEA = "telegram:user2"
RULE = ForgetSettings(people={BEA: ForgottenPerson(names=("Bea Lopez", "Bea", "@bea"))})


def row(
    number: int, text: object = "hi", *, name: str = "Ann", sender: int = 1, **more: Any
) -> Row:
    return {**message(number, text, **more), "from": name, "from_id": f"user{sender}"}


def bea(number: int, text: object = "from bea", **more: Any) -> Row:
    return row(number, text, name="Bea Lopez", sender=2, **more)


def group(*messages: object, **more: Any) -> Row:
    return chat(*messages, **{"type": "private_group", "id": 7, "name": "Friends", **more})


def values(export: Export) -> str:
    return repr((export.chats, export.messages, export.dropped, export.metadata))


def test_their_messages_go_and_the_others_stay_as_they_were(read: Reader) -> None:
    export = read(group(row(1), bea(2), row(3, sender=3, name="Cy"), bea(4)), forget=RULE)

    assert export.ids == ["telegram:chat7:1", "telegram:chat7:3"]
    assert export.counts == {"forgotten": 2}
    assert export.dropped == [{"id": "telegram:chat7", "reason": "forgotten", "items": 2}]
    assert export.chats[0]["message_count"] == 2
    assert export.chats[0]["last_sent_at"] == export.messages[-1]["sent_at"]
    assert [person["sender_id"] for person in export.chats[0]["participants"]] == [
        "telegram:user1",
        "telegram:user3",
    ]
    assert "Bea" not in values(export)


def test_a_personal_chat_with_them_goes_as_a_whole(read: Reader) -> None:
    account = {"chats": {"list": [chat(row(1), bea(2), id=2), group(row(3), row(4))]}}

    export = read(account, forget=RULE)

    assert [found["chat_id"] for found in export.chats] == ["telegram:chat7"]
    assert export.dropped == [{"id": PLACEHOLDER, "reason": "forgotten", "items": 2}]
    assert "user2" not in values(export)


def test_an_export_of_which_nothing_is_left_gives_empty_tables(read: Reader) -> None:
    export = read(chat(row(1), bea(2)), forget=RULE)

    assert export.messages == export.chats == []
    assert "user2" not in values(export)


def test_a_chat_with_them_of_a_kind_that_is_not_taken_is_not_named(read: Reader) -> None:
    account = {"chats": {"list": [chat(row(1), id=2, type="bot_chat"), group(row(3))]}}

    assert read(account, forget=RULE).dropped == []
    assert read(account).dropped == [{"id": "telegram:user2", "reason": "chat_kind", "items": 1}]


def test_words_of_theirs_that_others_pass_on_go_too(read: Reader) -> None:
    export = read(
        group(row(1), row(2, "wise words", forwarded_from="Bea Lopez"), row(3)), forget=RULE
    )

    assert export.texts == ["hi", "hi"]
    assert export.counts == {"forgotten": 1}


def test_replies_to_them_answer_nobody_and_other_replies_stay(read: Reader) -> None:
    messages = [
        row(1),
        bea(2),
        row(3, reply_to_message_id=2),
        row(4, reply_to_message_id=1),
        row(5, reply_to_message_id=9, reply_to_peer_id="user2"),
    ]

    export = read(group(*messages), forget=RULE)

    replies = [found["reply_to_id"] for found in export.messages]
    assert replies == [None, None, "telegram:chat7:1", None]


def test_names_in_texts_of_others_become_placeholders_and_marks_move(read: Reader) -> None:
    text = [
        "hey ",
        {"type": "bold", "text": "Bea Lopez"},
        " and ",
        {"type": "link", "text": "https://t.me/bea"},
        " ",
        {"type": "italic", "text": "so bea said"},
        {"type": "mention_name", "text": "Schatzi", "user_id": 2},
        {"type": "text_link", "text": "!", "href": "tg://user?id=2"},
    ]

    export = read(group(row(1, text), bea(2)), forget=RULE)

    found = export.messages[0]
    cleaned = f"hey {PLACEHOLDER} and https://{PLACEHOLDER} so {PLACEHOLDER} said{PLACEHOLDER}!"
    assert found["text"] == cleaned
    marked = [
        (mark["type"], found["text"][mark["offset"] : mark["offset"] + mark["length"]])
        for mark in found["entities"]
    ]
    assert marked == [
        ("link", f"https://{PLACEHOLDER}"),
        ("italic", f"so {PLACEHOLDER} said"),
        ("text_link", "!"),
    ]
    assert found["entities"][2]["value"] == f"tg://{PLACEHOLDER}"


def test_chat_names_and_paths_lose_their_name(read: Reader) -> None:
    export = read(
        group(row(1, photo="photos/bea_lopez.jpg"), bea(2), name="Bea & friends"), forget=RULE
    )

    assert export.chats[0]["name"] == f"{PLACEHOLDER} & friends"
    assert export.messages[0]["media_path"] == f"photos/{PLACEHOLDER}_lopez.jpg"


def test_service_entries_are_only_counted_where_somebody_is_forgotten(read: Reader) -> None:
    joined = row(5, type="service", action="join_group_by_link", actor="Bea Lopez")

    export = read(group(row(1), bea(2), joined), forget=RULE)

    assert {"id": "telegram:chat7", "reason": "service", "items": 1} in export.dropped
    assert all(found["id"] == "telegram:chat7" for found in export.dropped)


def test_a_forgotten_owner_leaves_an_export_without_owner(read: Reader) -> None:
    account = {
        "personal_information": {"user_id": 2, "first_name": "Bea", "last_name": "Lopez"},
        "chats": {"list": [group(row(1), bea(2))]},
    }

    export = read(account, forget=RULE)

    assert export.metadata["owner_id"] is export.metadata["owner_name"] is None
    assert not any(found["is_owner"] for found in export.messages)


def test_somebody_without_an_id_is_known_by_name(read: Reader) -> None:
    old = row(2, name="Bea Lopez") | {"from_id": None}

    export = read(group(row(1), old), forget=RULE)

    assert export.ids == ["telegram:chat7:1"]


def test_others_of_the_same_first_name_keep_their_names(read: Reader) -> None:
    export = read(group(row(1, name="Bea Smith", sender=5), bea(2)), forget=RULE)

    assert export.messages[0]["sender_name"] == "Bea Smith"


def test_files_that_overlap_leave_no_earlier_version_of_theirs(read: Reader) -> None:
    first = group(row(1), bea(2, "first"), row(3))
    second = group(bea(2, "edited", edited_unixtime="1900000000"), row(3), row(4))

    export = read(first, second, forget=RULE)

    assert export.ids == [f"telegram:chat7:{number}" for number in (1, 3, 4)]
    assert export.counts == {"forgotten": 1, "duplicate": 1}
    assert "telegram:chat7:2" not in values(export)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    senders=st.lists(st.sampled_from([1, 1, 2, 3]), min_size=2, max_size=30).filter(
        lambda chosen: 1 in chosen
    ),
    order=st.randoms(use_true_random=False),
    split=st.integers(0, 30),
)
def test_forgetting_gives_the_bytes_of_an_export_in_which_they_never_were(
    read: Reader, senders: list[int], order: Any, split: int
) -> None:
    messages = [
        row(number, f"text {number}", sender=sender, name=f"N{sender}")
        for number, sender in enumerate(senders, 1)
    ]
    order.shuffle(messages)
    rule = ForgetSettings(people={BEA: ForgottenPerson(names=("N2",))})

    def files(*, without: bool) -> list[Row]:
        kept = [
            [m for m in part if not (without and m["from_id"] == "user2")]
            for part in (messages[:split], messages[split:])
        ]
        return [group(*part) for part in kept]

    forgotten = read(*files(without=False), forget=rule, owner="telegram:user1")
    never = read(*files(without=True), owner="telegram:user1")

    assert forgotten.messages == never.messages
    assert forgotten.digests[1] == never.digests[1]
    assert [c | {"dropped_count": 0} for c in forgotten.chats] == [
        c | {"dropped_count": 0} for c in never.chats
    ]


NAMED = st.sampled_from(["Bea Lopez", "bea", "BEA  LOPEZ", "@bea", "@BEA", "telegram:user2"])
FILLER = st.sampled_from([" ", ", ", " hi ", " Beate ", "\n", " été ", " 😀 ", "! ", " abea ", "."])
KIND = st.sampled_from(["plain", "bold", "italic", "link", "text_link", "mention_name"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(pieces=st.lists(st.tuples(FILLER, NAMED, FILLER, KIND, st.booleans()), max_size=6))
def test_nothing_of_a_text_is_lost_but_the_names_and_marks_stay_on_their_words(
    read: Reader, pieces: list[tuple[str, str, str, str, bool]]
) -> None:
    parts: list[dict[str, Any]] = []
    for before, name, after, kind, together in pieces:
        texts = [f"{before}{name}{after}"] if together else [before, name, after]
        mark: dict[str, Any] = {"href": "https://t.me/bea"} if kind == "text_link" else {}
        if kind == "mention_name":
            mark, texts = {"user_id": 2}, texts if not together else [before, name, after]
        kinds = [kind] * len(texts) if kind != "mention_name" else ["plain", kind, "plain"]
        for said, text in zip(kinds, texts, strict=True):
            parts.append({"type": said, "text": text, **(mark if said != "plain" else {})})

    export = read(group(row(1, parts), bea(2), row(3)), forget=RULE)

    found = export.messages[0]
    expected = "".join(f"{before}{PLACEHOLDER}{after}" for before, _, after, *_ in pieces)
    assert found["text"] == expected
    for mark in found["entities"] or ():
        assert 0 <= mark["offset"] < mark["offset"] + mark["length"] <= len(expected)
        assert mark["type"] != "mention_name"
        words = expected[mark["offset"] : mark["offset"] + mark["length"]]
        assert words.count("[") == words.count("]")
        assert "bea" not in (mark["value"] or "").split("/")
    assert RULE.people[BEA].names[0] not in values(export)
    assert "user2" not in values(export)
