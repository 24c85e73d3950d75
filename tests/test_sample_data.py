import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
RECORDS = SAMPLE / "records" / "plant-questions.jsonl"
EXPORTS = sorted((SAMPLE / "chats").rglob("*.json"))
MOST_BYTES = 400_000
SESSION_SILENCE_SECONDS = 3_600
FIRST_MADE_UP_ID = 990_000_000_000

Json = dict[str, Any]


def strict(path: Path) -> Json:
    """Parse an export after making its one control byte, written as \\xNN, valid JSON."""
    text = path.read_text(encoding="utf-8")
    export: Json = json.loads(re.sub(r"(?<!\\)\\x([0-9A-Fa-f]{2})", r"\\u00\1", text))
    return export


def chats_of(export: Json) -> list[Json]:
    if "messages" in export:
        return [export]
    return [*export["chats"]["list"], *export["left_chats"]["list"]]


def all_chats() -> list[Json]:
    return [chat for path in EXPORTS for chat in chats_of(strict(path))]


def values(node: object, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, key)


def session_sizes(chat: Json) -> list[int]:
    times = [
        int(message["date_unixtime"])
        for message in chat["messages"]
        if message["type"] == "message"
    ]
    cuts = [
        index
        for index, (earlier, later) in enumerate(itertools.pairwise(times), 1)
        if later - earlier > SESSION_SILENCE_SECONDS
    ]
    return [end - start for start, end in itertools.pairwise([0, *cuts, len(times)])]


def test_sample_exports_are_three_and_small() -> None:
    names = [path.relative_to(SAMPLE).as_posix() for path in EXPORTS]
    assert names == [
        "chats/account-2024/result.json",
        "chats/family-group.json",
        "chats/maya.json",
    ]
    assert sum(path.stat().st_size for path in EXPORTS) <= MOST_BYTES


def test_sample_exports_are_laid_out_as_telegram_does_with_one_control_byte() -> None:
    escapes = 0
    for path in EXPORTS:
        text = path.read_text(encoding="utf-8")
        escapes += len(re.findall(r"\\x[0-9A-F]{2}", text))
        again = json.dumps(strict(path), ensure_ascii=False, indent=1)
        assert re.sub(r"\\u00([01][0-9a-f])", lambda match: rf"\x{match[1].upper()}", again) == text
    assert escapes == 1


@pytest.mark.parametrize("chat", all_chats(), ids=lambda chat: chat.get("name", chat["type"]))
def test_sample_messages_stand_in_order_of_id_and_time(chat: Json) -> None:
    ids = [message["id"] for message in chat["messages"]]
    assert ids == sorted(set(ids))
    times = [int(m["date_unixtime"]) for m in chat["messages"] if m["type"] != "unsupported"]
    assert times == sorted(times)
    replied = {m["reply_to_message_id"] for m in chat["messages"] if "reply_to_message_id" in m}
    assert replied <= set(ids)


@pytest.mark.parametrize("chat", all_chats(), ids=lambda chat: chat.get("name", chat["type"]))
def test_sample_texts_are_the_same_as_their_entities(chat: Json) -> None:
    for message in chat["messages"]:
        if message["type"] == "unsupported":
            continue
        parts = message["text"] if isinstance(message["text"], list) else [message["text"]]
        text = "".join(part if isinstance(part, str) else part["text"] for part in parts)
        assert text == "".join(entity["text"] for entity in message["text_entities"])


def test_sample_exports_hold_no_real_phone_address_or_id() -> None:
    for path in EXPORTS:
        export = strict(path)
        text = path.read_text(encoding="utf-8")
        for phone in values(export, "phone_number"):
            assert re.fullmatch(r"\+1 \d{3} 555 01\d\d", phone)
        for host in re.findall(r"(?:https?://|[\w.]+@)([\w.-]+\.\w+)", text):
            assert host == "example.com"
        for address in re.findall(r"\d+\.\d+\.\d+\.\d+", text):
            assert address.startswith("192.0.2.")
        for key in ("from_id", "actor_id"):
            for user in values(export, key):
                assert int(re.sub(r"\D", "", user)) > FIRST_MADE_UP_ID


def test_sample_of_signal_is_synthetic_and_holds_what_readers_stumble_over() -> None:
    folder = SAMPLE / "chats" / "kai-signal"
    text = "".join(path.read_bytes().decode() for path in folder.iterdir())
    assert re.findall(r"\+\d+", text)
    for phone in re.findall(r"\+\d+", text):
        assert re.fullmatch(r"\+1202555010\d", phone)
    for account in re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text):
        assert account.startswith("00000000-0000-4000-8000-00000000000")
    assert len(text) <= MOST_BYTES
    assert re.search(r"[^\n]\r[^\n]", text)
    assert "\ufffc" in text
    assert '""slippery""' in text


def test_sample_chats_hold_dozens_of_conversations_in_turns() -> None:
    sizes = [size for chat in all_chats() for size in session_sizes(chat)]
    assert sum(8 <= size <= 25 for size in sizes) >= 30
    for chat in all_chats():
        if chat["type"] in ("public_channel", "saved_messages"):
            continue
        senders = [m["from_id"] for m in chat["messages"] if m["type"] == "message"]
        changes = sum(earlier != later for earlier, later in itertools.pairwise(senders))
        assert changes >= 0.7 * (len(senders) - 1)


def test_sample_exports_hold_what_readers_stumble_over() -> None:
    chats = all_chats()
    messages = [message for chat in chats for message in chat["messages"]]
    assert {message["type"] for message in messages} == {"message", "service", "unsupported"}
    assert {chat["type"] for chat in chats} == {
        "personal_chat",
        "private_group",
        "private_supergroup",
        "public_channel",
        "saved_messages",
    }
    keys = {key for message in messages for key in message}
    assert {"edited", "reactions", "photo", "poll", "forwarded_from", "via_bot"} <= keys
    assert any(message.get("from", "") is None for message in messages)
    family = strict(SAMPLE / "chats" / "family-group.json")["messages"]
    local_times = [message["date"] for message in family]
    assert local_times != sorted(local_times)  # the hour that repeats when summer time ends


def test_sample_records_are_ten_conversations_with_turns_to_be_filled() -> None:
    records = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    assert len({record["uuid"] for record in records}) == len(records) == 10
    empty = []
    for record in records:
        roles = [turn["role"] for turn in record["messages"]]
        assert roles == ["system", *["user", "assistant"] * (len(roles) // 2)]
        turns = record["messages"][2::2]
        empty.append([not turn["content"] for turn in turns])
    assert sorted(map(tuple, empty)) == [(False, True), *[(True,)] * 7, *[(True, True)] * 2]
    assert not re.search(r"@|https?:|\d{4}", RECORDS.read_text(encoding="utf-8"))
