"""Order of messages, versions of one message, chats in several files."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]


def numbers(export: Any) -> list[str]:
    return [message_id.rsplit(":", 1)[1] for message_id in export.ids]


def test_rows_are_ordered_by_time_then_number(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    same = {"date_unixtime": "1704067320"}
    rows = [make_message(number, **same) for number in (10, 9, 100)]

    export = read(make_chat(make_message(3), *rows, make_message(1)))

    assert numbers(export) == ["1", "9", "10", "100", "3"]


@pytest.mark.parametrize(("count", "window_bytes"), [(199, 50), (9001, 1 << 17)])
def test_shuffled_chat_gives_bytes_of_the_ordered_one(
    count: int, window_bytes: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    rows = [make_message(number, f"text {number}") for number in range(1, count + 1)]
    shuffled = [rows[(index * 71) % count] for index in range(count)]

    export = read(make_chat(*shuffled), window_bytes=window_bytes)

    assert export.digests == read(make_chat(*rows)).digests


def test_same_message_twice_is_one_and_counted(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1), make_message(2), make_message(2)))

    assert numbers(export) == ["1", "2"]
    assert export.dropped == [{"id": "telegram:user2:2", "reason": "duplicate", "items": 1}]
    chat = export.chats[0]
    assert (chat["message_count"], chat["dropped_count"]) == (2, 1)
    assert chat["participants"][0]["messages"] == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_overlapping_files_join_and_the_latest_edit_wins(
    order: tuple[int, int], read: Make, make_chat: Make, make_message: Make
) -> None:
    files = [
        make_chat(make_message(1), make_message(2, "new", edited_unixtime="1704070800")),
        make_chat(make_message(2, "old", edited_unixtime="1704070700"), make_message(3)),
    ]

    export = read(*(files[index] for index in order))

    assert numbers(export) == ["1", "2", "3"]
    assert export.texts == ["hi", "new", "hi"]
    assert export.counts == {"duplicate": 1}


def test_unedited_message_in_two_files_counts_as_in_the_later(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(
        make_chat(make_message(1, from_="Annie"), name="Old name"),
        make_chat(make_message(1, from_="Ann"), name="New name"),
    )

    assert [row["sender_name"] for row in export.messages] == ["Ann"]
    assert export.chats[0]["name"] == "New name"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_id_with_other_contents_is_two_messages(
    order: tuple[int, int], read: Make, make_chat: Make, make_message: Make
) -> None:
    rows = [
        make_message(5, "from the group", date_unixtime="1600000000"),
        make_message(5, "from the supergroup"),
    ]

    export = read(make_chat(*(rows[index] for index in order)))

    assert export.texts == ["from the group", "from the supergroup"]
    assert numbers(export)[0] == "5"
    assert numbers(export)[1].startswith("5~")
    assert export.digests == read(make_chat(*rows)).digests
    assert export.dropped == []


def test_messages_without_ids_keep_file_order_and_number_repeats(
    read: Make, make_chat: Make, make_message: Make, absent: object
) -> None:
    texts = ["b", "a", "ok", "ok", "ok"]
    rows = [make_message(1, text, id=absent) for text in texts]

    export = read(make_chat(*rows))

    assert export.texts == texts
    base = numbers(export)[2]
    assert base.startswith("h")
    assert numbers(export)[3:] == [f"{base}.2", f"{base}.3"]
    assert len(set(export.ids)) == 5


def test_messages_without_ids_join_across_files(
    read: Make, make_chat: Make, make_message: Make, absent: object
) -> None:
    rows = [make_message(1, text, id=absent) for text in ("ok", "ok", "a")]

    export = read(make_chat(*rows[:2]), make_chat(*rows))

    assert export.texts == ["ok", "ok", "a"]
    assert export.counts == {"duplicate": 2}
    assert export.dropped[1]["id"] == f"{export.dropped[0]['id']}.2"


def test_labels_and_numbers_live_in_one_chat(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(
        make_chat(
            make_message(2, id="b"),
            make_message(2, id="a"),
            make_message(2),
            make_message(2, id="b"),
        )
    )

    assert numbers(export) == ["2", "a", "b"]


def test_participants_are_counted_under_their_latest_name(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(
        make_chat(
            make_message(1, from_="Ann"),
            make_message(2, from_id="user9", from_="Zoe"),
            make_message(3, from_id="user8", from_=None),
            make_message(4, from_="Ann Tan"),
            make_message(5, from_=None),
        )
    )

    assert [tuple(row.values())[:3] for row in export.chats[0]["participants"]] == [
        ("telegram:user1", "Ann Tan", 3),
        ("telegram:user8", None, 1),
        ("telegram:user9", "Zoe", 1),
    ]


def test_chat_in_both_lists_of_an_account_is_one_whatever_comes_first(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    chats = {"list": [make_chat(make_message(1), make_message(2), name="Now")]}
    left = {"list": [make_chat(make_message(2, "other"), make_message(3), name="Then")]}

    one = read({"chats": chats, "left_chats": left})
    two = read({"left_chats": left, "chats": chats})

    assert numbers(one) == ["1", "2", "3"]
    assert one.digests == two.digests
