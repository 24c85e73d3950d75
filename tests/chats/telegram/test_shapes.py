"""Every shape, key order and layout of an export."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import InputError


def account(*chats: object, left: tuple[object, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 1, "first_name": "Ann", "phone_number": "+1 555 0100"},
        "sessions": {"list": [{"last_ip": "192.0.2.7", "device_model": "Phone"}]},
        "contacts": {"list": [{"first_name": "Bea", "phone_number": "+1 555 0101"}]},
        "chats": {"about": "chats", "list": list(chats)},
        "left_chats": {"about": "left", "list": list(left)},
        **more,
    }


def reversed_keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


LAYOUTS: dict[str, Callable[[object], bytes]] = {
    "indent 1": lambda value: json.dumps(value, indent=1, ensure_ascii=False).encode(),
    "indent 4": lambda value: json.dumps(value, indent=4).encode(),
    "no indent": lambda value: json.dumps(value, indent=0).encode(),
    "minified": lambda value: json.dumps(value, separators=(",", ":")).encode(),
    "one line": lambda value: json.dumps(value).encode(),
    "tabs": lambda value: json.dumps(value, indent="\t").encode(),
    "CRLF": lambda value: json.dumps(value, indent=2).replace("\n", "\r\n").encode(),
    "UTF-8 mark": lambda value: b"\xef\xbb\xbf" + json.dumps(value, indent=1).encode(),
    "sorted": lambda value: json.dumps(value, indent=1, sort_keys=True).encode(),
    "sorted minified": lambda value: json.dumps(
        value, separators=(",", ":"), sort_keys=True
    ).encode(),
    "reversed": lambda value: json.dumps(reversed_keys(value), indent=1).encode(),
    "a line each": lambda value: json.dumps(value).replace("}, {", "},\n{").encode(),
    "blank ends": lambda value: b"\n \t" + json.dumps(value).encode() + b"\r\n\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("window_bytes", [1, 13, 100, 1 << 19])
def test_layout_alone_changed_gives_same_bytes(
    layout: str,
    window_bytes: int,
    read: Callable[..., Any],
    make_chat: Callable[..., Any],
    make_message: Callable[..., Any],
) -> None:
    rich = make_message(
        3,
        ["a ", {"type": "bold", "text": 'b "}],\n ]'}],
        text_entities=[
            {"type": "plain", "text": "a "},
            {"type": "bold", "text": 'b "}],\n ]'},
        ],
        reactions=[
            {
                "type": "emoji",
                "count": 2,
                "emoji": "❤",
                "recent": [{"from": "Bea", "from_id": "user2", "date": "2024-01-01T00:00:00"}] * 2,
            }
        ],
        inline_bot_buttons=[[{"type": "url", "text": "},{\\"}], [{"id": 4}, {"id": 5}]],
    )
    chats = [
        make_chat(make_message(1, '\\"]}\\'), make_message(2, "\\"), rich, make_message(9, "y")),
        make_chat(id=7, name="Cy"),
        make_chat(make_message(1, "other", from_id="user7"), id=7, name="Cy"),
        make_chat(make_message(1), make_message(2), type="public_channel", id=8),
    ]
    export = account(*chats, left=(make_chat(make_message(5), type="private_group", id=9),))

    read_here = read(LAYOUTS[layout](export), window_bytes=window_bytes)

    assert read_here.digests == read(export).digests
    assert len(read_here.messages) == 6


def test_account_read_takes_wanted_kinds_and_stated_owner(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    export = read(
        account(
            make_chat(make_message(1), make_message(2, from_="Bea", from_id="user2")),
            make_chat(make_message(1), make_message(2), id=5, type="public_supergroup"),
            make_chat(make_message(1), id=6, type="a_new_kind"),
            left=(make_chat(make_message(1), id=5, type="private_group", name=None),),
        )
    )

    assert [row["chat_id"] for row in export.chats] == [
        "telegram:chat5",
        "telegram:chat6",
        "telegram:user2",
    ]
    assert export.metadata["owner_id"] == "telegram:user1"
    assert export.metadata["owner_name"] == "Ann"
    assert export.metadata["owner_basis"] == "personal_information"
    assert export.metadata["warnings"] == []
    assert export.dropped == [{"id": "telegram:channel5", "reason": "chat_kind", "items": 2}]
    assert [row["is_owner"] for row in export.messages] == [True, True, True, False]


@pytest.mark.parametrize("messages_first", [False, True])
def test_chat_kind_not_taken_counts_all_its_elements(
    messages_first: bool,
    read: Callable[..., Any],
    make_chat: Callable[..., Any],
    make_message: Callable[..., Any],
) -> None:
    unwanted = make_chat(
        make_message(1), {"type": "service", "id": 2}, None, 5, id=3, type="bot_chat"
    )
    if messages_first:
        unwanted = reversed_keys(unwanted)

    export = read([make_chat(make_message(1)), unwanted])

    assert export.dropped == [{"id": "telegram:user3", "reason": "chat_kind", "items": 4}]


def test_chat_kinds_setting_names_what_is_taken(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    chats = [make_chat(make_message(1)), make_chat(make_message(1), id=3, type="bot_chat")]

    export = read(chats, chat_kinds=("bot_chat",))

    assert [row["kind"] for row in export.chats] == ["bot_chat"]


def test_single_chat_of_any_kind_is_taken(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    export = read(make_chat(make_message(1), type="public_channel"))

    assert [row["chat_id"] for row in export.chats] == ["telegram:channel2"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("personal_chat", "user"),
        ("bot_chat", "user"),
        ("saved_messages", "user"),
        ("replies", "user"),
        ("verification_codes", "user"),
        ("private_group", "chat"),
        ("private_supergroup", "channel"),
        ("public_supergroup", "channel"),
        ("private_channel", "channel"),
        ("public_channel", "channel"),
        ("something_new", "chat"),
        (None, "chat"),
    ],
)
def test_chat_id_carries_what_it_belongs_to(
    kind: str | None,
    expected: str,
    read: Callable[..., Any],
    make_chat: Callable[..., Any],
    make_message: Callable[..., Any],
) -> None:
    export = read(make_chat(make_message(4), type=kind, id=77))

    assert export.ids == [f"telegram:{expected}77:4"]


def test_seed_shapes_without_ids_get_ids_from_names(read: Callable[..., Any]) -> None:
    alice = {"name": "Alice", "messages": [{"date": "2024-01-01T00:00:00", "text": "a"}]}
    bob = {"name": "Bob", "messages": [{"date": "2024-01-01T00:00:00", "text": "b"}]}

    alone, listed = read(alice), read([alice, bob])
    nested = read({"chats": {"list": [bob, alice]}})

    assert len({row["chat_id"] for row in listed.chats}) == 2
    assert alone.ids[0] in listed.ids
    assert nested.digests == listed.digests
    assert alone.chats[0]["chat_id"].startswith("telegram:name:")


def test_chats_without_name_and_id_are_kept_apart(read: Callable[..., Any]) -> None:
    one, two = (
        {"messages": [{"date": "2024-01-01T00:00:00", "text": text}]} for text in ("a", "b")
    )

    assert len(read([one, two]).chats) == 2


def test_empty_chat_beside_others_is_a_row_without_times(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    export = read([make_chat(make_message(1)), make_chat(id=1)])

    empty = export.chats[0]
    assert (empty["message_count"], empty["participants"], empty["first_sent_at"]) == (0, [], None)


def test_progress_reaches_the_size_of_all_files(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    seen: list[tuple[int, int, str]] = []
    content = json.dumps(make_chat(make_message(1))).encode()

    read(
        content,
        content,
        progress=lambda done, total, unit: seen.append((done, total, unit)),
        window_bytes=50,
    )

    assert seen[-1] == (2 * len(content), 2 * len(content), "bytes")
    assert seen == sorted(seen)


def test_export_of_unwanted_chats_only_is_refused_naming_the_kinds(
    read: Callable[..., Any], make_chat: Callable[..., Any], make_message: Callable[..., Any]
) -> None:
    with pytest.raises(InputError, match="add them to chat_kinds") as caught:
        read([make_chat(make_message(1), type="public_channel")])

    assert "public_channel" in str(caught.value)
