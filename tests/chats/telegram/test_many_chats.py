"""Accounts of many chats: those that are read together give what each read by itself would.

Minified, an account is always read chat by chat; with line ends, many at once where that is sure.
"""

import json
from typing import Any

import pytest

MANY = 300
Chats = list[Any]


@pytest.fixture
def chats(make_message: Any) -> Chats:
    def chat(number: int) -> dict[str, Any]:
        messages = [
            make_message(at, f"{number} and {at}", from_id=f"user{at % 3}", from_=f"Person {at}")
            for at in range(1, 2 + number % 7)
        ]
        return {"name": f"Chat {number}", "type": "personal_chat", "id": number} | {
            "messages": messages
        }

    return [chat(number) for number in range(1, MANY)]


def as_account(chats: Chats, *, indent: int | None) -> bytes:
    separators = (",", ":") if indent is None else None
    content = {"chats": {"list": chats}}
    return json.dumps(content, indent=indent, separators=separators).encode()


def assert_layouts_agree(read: Any, chats: Chats, **settings: Any) -> Any:
    apart = read(as_account(chats, indent=None), **settings)
    together = read(as_account(chats, indent=1), **settings)
    assert together == apart
    for window_bytes in (1 << 12, 1 << 14):
        assert read(as_account(chats, indent=1), window_bytes=window_bytes, **settings) == apart
    return together


@pytest.mark.parametrize("workers", [0, 1])
def test_account_many_short_chats_gives_each_its_own_messages(
    read: Any, chats: Chats, workers: int
) -> None:
    found = assert_layouts_agree(read, chats, workers=workers)
    assert len(found.chats) == len(chats)
    assert found.texts.count("7 and 1") == 1


def test_account_odd_elements_among_many_are_read_as_they_would_be_alone(
    read: Any, chats: Chats, make_message: Any
) -> None:
    chats[10] = {"name": "No messages", "type": "personal_chat", "id": 5_000}
    chats[20] = "no chat"
    chats[30]["messages"] = []
    chats[40]["messages"][0]["text"] = "messages"
    chats[50]["messages"] = ["no message", make_message(1, None), make_message(2, {"text": 3})]
    chats[60] |= {"name": ["no name"], "type": 7, "id": None}
    chats[70]["messages"][0] |= {"id": "not a number", "from_id": 4_295_000_001}
    chats[80]["messages"][0] |= {"date_unixtime": None, "date": "never"}
    chats[90]["messages"].reverse()
    chats[100] |= {"id": chats[101]["id"]}
    found = assert_layouts_agree(read, chats)
    assert "messages" in found.texts
    assert found.counts["unreadable"] >= 1
    assert found.counts["no_date"] == 1


def test_account_chats_of_other_kinds_among_many_are_counted_and_left_out(
    read: Any, chats: Chats
) -> None:
    for chat in chats[::5]:
        chat["type"] = "public_channel"
    chats[3] = {key: chats[3][key] for key in ("messages", "type", "id", "name")}
    chats[5] = {key: chats[5][key] for key in ("messages", "type", "id", "name")}
    found = assert_layouts_agree(read, chats)
    left_out = sum(len(chat["messages"]) for chat in chats[::5])
    assert found.counts["chat_kind"] == left_out


def test_account_long_chats_among_short_ones_keeps_the_order_of_all(
    read: Any, chats: Chats, make_message: Any
) -> None:
    for at in (0, 77, 78, len(chats) - 1):
        chats[at]["messages"] = [make_message(number, "long") for number in range(1, 400)]
    found = assert_layouts_agree(read, chats)
    assert found.texts.count("long") == 4 * 399


def test_account_chat_with_messages_twice_loses_none(
    read: Any, chats: Chats, make_message: Any
) -> None:
    content = as_account(chats, indent=1)
    first = json.dumps([make_message(99, "twice")]).encode()
    at = content.index(b'"name": "Chat 200"')
    found = read(content[:at] + b'"messages": ' + first + b",\n" + content[at:])
    assert "twice" in found.texts
    assert "200 and 1" in found.texts


def test_account_long_chats_of_other_kinds_are_counted_wherever_they_are_cut(
    read: Any, chats: Chats, make_message: Any
) -> None:
    long = [make_message(number, "long") for number in range(1, 400)]
    chats[7] |= {"type": "public_channel", "messages": long}
    chats[8] = {"messages": long, "type": "public_channel", "id": 8, "name": "Kind comes last"}
    chats[9] = {"messages": long, "type": "private_group", "id": 9, "name": "Kind comes last"}
    found = assert_layouts_agree(read, chats)
    assert found.counts["chat_kind"] == 2 * 399
    assert found.texts.count("long") == 399


def test_account_other_lists_in_chats_are_not_taken_for_messages(
    read: Any, chats: Chats, make_message: Any
) -> None:
    others = [make_message(number, "no message") for number in range(1, 200)]
    chats[50] = {"topics": others, **chats[50], "pinned": others}
    chats[51] = {**chats[51], "topics": others}
    chats[52]["messages"][0]["extra"] = others
    found = assert_layouts_agree(read, chats)
    assert "no message" not in found.texts


def test_account_odd_elements_within_long_chats_cost_only_themselves(
    read: Any, chats: Chats, make_message: Any
) -> None:
    for at in (3, 150):
        long: list[Any] = [make_message(number, "long") for number in range(1, 200)]
        long[::40] = ["no message"] * 5
        long[100] = make_message(101, "messages")
        chats[at] |= {"messages": long}
    found = assert_layouts_agree(read, chats)
    assert found.counts["unreadable"] == 10
    assert found.texts.count("long") == 2 * (199 - 6)


@pytest.mark.parametrize("workers", [0, 1])
def test_account_broken_message_in_a_long_chat_is_dropped_alone(
    read: Any, chats: Chats, make_message: Any, workers: int
) -> None:
    long = [make_message(number, "long") for number in range(10, 409)]
    chats[40] |= {"messages": [*long, make_message(409, "BROKEN"), *chats[40]["messages"]]}
    content = as_account(chats, indent=1).replace(b'"BROKEN"', b"oops")
    found = read(content, workers=workers, window_bytes=1 << 14)
    assert found.texts.count("long") == 399
    assert "40 and 1" in found.texts
    assert "299 and 1" in found.texts
    assert found.counts["unreadable"] == 1
    assert found == read(content)


@pytest.mark.parametrize("window_bytes", [1 << 12, 1 << 19])
def test_account_cut_off_within_a_long_chat_keeps_what_is_whole(
    read: Any, chats: Chats, make_message: Any, window_bytes: int
) -> None:
    chats[40] |= {"messages": [make_message(number, "long") for number in range(1, 400)]}
    content = as_account(chats, indent=1)
    end = content.index(b'"id": 250,')
    found = read(content[:end], window_bytes=window_bytes)
    assert found.texts.count("long") == 249
    assert "39 and 1" in found.texts
    assert "is cut off" in found.metadata["warnings"][0]
