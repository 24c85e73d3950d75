"""Files that are cut off, broken or wrongly written, read by one process and by several."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import InputChangedError, InputError

Make = Callable[..., Any]


def complete_messages(prefix: bytes, ends: list[int]) -> int:
    return sum(end <= len(prefix) for end in ends)


@pytest.mark.parametrize("layout", ["pretty", "minified", "messages first"])
@pytest.mark.parametrize("window_bytes", [10, 1 << 19])
def test_file_cut_off_at_any_byte_loses_no_complete_message(
    layout: str, window_bytes: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    texts = ["first", 'é "}\\', [{"type": "bold", "text": "third ]"}]]
    chat = make_chat(*(make_message(number, text) for number, text in enumerate(texts, 1)))
    if layout == "messages first":
        chat = dict(reversed(chat.items()))
    separators = (",", ":") if layout == "minified" else None
    indent = None if layout == "minified" else 1
    content = json.dumps(chat, indent=indent, separators=separators, ensure_ascii=False).encode()
    text = content.decode()
    starts = [found.start() for found in re.finditer(r'\{\s*"id": ?\d,', text)]
    ends = [len(text[: json.JSONDecoder().raw_decode(text, at)[1]].encode()) for at in starts]
    assert len(ends) == 3

    for length in range(len(content)):
        cut = content[:length]
        expected = complete_messages(cut, ends)
        try:
            export = read(cut, window_bytes=window_bytes)
        except InputError:
            assert expected == 0
            continue
        assert len(export.messages) == expected
        assert f"byte {length}" in export.metadata["warnings"][0]
        assert f"{expected} complete messages" in export.metadata["warnings"][0]


def test_account_cut_off_in_a_later_chat_keeps_the_earlier_ones(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    chats = [make_chat(make_message(1), make_message(2), id=number) for number in (3, 4)]
    content = json.dumps({"chats": {"list": chats}}).encode()

    export = read(content[: content.rindex(b'"id": 4') + 7])

    assert [row["message_count"] for row in export.chats] == [2]
    assert "0 complete" not in export.metadata["warnings"][0]


def break_text(content: bytes, written: bytes) -> bytes:
    return content.replace(b"HERE", written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (rb"a\x07b", "a\x07b"),
        (rb"\\x41", r"\x41"),
        (rb"\\\x41", r"\A"),
        (rb"\\\\x41\x1B", "\\\\x41\x1b"),
        (rb"\ud83d\ude00", "😀"),
        (rb"a\ud83db", "a\ufffdb"),
        (rb"\ude00", "\ufffd"),
        (rb"\ud83d", "\ufffd"),
        (rb"\\ud83d", r"\ud83d"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (b"a\tb\nc", "a\tb\nc"),
    ],
)
@pytest.mark.parametrize("indent", [1, None])
def test_text_wrongly_written_is_mended(
    written: bytes,
    expected: str,
    indent: int | None,
    read: Make,
    make_chat: Make,
    make_message: Make,
) -> None:
    chat = make_chat(make_message(1), make_message(2, "HERE"), make_message(3, "\\x41 \\u00e9"))
    content = json.dumps(chat, indent=indent).encode()

    export = read(break_text(content, written))

    assert export.texts == ["hi", expected, "\\x41 \\u00e9"]
    assert export.dropped == []


def test_control_bytes_in_fields_that_nobody_reads_do_no_harm(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    row = make_message(2, inline_bot_buttons=[[{"type": "callback", "data": "HERE"}]])
    content = json.dumps(make_chat(make_message(1), row, make_message(3)), indent=1).encode()

    assert len(read(break_text(content, rb"\x00\x01\xFF")).messages) == 3


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5368324170671202286", "5368324170671202286"),
        ("stickers/sticker (1), b.webp", "stickers/sticker (1), b.webp"),
        ("(File not included. Change data exporting settings to download.)", None),
        ("(File unavailable, please try again later)", None),
    ],
)
def test_emoji_id_without_quotes_is_read(
    written: str, value: str | None, read: Make, make_chat: Make, make_message: Make
) -> None:
    parts = [{"type": "custom_emoji", "text": "😀", "document_id": "HERE"}]
    reactions = [{"type": "custom_emoji", "document_id": "HERE", "count": 2}]
    chat = make_chat(make_message(1, parts, text_entities=parts, reactions=reactions))
    content = json.dumps(chat, indent=1).replace('"HERE"', written).encode()

    (row,) = read(content).messages

    assert row["entities"][0]["value"] == value
    assert row["reactions"][0]["count"] == 2


@pytest.mark.parametrize("indent", [1, None])
@pytest.mark.parametrize("window_bytes", [20, 1 << 19])
def test_elements_that_are_no_messages_are_dropped_alone(
    indent: int | None, window_bytes: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    bad = [
        None,
        5,
        "text, [with] {marks}",
        [make_message(8)],
        {},
        {"id": 9, "type": "message"},
        True,
    ]
    chat = make_chat(make_message(1), *bad, make_message(2), None)

    export = read(json.dumps(chat, indent=indent).encode(), window_bytes=window_bytes)

    assert export.ids == ["telegram:user2:1", "telegram:user2:2"]
    assert export.counts == {"no_date": 1, "unreadable": 7}
    assert "telegram:user2:9" in {row["id"] for row in export.dropped}


@pytest.mark.parametrize("broken", ['{"id": 2, "text": }', '{"id": 2 "text": "x"}', "{oops}"])
@pytest.mark.parametrize("indent", [1, None])
def test_element_that_is_no_json_is_dropped_alone(
    broken: str, indent: int | None, read: Make, make_chat: Make, make_message: Make
) -> None:
    content = json.dumps(make_chat(make_message(1), "HERE", make_message(3)), indent=indent)

    export = read(content.replace('"HERE"', broken).encode())

    assert export.ids == ["telegram:user2:1", "telegram:user2:3"]
    assert export.counts == {"unreadable": 1}


def test_wrong_types_in_one_message_cost_only_their_fields(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    wrong = {
        key: {"a": [1]}
        for key in (
            "from", "from_id", "edited", "edited_unixtime", "reply_to_message_id",
            "reply_to_peer_id", "forwarded_from", "saved_from", "reactions", "media_type",
            "text_entities",
        )
    }  # fmt: skip

    export = read(make_chat(make_message(1), make_message(2, "kept", **wrong), make_message(3)))

    row = export.messages[1]
    assert row["text"] == "kept"
    assert {key for key, value in row.items() if value is not None} == {
        "message_id", "chat_id", "is_owner", "sent_at", "text",
    }  # fmt: skip


@pytest.mark.parametrize("depth", [900, 200_000])
@pytest.mark.parametrize("place", ["message", "chat", "section"])
def test_deep_nesting_neither_crashes_nor_takes_others_along(
    depth: int, place: str, read: Make, make_chat: Make, make_message: Make
) -> None:
    deep = "[" * depth + "]" * depth
    row = make_message(2, odd="HERE" if place == "message" else "")
    chat = make_chat(make_message(1), row, make_message(3), odd="HERE" if place == "chat" else "")
    account = {"odd": "HERE" if place == "section" else "", "chats": {"list": [chat]}}

    export = read(json.dumps(account).replace('"HERE"', deep).encode())

    assert {"telegram:user2:1", "telegram:user2:3"} <= set(export.ids)
    assert len(export.messages) + export.counts.get("unreadable", 0) == 3


def test_quote_too_many_costs_one_message_of_a_file_written_in_lines(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    long = "x" * 100_000
    rows = [make_message(number, long) for number in range(1, 120)]
    rows[9]["text"] = "HERE"
    content = json.dumps(make_chat(*rows), indent=1).encode()

    export = read(break_text(content, b'a " b'))

    assert len(export.messages) == 118
    assert export.counts == {"unreadable": 1}


def test_message_larger_than_the_window_is_read(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    long = 'x"\\é' * 100_000

    export = read(make_chat(make_message(1), make_message(2, long)), window_bytes=1000)

    assert export.texts == ["hi", long]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb'"a\x07b"', "a\x07b"),
        (rb'"\ud83d"', "\ufffd"),
        (b'{"a": [1, "}"]}', None),
        (b"[]", None),
        (b"nonsense", None),
        (b"-1.5e3", None),
        (b'""', None),
    ],
)
def test_chat_name_of_any_kind_costs_no_message(
    written: bytes, name: str | None, read: Make, make_chat: Make, make_message: Make
) -> None:
    chat = make_chat(make_message(1), name="HERE", odd=-12.5, more=None)
    content = json.dumps({"odd": True, "chats": [chat, 5], "left_chats": 0}).encode()

    export = read(content.replace(b'"HERE"', written), window_bytes=3)

    assert [row["name"] for row in export.chats] == [name]
    assert len(export.messages) == 1


LONG = "x" * 300


def broken_exports(make_chat: Make, make_message: Make) -> dict[str, bytes]:
    """Exports of a hundred messages, most with something that a guess at their borders trips on."""
    messages = [make_message(number, f"{number} {LONG}") for number in range(1, 101)]
    chat = make_chat(*messages)
    pretty = json.dumps(chat, indent=1).encode()
    compact = json.dumps(chat).encode()
    return {
        "pretty": pretty,
        "compact": compact,
        "cut off": pretty[:-2_000],
        "broken element": pretty.replace(b'"id": 60', b'"id": 6 0'),
        "missing comma": compact.replace(b'}, {"id": 70', b'} {"id": 70'),
        "wrong escapes": pretty.replace(b"50 xxx", rb"50 \xe9x"),
        "line end in a text": pretty.replace(b"40 xxx", b"40 \n  }x"),
        "head in a text": compact.replace(b"30 xxx", rb"30 {\"id\": x"),
        "nested head": compact.replace(
            b'"id": 20,', b'"id": 20, "poll": [{"id": 1}, {"id": 2}, {"id": 3}],'
        ),
        "two chats": json.dumps({"chats": {"list": [chat, make_chat(*messages, id=3)]}}).encode(),
    }


def test_broken_export_read_by_workers_gives_the_same_bytes(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    for name, content in broken_exports(make_chat, make_message).items():
        for window_bytes in (2_000, 8_000, 1 << 19):
            here, there = (
                read(content, window_bytes=window_bytes, workers=workers) for workers in (0, 1)
            )
            assert there == here, (name, window_bytes)
            assert len(here.messages) >= 90, name


@pytest.mark.parametrize("workers", [0, 1])
def test_export_with_a_wrong_byte_names_its_place_also_when_workers_read(
    workers: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    content = broken_exports(make_chat, make_message)["pretty"].replace(b"80 xxx", b"80 \xffxx")
    with pytest.raises(InputError, match=f"byte {content.index(0xFF)}: a byte that is not UTF-8"):
        read(content, window_bytes=2_000, workers=workers)


def test_export_that_changes_is_refused_also_when_workers_read(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    exports = broken_exports(make_chat, make_message)
    with pytest.raises(InputChangedError):
        read(exports["pretty"], listed=exports["compact"], window_bytes=2_000, workers=1)
