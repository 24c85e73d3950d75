"""Any export, however written, gives what a plain reading with the json module gives."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Make = Callable[..., Any]

TEXTS = st.text(
    st.sampled_from('ab é😀"\\{}[],:\n\t/x') | st.characters(exclude_categories=["Cs"]), max_size=12
)
PARTS = st.lists(
    TEXTS
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["bold", "link", "plain"]), "text": TEXTS},
        optional={"href": TEXTS},
    ),
    max_size=3,
)
MESSAGES = st.fixed_dictionaries(
    {
        "id": st.integers(1, 30),
        "type": st.sampled_from(["message"] * 6 + ["service", "unsupported"]),
        "date_unixtime": st.integers(1_600_000_000, 1_600_000_003).map(str),
        "text": TEXTS | PARTS,
    },
    optional={
        "from": TEXTS,
        "from_id": st.sampled_from(["user1", "user2", "channel3"]),
        "reply_to_message_id": st.integers(1, 30),
        "photo": st.sampled_from(["photos/1.jpg", "(File not included.)"]),
        "extra": st.recursive(
            TEXTS | st.integers() | st.none(),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
            max_leaves=4,
        ),
    },
)
KINDS = ["personal_chat", "private_group", "private_supergroup", "public_channel", None]
CHATS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "type": st.sampled_from(KINDS),
        "messages": st.lists(MESSAGES, max_size=8, unique_by=lambda row: row["id"]),
    }
)


def write(value: object, draw: Any) -> bytes:
    indent = draw(st.sampled_from([None, 0, 1, 3, "\t"]))
    separators = (",", ":") if indent is None and draw(st.booleans()) else None
    text = json.dumps(
        value,
        indent=indent,
        separators=separators,
        sort_keys=draw(st.booleans()),
        ensure_ascii=draw(st.booleans()),
    )
    return (text.replace("\n", "\r\n") if draw(st.booleans()) else text).encode()


def plain_text(value: object) -> str:
    if isinstance(value, str):
        return value
    assert isinstance(value, list)
    return "".join(part if isinstance(part, str) else part["text"] for part in value)


def marks(value: object) -> list[dict[str, Any]] | None:
    found, offset = [], 0
    for part in value if isinstance(value, list) else []:
        text = part if isinstance(part, str) else part["text"]
        if not isinstance(part, str) and part["type"] != "plain" and text:
            href = part.get("href", "")
            shown = None if not href or href.startswith("(") else href
            found.append(
                {"type": part["type"], "offset": offset, "length": len(text), "value": shown}
            )
        offset += len(text)
    return found or None


def naive(chats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    prefix = {"personal_chat": "user", "private_group": "chat", None: "chat"}
    rows = []
    for chat in chats:
        chat_id = f"telegram:{prefix.get(chat['type'], 'channel')}{chat['id']}"
        kept = [row for row in chat["messages"] if row["type"] == "message"]
        for row in sorted(kept, key=lambda row: (int(row["date_unixtime"]), row["id"])):
            reply, photo = row.get("reply_to_message_id"), row.get("photo")
            rows.append(
                {
                    "message_id": f"{chat_id}:{row['id']}",
                    "chat_id": chat_id,
                    "sent_at": dt.datetime.fromtimestamp(int(row["date_unixtime"]), dt.UTC),
                    "text": plain_text(row["text"]),
                    "entities": marks(row["text"]),
                    "reply_to_id": reply and f"{chat_id}:{reply}",
                    "media_kind": photo and "photo",
                    "media_path": photo if photo and photo[0] != "(" else None,
                    "sender_name": row.get("from") or None,
                }
            )
    return sorted(rows, key=lambda row: row["chat_id"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), chats=st.lists(CHATS, min_size=1, max_size=3))
def test_any_export_in_any_layout_reads_as_with_the_json_module(
    data: st.DataObject, chats: list[dict[str, Any]], read: Make
) -> None:
    chats = [{**chat, "id": number} for number, chat in enumerate(chats, 10)]
    taken = [chat for chat in chats if chat["type"] != "public_channel"]
    expected = naive(taken)
    if not expected:
        return

    first = read(chats, window_bytes=data.draw(st.sampled_from([1, 5, 40, 300, 1 << 19])))
    again = read(
        write(chats, data.draw), window_bytes=data.draw(st.sampled_from([3, 17, 90, 1 << 19]))
    )

    assert [{key: row[key] for key in expected[0]} for row in first.messages] == expected
    assert again.digests == first.digests
    assert sum(first.counts.values()) == sum(len(chat["messages"]) for chat in chats) - len(
        expected
    )
