"""What rows of a dump become: chats, people, texts, and what belongs to them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import InputChangedError, InputError
from tests.chats.signal.dumps import (
    BEA,
    CYD,
    GROUP,
    ME,
    START,
    VERSIONS,
    csv_of,
    dump,
    recipient,
    row,
)

Make = Callable[..., Any]
TALK = [
    row(1, "hi, Ann"),
    row(2, 'she said "hi"\nand left', sender=ME),
    row(3, "all: of you", sender=CYD, thread_id=2),
    row(4, "yes", sender=ME, thread_id=2, to_recipient_id=GROUP),
    row(5, "me too", sender=BEA, thread_id=2),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_schema_gives_the_same_messages(version: str, read: Make) -> None:
    quoting = row(6, "sure", thread_id=1, quote_id=START + 2 * 60_000, quote_author=ME)
    export = read(dump([*TALK, quoting], VERSIONS[version]))

    assert [
        (m["message_id"], m["sender_id"], m["sender_name"], m["is_owner"], m["text"])
        for m in export.messages
    ] == [
        ("signal:1:1", "signal:user3", "Bea", False, "hi, Ann"),
        ("signal:1:2", "signal:user2", "Ann Tan", True, 'she said "hi"\nand left'),
        ("signal:1:6", "signal:user3", "Bea", False, "sure"),
        ("signal:2:3", "signal:user4", "Cyd", False, "all: of you"),
        ("signal:2:4", "signal:user2", "Ann Tan", True, "yes"),
        ("signal:2:5", "signal:user3", "Bea", False, "me too"),
    ]
    assert export.column("reply_to_id")[2] == "signal:1:2"
    assert [(c["chat_id"], c["name"], c["kind"], c["source"]) for c in export.chats] == [
        ("signal:1", "Bea", "personal_chat", "signal"),
        ("signal:2", "Hikers", "private_group", "signal"),
    ]
    assert export.metadata["owner_id"] == "signal:user2"
    assert export.metadata["owner_basis"] == "sent_messages"
    assert export.messages[0]["sent_at"].timestamp() * 1000 == START + 60_000
    assert export.counts == {}


def test_plain_text_messages_have_a_table_and_ids_of_their_own(read: Make) -> None:
    version = VERSIONS["before 166"]
    picture = row(1, "look", quote_id=START + 60_000, quote_author=BEA, date_sent=START + 120_000)
    files = dump([picture], version)
    text = {
        "_id": 1,
        "thread_id": 1,
        "address": BEA,
        "date": START + 61_000,
        "date_sent": START + 60_000,
        "type": row(1)["type"],
        "body": "first",
    }
    files["sms.csv"] = csv_of([text])
    files["reaction.csv"] = csv_of(
        [
            {"_id": 1, "message_id": 1, "is_mms": 0, "author_id": ME, "emoji": "👍"},
            {"_id": 2, "message_id": 1, "is_mms": 1, "author_id": ME, "emoji": "❤️"},
        ]
    )

    export = read(files)

    assert export.ids == ["signal:1:sms1", "signal:1:1"]
    assert export.texts == ["first", "look"]
    assert export.column("reply_to_id") == [None, "signal:1:sms1"]
    assert [found[0]["reaction"] for found in export.column("reactions")] == ["👍", "❤️"]


def test_owner_of_an_old_dump_without_quotes_is_known_as_self_or_by_the_setting(
    read: Make,
) -> None:
    files = dump(TALK[:2], VERSIONS["166-184"])

    unknown, by_id, by_name = (
        read(files),
        read(files, owner="signal:2"),
        read(files, owner="Ann Tan"),
    )

    assert unknown.column("sender_id") == ["signal:user3", "signal:self"]
    assert unknown.column("is_owner") == [False, True]
    assert (
        by_id.column("sender_id") == by_name.column("sender_id") == ["signal:user3", "signal:user2"]
    )
    assert by_id.messages[1]["sender_name"] == "Ann Tan"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"nickname_joined_name": "Bee", "system_joined_name": "B. Bo"}, "Bee"),
        ({"system_joined_name": "B. Bo", "profile_joined_name": "bea"}, "B. Bo"),
        ({"profile_joined_name": "bea", "profile_given_name": "b"}, "bea"),
        ({"profile_given_name": "b", "username": "bea.01"}, "b"),
        ({"profile_joined_name": " ", "username": "bea.01"}, "bea.01"),
        ({"system_joined_name": "+1 202-555-0103", "profile_given_name": "b"}, "b"),
        ({}, "signal:user3"),
    ],
)
def test_names_follow_the_order_of_the_app_and_never_are_numbers_of_phones(
    names: dict[str, str], expected: str, read: Make
) -> None:
    export = read(dump([row(1)], recipient=[recipient(ME), recipient(BEA, **names)]))

    assert export.column("sender_name") == [expected]
    assert export.chats[0]["name"] == expected


def test_nothing_of_keys_numbers_and_notes_gets_past_reading(read: Make) -> None:
    export = read(dump(TALK))

    written = repr((export.chats, export.messages, export.metadata))
    for secret in ("2025550", "c2VjcmV0", "private note", "00000000-0000"):
        assert secret not in written


def test_messages_without_any_other_table_have_ids_for_names(read: Make) -> None:
    files = {"message.csv": dump(TALK)["message.csv"]}

    export = read(files)

    assert export.column("sender_name")[:2] == ["signal:user3", "signal:user2"]
    assert [(c["name"], c["kind"]) for c in export.chats] == [
        ("signal:user3", "personal_chat"),
        (None, "private_group"),
    ]
    assert read({"anything.csv": files["message.csv"]}).digests == export.digests


def test_mentions_become_names_where_they_stand_in_utf16(read: Make) -> None:
    files = dump(
        [row(1, "😀 \ufffc and \ufffc!", sender=ME)],
        mention=[
            {"_id": 2, "message_id": 1, "recipient_id": CYD, "range_start": 9, "range_length": 1},
            {"_id": 1, "message_id": 1, "recipient_id": BEA, "range_start": 3, "range_length": 1},
            {"_id": 3, "message_id": 1, "recipient_id": BEA, "range_start": 99, "range_length": 1},
        ],
    )

    export = read(files)

    assert export.texts == ["😀 @Bea and @Cyd!"]
    assert export.messages[0]["entities"] == [
        {"type": "mention_name", "offset": 2, "length": 4, "value": "signal:user3"},
        {"type": "mention_name", "offset": 11, "length": 4, "value": "signal:user4"},
    ]


def proto(*ranges: dict[int, int | str]) -> str:
    """`BodyRangeList` in base64, from the numbers and values of fields; all are small."""
    content = b""
    for fields in ranges:
        inner = b""
        for number, value in fields.items():
            if isinstance(value, int):
                inner += bytes([number << 3, value])
            else:
                inner += bytes([number << 3 | 2, len(value)]) + value.encode()
        content += bytes([1 << 3 | 2, len(inner)]) + inner
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("version", ["current", "before 166"])
def test_styles_stand_where_they_stood_before_names_came_in(version: str, read: Make) -> None:
    ranges = proto(
        {2: 2, 4: 0},  # a start of 0 is not written
        {1: 3, 2: 5, 4: 2},
        {1: 4, 2: 4, 5: "https://example.com"},
        {1: 3, 2: 1, 3: "a mention"},
        {1: 90, 2: 1, 4: 1},
        {1: 0, 2: 1, 4: 99},
    )
    files = dump(
        [row(1, "😀 \ufffc now", message_ranges=ranges), row(2, "x", message_ranges="AAAA")],
        VERSIONS[version],
        mention=[
            {"_id": 1, "message_id": 1, "recipient_id": CYD, "range_start": 3, "range_length": 1}
        ],
    )

    export = read(files)

    assert export.texts == ["😀 @Cyd now", "x"]
    assert [tuple(mark.values()) for mark in export.messages[0]["entities"]] == [
        ("bold", 0, 1, None),
        ("spoiler", 2, 8, None),
        ("mention_name", 2, 4, "signal:user4"),
        ("text_link", 6, 4, "https://example.com"),
    ]
    assert export.messages[1]["entities"] is None


def test_quotes_are_found_by_time_author_and_thread(read: Make) -> None:
    at = START + 60_000
    rows = [
        row(1, "of Cyd", sender=CYD, thread_id=2, date_sent=at),
        row(2, "of Bea", thread_id=2, date_sent=at),
        row(3, "in another thread", date_sent=at),
        row(4, "answer", sender=ME, thread_id=2, quote_id=at, quote_author=BEA),
        row(5, "of one that is gone", quote_id=at + 1, quote_author=BEA, thread_id=2),
    ]

    export = read(dump(rows))

    replies = dict(zip(export.texts, export.column("reply_to_id"), strict=True))
    assert replies["answer"] == "signal:2:2"
    assert [text for text, reply in replies.items() if reply] == ["answer"]


def test_an_edited_message_stands_where_its_first_version_stood(read: Make) -> None:
    rows = [
        row(4, "thee", original_message_id=1, revision_number=2),
        row(1, "teh", latest_revision_id=4, revision_number=0),
        row(2, "between"),
        row(3, "the", latest_revision_id=4, original_message_id=1, revision_number=1),
        row(5, "so", sender=ME, quote_id=START + 60_000, quote_author=BEA),
    ]

    export = read(dump(rows))

    assert export.texts == ["thee", "between", "so"]
    assert export.ids[0] == "signal:1:4"
    assert export.messages[0]["sent_at"].timestamp() * 1000 == START + 60_000
    assert export.messages[0]["edited_at"].timestamp() * 1000 == START + 4 * 60_000
    assert export.messages[2]["reply_to_id"] == "signal:1:4"
    assert export.counts == {"old_revision": 2}


def test_reactions_are_counted_and_media_are_named_by_kind(read: Make) -> None:
    rows = [row(number, "") for number in range(1, 9)]
    kinds: list[dict[str, Any]] = [
        {"content_type": "image/jpeg"},
        {"content_type": "video/mp4", "video_gif": 1},
        {"content_type": "audio/aac", "voice_note": "1.0"},
        {"content_type": "image/webp", "sticker_pack_id": "ab"},
        {"content_type": "application/pdf"},
        {"content_type": "text/x-signal-plain"},
        {"content_type": "image/jpeg", "quote": 1},
    ]
    columns = {"voice_note": 0, "video_gif": 0, "sticker_pack_id": None, "quote": 0}
    attachments = [
        {"_id": number, "message_id": number, **columns, **kind}
        for number, kind in enumerate(kinds, 1)
    ]
    files = dump(
        [*rows[:-1], row(8, "", shared_contacts='[{"name":1}]')],
        attachment=attachments,
        reaction=[
            {"_id": number, "message_id": 2, "author_id": number, "emoji": emoji}
            for number, emoji in enumerate(["😂", "👍", "👍"], 1)
        ],
    )

    export = read(files)

    assert export.column("media_kind") == [
        "photo", "animation", "voice_message", "sticker", "file", None, None, "contact",
    ]  # fmt: skip
    assert export.messages[1]["reactions"] == [
        {"reaction": "👍", "count": 2},
        {"reaction": "😂", "count": 1},
    ]
    assert export.messages[0]["reactions"] is None


def test_numbers_may_look_like_floats(read: Make) -> None:
    plain = dump(TALK)
    floats = [
        {key: f"{value}.0" if isinstance(value, int) else value for key, value in found.items()}
        for found in TALK
    ]

    assert read(plain | {"message.csv": csv_of(floats)}).digests == read(plain).digests


def test_the_owner_is_who_sent_most_and_else_whoever_was_sending(read: Make) -> None:
    sending = row(1, "a", sender=ME, type=0xA00016)

    export = read(dump([sending, row(2, "b")]))
    assert export.column("is_owner") == [True, False]
    assert export.metadata["owner_id"] == "signal:user2"

    rows = [row(2, "b", sender=ME), row(3, "c", sender=ME)]
    rows += [row(n, "x", type=0xA00017, from_recipient_id=CYD) for n in (1, 4)]
    export = read(dump([*rows, row(5, "d", sender=ME)]))
    assert export.metadata["owner_id"] == "signal:user2"
    assert all(export.column("is_owner"))


def test_quotes_of_nothing_that_look_like_floats_name_no_owner(read: Make) -> None:
    rows = [row(1, "a", quote_id="0.0", quote_author=BEA), row(2, "b", sender=ME)]
    threads = [{"_id": 1, "recipient_id": CYD}]

    export = read(dump(rows, VERSIONS["166-184"], thread=threads))

    assert export.metadata["owner_id"] == "signal:self"


def test_notes_to_self_are_no_chat_with_anybody(read: Make) -> None:
    notes = row(9, "milk", sender=ME, thread_id=7, to_recipient_id=ME)

    export = read(dump([*TALK, notes]))

    assert [chat["chat_id"] for chat in export.chats] == ["signal:1", "signal:2"]
    assert export.dropped == [{"id": "signal:7", "reason": "chat_kind", "items": 1}]
    assert read(dump([notes])).chats[0]["kind"] == "saved_messages"


def test_a_chat_in_which_the_owner_never_wrote_has_no_owner_guessed_from_numbers(
    read: Make,
) -> None:
    """Thread and recipient have the same number here, and are not the same."""
    export = read(dump([row(1, thread_id=BEA)], thread=[{"_id": BEA, "recipient_id": BEA}]))

    assert export.metadata["owner_id"] is None
    export = read(dump([row(1)]))
    assert export.column("is_owner") == [False]


def test_dumps_in_several_folders_join_by_id(read: Make) -> None:
    old, new = dump(TALK[:3]), dump([row(1, "hi, Ann"), *TALK[1:]])
    files = {f"2024/{name}": content for name, content in old.items()}
    files |= {f"2025/{name}": content for name, content in new.items()}

    export = read(files)

    assert export.texts == read(new).texts
    assert export.counts == {"duplicate": 3}


def test_a_table_that_stands_under_both_its_names_is_read_once(read: Make) -> None:
    files = dump(TALK)

    export = read(files | {"signal.csv": files["message.csv"]})

    assert export.counts == {}
    assert export.digests == read(files).digests


def test_a_dump_that_lacks_columns_is_refused_by_their_names(read: Make) -> None:
    with pytest.raises(InputError, match="no column thread_id, type or msg_box") as caught:
        read({"message.csv": b"_id,date_sent,body,from_recipient_id\n1,1,hi,3\n"})
    assert "Telegram" in caught.value.expected
    assert "Signal" in caught.value.expected


def test_a_file_that_changes_while_it_is_read_is_refused(read: Make) -> None:
    files = dump(TALK)

    with pytest.raises(InputChangedError):
        read(files, listed={"message.csv": b"other"})


def test_whom_a_chat_is_with_takes_part_even_without_an_answer(read: Make) -> None:
    export = read(dump([row(1, "hello?", sender=ME)]))

    assert [tuple(person.values()) for person in export.chats[0]["participants"]] == [
        ("signal:user2", "Ann Tan", 1, True),
        ("signal:user3", "Bea", 0, False),
    ]
