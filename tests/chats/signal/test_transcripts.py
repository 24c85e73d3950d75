"""Chats as other tools write them for people: no ids, local times, one file a chat."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.chats.forgetting import ForgetSettings, ForgottenPerson
from resonare_pipeline.errors import InputChangedError, InputError

Make = Callable[..., Any]
TEXT = (
    "[2019-12-24, 12:23] Jane Doe: Hello John!\n"
    "[2020-01-17, 21:49] John Doe: Hello\nJane! [12:00] tea?\n"
    "[2020-01-17 21:50:10] Jane Doe: so: yes\n"
)


def line(date: str, sender: str, body: str, **more: object) -> str:
    empty: dict[str, object] = {"quote": "", "sticker": None, "reactions": [], "attachments": []}
    said = {"date": date, "sender": sender, "body": f"{body}  "} | empty | more
    return json.dumps(said, ensure_ascii=False) + "\n"


def test_lines_of_text_become_messages_with_names_for_ids(read: Make) -> None:
    export = read({"x/jane.txt": TEXT.encode()}, owner="John Doe", time_zone="Asia/Singapore")

    assert export.texts == ["Hello John!", "Hello\nJane! [12:00] tea?", "so: yes"]
    assert export.column("sender_name") == ["Jane Doe", "John Doe", "Jane Doe"]
    assert export.column("is_owner") == [False, True, False]
    assert export.messages[0]["sent_at"].isoformat() == "2019-12-24T04:23:00+00:00"
    assert export.chats[0]["name"] == "jane"
    assert export.chats[0]["kind"] == "personal_chat"
    assert export.chats[0]["source"] == "signal"
    assert all(found.startswith("signal:name:") for found in export.ids)
    assert "3 messages have only local times" in export.metadata["warnings"][0]


def test_data_of_signal_export_is_known_by_its_first_line(read: Make) -> None:
    content = (
        line("2024-01-01T10:00:00", "Me", "look", attachments=[{"name": "a", "path": "m/a.JPG"}])
        + line("2024-01-01T10:01:00.123000", "Bea", "nice", reactions=[["Me", "👍"], ["C", "👍"]])
        + "{broken\n"
        + line("2024-01-01T10:01:00.123000", "Bea", "nice")
        + line("never", "Bea", "lost")
        + line("2024-01-01T10:02:00", "Bea", "", sticker={"emoji": ""})
    )

    export = read({"x/Bea B/data.json": content.encode()})

    assert export.texts == ["look", "nice", "nice", ""]
    assert export.column("sender_id")[0] == "signal:self"
    assert export.column("is_owner") == [True, False, False, False]
    assert export.column("media_kind") == ["photo", None, None, "sticker"]
    assert export.column("media_path") == ["m/a.JPG", None, None, None]
    assert export.messages[1]["reactions"] == [{"reaction": "👍", "count": 2}]
    assert export.ids[2] == f"{export.ids[1]}.2"
    assert export.counts == {"unreadable": 1, "no_date": 1}
    assert export.chats[0]["name"] == "Bea B"


def test_several_chats_are_read_each_from_its_file(read: Make) -> None:
    files = {
        f"x/{name}/data.json": "".join(
            line(f"2024-01-01T10:0{at}:00", sender, "hi") for at, sender in enumerate(senders)
        ).encode()
        for name, senders in (("All", ["Me", "Bea", "Cyd"]), ("Bea", ["Me", "Bea"]))
    }

    export = read(files)

    assert sorted((chat["name"], chat["kind"]) for chat in export.chats) == [
        ("All", "private_group"),
        ("Bea", "personal_chat"),
    ]
    bea = next(m["sender_id"] for m in export.messages if m["sender_name"] == "Bea")
    forgotten = read(files, forget=ForgetSettings(people={bea: ForgottenPerson(names=("Bea",))}))
    assert [chat["name"] for chat in forgotten.chats] == ["All"]
    assert set(forgotten.column("sender_name")) == {"Me", "Cyd"}


def test_json_of_another_shape_is_read_as_telegram_as_before(read: Make) -> None:
    message = {"id": 1, "type": "message", "date_unixtime": "1704103200", "text": "hi"}
    chat = {"name": "B", "type": "personal_chat", "id": 2, "messages": [message]}

    export = read({"x/data.json": json.dumps(chat).encode()})

    assert export.ids == ["telegram:user2:1"]
    assert export.chats[0]["source"] == "telegram"


def test_text_without_a_message_is_refused_with_what_lines_look_like(read: Make) -> None:
    with pytest.raises(InputError, match="no line of the file is a message"):
        read({"x/notes.txt": b"milk\neggs\n"})
    with pytest.raises(InputChangedError):
        read({"x/a.txt": TEXT.encode()}, listed={"x/a.txt": b"other"})


def test_text_before_the_first_message_is_left_out_and_counted(read: Make) -> None:
    export = read({"x/a.txt": b"A chat\n\n" + TEXT.encode()})

    assert len(export.texts) == 3
    assert export.counts == {"unreadable": 1}
