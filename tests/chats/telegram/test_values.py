"""What becomes of the fields of a message."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import SettingsError

Make = Callable[..., Any]


@pytest.fixture
def one(read: Make, make_chat: Make, make_message: Make) -> Make:
    """Read one message among others, given by its fields, and return its row."""

    def run(*text: object, **more: Any) -> Any:
        settings = {"time_zone": more.pop("time_zone", "UTC")}
        row = make_message(5, *text, **more)
        export = read(make_chat(make_message(1), row, make_message(3000)), **settings)
        (found,) = (r for r in export.messages if r["message_id"].endswith(":5"))
        return found

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a\u0000\n👍🏽", "a\u0000\n👍🏽"),
        (["a", {"type": "bold", "text": "b"}, "c"], "abc"),
        (["a", 5, None, {"type": "bold"}, {"text": ["x"]}, "c"], "ac"),
        (None, ""),
        (12, ""),
        ({"type": "bold", "text": "b"}, ""),
    ],
)
def test_text_of_any_shape_becomes_a_string(text: object, expected: str, one: Make) -> None:
    assert one(text)["text"] == expected


def test_entities_count_code_points_and_keep_their_value(one: Make) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "plain", "text": "👍🏽 "},
        {"type": "text_link", "text": "here", "href": "https://example.org"},
        {"type": "mention_name", "text": "Bo", "user_id": 12},
        {"type": "pre", "text": "x", "language": ""},
        {"type": "pre", "text": "y", "language": "python"},
        {"type": "custom_emoji", "text": "😀", "document_id": "(File not included.)"},
        {"type": "custom_emoji", "text": "😀", "document_id": 55},
        {"type": "bold", "text": ""},
    ]

    row = one(["".join(part["text"] for part in parts)], text_entities=parts)

    assert [tuple(entity.values()) for entity in row["entities"]] == [
        ("text_link", 3, 4, "https://example.org"),
        ("mention_name", 7, 2, "12"),
        ("pre", 9, 1, None),
        ("pre", 10, 1, "python"),
        ("custom_emoji", 11, 1, None),
        ("custom_emoji", 12, 1, "55"),
    ]


def test_entities_that_tell_another_text_give_way_to_the_text(one: Make) -> None:
    other = [{"type": "italic", "text": "something else"}]

    assert one("plain", text_entities=other)["entities"] is None
    assert one(["a", {"type": "bold", "text": "b"}], text_entities=other)["entities"] == [
        {"type": "bold", "offset": 1, "length": 1, "value": None}
    ]


@pytest.mark.parametrize("parts", [[], None, 5, "x", [{"type": "plain", "text": "t"}], [5, None]])
def test_entities_without_marks_are_null(parts: object, one: Make) -> None:
    row = one("t", text_entities=parts)

    assert (row["text"], row["entities"]) == ("t", None)


def test_entities_mark_a_text_given_as_one_string(one: Make) -> None:
    row = one("hi", text_entities=[{"type": "spoiler", "text": "hi"}])

    assert row["entities"] == [{"type": "spoiler", "offset": 0, "length": 2, "value": None}]


@pytest.mark.parametrize(
    ("fields", "kind", "path"),
    [
        ({"photo": "photos/1.jpg"}, "photo", "photos/1.jpg"),
        ({"photo": "(File not included. Change data exporting settings.)"}, "photo", None),
        ({"file": "files/a.pdf"}, "file", "files/a.pdf"),
        ({"file": "files/a.webp", "media_type": "sticker"}, "sticker", "files/a.webp"),
        ({"file": "(File exceeds maximum size.)", "media_type": "animation"}, "animation", None),
        ({"contact_information": {"phone_number": "+1"}}, "contact", None),
        ({"location_information": None}, "location", None),
        ({"location_information": {"latitude": 1}}, "location", None),
        ({"place_name": "Bar", "location_information": {}}, "venue", None),
        ({"game_title": "g"}, "game", None),
        ({"invoice_information": "{}"}, "invoice", None),
        ({"poll": {"question": "?"}}, "poll", None),
        ({"todo_list": {}}, "todo_list", None),
        ({"giveaway_information": {}}, "giveaway", None),
        ({"giveaway_results": {}}, "giveaway_results", None),
        ({"voice_message": "(File not included.)"}, "voice_message", None),
        ({"photo": 5}, "photo", None),
        ({"media_type": 5}, None, None),
        ({}, None, None),
    ],
)
def test_media_without_text_is_kept_with_kind_and_path(
    fields: dict[str, Any], kind: str | None, path: str | None, one: Make
) -> None:
    row = one("", **fields)

    assert (row["text"], row["media_kind"], row["media_path"]) == ("", kind, path)


@pytest.mark.parametrize(
    ("reactions", "expected"),
    [
        ([{"type": "emoji", "count": 3, "emoji": "🔥"}], [("🔥", 3)]),
        ([{"type": "custom_emoji", "count": 1, "document_id": "9"}], [("custom_emoji:9", 1)]),
        ([{"type": "custom_emoji", "count": 1, "document_id": "(x)"}], [("custom_emoji", 1)]),
        (
            [{"type": "paid", "count": 2}, {"type": "empty", "count": 0}],
            [("paid", 2), ("empty", 0)],
        ),
        ([{"type": "emoji", "count": "3", "emoji": "🔥"}], [("🔥", 1)]),
        ([{"type": "emoji"}, 5, None], None),
        ([], None),
        ({"type": "emoji"}, None),
    ],
)
def test_reactions_become_names_and_counts(reactions: object, expected: object, one: Make) -> None:
    found = one(reactions=reactions)["reactions"]

    assert (found and [tuple(item.values()) for item in found]) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"forwarded_from": "News"}, "News"),
        ({"forwarded_from": None}, ""),
        ({"forwarded_from": None, "saved_from": "Bea"}, ""),
        ({"saved_from": "Bea"}, "Bea"),
        ({"forwarded_from": 5}, None),
        ({}, None),
    ],
)
def test_forward_names_its_origin_or_stays_empty(
    fields: dict[str, Any], expected: str | None, one: Make
) -> None:
    assert one(**fields)["forwarded_from"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reply_to_message_id": 1}, "telegram:user2:1"),
        ({"reply_to_message_id": "1"}, "telegram:user2:1"),
        ({"reply_to_message_id": 8, "reply_to_peer_id": "channel6"}, "telegram:channel6:8"),
        ({"reply_to_peer_id": "channel6"}, None),
        ({"reply_to_message_id": [1]}, None),
        ({}, None),
    ],
)
def test_reply_names_a_message_of_its_chat_or_of_another(
    fields: dict[str, Any], expected: str | None, one: Make
) -> None:
    assert one(**fields)["reply_to_id"] == expected


@pytest.mark.parametrize(
    ("from_id", "expected"),
    [
        ("user1", "telegram:user1"),
        ("channel5", "telegram:channel5"),
        ("userA9", "telegram:userA9"),
        ((1 << 32) | 77, "telegram:user77"),
        ((2 << 32) | 77, "telegram:chat77"),
        (77, "telegram:user77"),
        ("77", "telegram:user77"),
    ],
)
def test_sender_id_of_any_age_names_the_peer(from_id: object, expected: str, one: Make) -> None:
    assert one(from_id=from_id)["sender_id"] == expected


def test_sender_without_id_gets_one_from_the_name(one: Make, absent: object) -> None:
    named, nobody = one(from_id=absent), one(from_id=[], from_=None)

    assert named["sender_id"].startswith("telegram:name:")
    assert named["sender_name"] == "Ann"
    assert (nobody["sender_id"], nobody["sender_name"], nobody["is_owner"]) == (None, None, False)


def test_personal_chat_with_old_numbers_is_the_peer_who_writes_in_it(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    old = (1 << 32) | 2

    export = read(
        make_chat(make_message(1, from_id=(1 << 32) | 1), make_message(2, from_id=old), id=old)
    )

    assert export.chats[0]["chat_id"] == "telegram:user2"
    assert export.metadata["owner_id"] == "telegram:user1"


def test_modern_large_chat_number_stays_as_it_is(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1), id=5_000_000_000))

    assert export.chats[0]["chat_id"] == "telegram:user5000000000"


UTC_TIME = dt.datetime(2021, 7, 1, 10, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "clock", "zone", "expected"),
    [
        ("1625133600", "2021-07-01T23:00:00", "UTC", UTC_TIME),
        (1625133600, None, "UTC", UTC_TIME),
        (1625133600.5, None, "UTC", UTC_TIME + dt.timedelta(seconds=0.5)),
        (None, "2021-07-01T18:00:00", "Asia/Singapore", UTC_TIME),
        (None, "2021-07-01T12:00:00", "Europe/Berlin", UTC_TIME),
        (None, "2021-07-01T10:00:00", "utc", UTC_TIME),
        (None, "2021-07-01T12:00:00+02:00", "Asia/Singapore", UTC_TIME),
        ("soon", "2021-07-01T10:00:00", "UTC", UTC_TIME),
    ],
)
def test_time_is_utc_from_seconds_or_else_from_the_clock(
    seconds: object, clock: object, zone: str, expected: dt.datetime, one: Make
) -> None:
    row = one(date_unixtime=seconds, date=clock, time_zone=zone)

    assert row["sent_at"] == expected


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [
        (None, None),
        ("0", "1970-01-01T00:00:00"),
        (True, "yesterday"),
        (10**30, None),
        ("9" * 400, None),
        ("9" * 5000, None),
        (-5, "0001-01-01T00:00:00"),
    ],
)
def test_message_without_usable_time_is_dropped(
    seconds: object, clock: object, read: Make, make_chat: Make, make_message: Make
) -> None:
    row = make_message(7, date_unixtime=seconds, date=clock)

    export = read(make_chat(make_message(1), row))

    assert export.dropped == [{"id": "telegram:user2:7", "reason": "no_date", "items": 1}]


def test_local_times_are_counted_and_warned_of(
    read: Make, make_chat: Make, make_message: Make, absent: object
) -> None:
    rows = [make_message(number, date_unixtime=absent) for number in (1, 2)]

    export = read(make_chat(*rows, make_message(3)), time_zone="Asia/Singapore")

    assert export.metadata["local_times"] == 2
    assert any(
        "2 messages" in text and "Asia/Singapore" in text for text in export.metadata["warnings"]
    )


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "a\x00b"])
def test_unknown_time_zone_is_a_settings_error(
    name: str, read: Make, make_chat: Make, make_message: Make
) -> None:
    with pytest.raises(SettingsError, match=r"messages\.time_zone"):
        read(make_chat(make_message(1)), time_zone=name)


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({"edited_unixtime": "1704070800"}, 60),
        ({"edited": "2024-01-01T01:00:00"}, 60),
        ({"edited": "1970-01-01T01:00:00"}, None),
        ({"edited": 5}, None),
    ],
)
def test_edit_time_is_read_unless_it_is_a_placeholder(
    fields: dict[str, Any], minutes: int | None, one: Make
) -> None:
    expected = minutes and dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)

    assert one(**fields)["edited_at"] == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "service", "action": "phone_call"}, "service"),
        ({"type": None, "action": "phone_call"}, "service"),
        ({"type": "unsupported"}, "unsupported"),
    ],
)
def test_message_of_another_type_is_dropped_with_its_reason(
    fields: dict[str, Any], reason: str, read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1), make_message(7, **fields)))

    assert export.dropped == [{"id": "telegram:user2:7", "reason": reason, "items": 1}]
    assert export.chats[0]["dropped_count"] == 1


@pytest.mark.parametrize("kind", [None, "something_new", ["message"]])
def test_message_of_unknown_type_is_kept(kind: object, one: Make) -> None:
    assert one("kept", type=kind)["text"] == "kept"


@pytest.mark.parametrize("number", ["abc", "007", 10**25, "-"])
def test_message_id_that_is_no_number_is_kept_as_it_is(
    number: object, read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1), make_message(2, id=number)))

    assert export.ids == ["telegram:user2:1", f"telegram:user2:{number}"]
