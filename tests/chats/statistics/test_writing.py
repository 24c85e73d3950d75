from pathlib import Path

import numpy as np
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.rows import MESSAGES
from tests.chats.statistics.making import block, chat, content_of, in_json, message, statistics


def test_statistics_of_empty_tables_are_zeros_and_readable(tmp_path: Path) -> None:
    artifact = statistics(tmp_path)
    found = in_json(artifact)
    assert found["totals"]["messages"] == 0
    assert found["totals"]["first_sent_at"] is None
    assert found["totals"]["coverage"] is None
    assert found["blocks"]["tokens"]["median"] is None
    assert b"No blocks." in content_of(artifact, "statistics.md")


def test_totals_of_mixed_messages_count_text_media_and_days(tmp_path: Path) -> None:
    messages = [
        message(1, 0, text="héllo 👋"),
        message(2, 10, "u:me", text="", media_kind="photo"),
        message(3, 7_200, text="a caption", media_kind="photo"),
        message(4, 86_400, text=""),
    ]
    totals = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=messages))["totals"]
    assert totals["messages"] == 4
    assert totals["with_text"] == 2
    assert totals["media_only"] == 1
    assert totals["characters"] == len("héllo 👋") + len("a caption")
    assert totals["participants"] == 2
    assert totals["owner_share"] == 0.25
    assert totals["days_with_messages"] == 2  # the 28th, and the 29th twice
    assert totals["first_sent_at"] == "2024-02-28T22:00:00Z"
    assert totals["last_sent_at"] == "2024-02-29T22:00:00Z"


def test_chats_with_and_without_messages_are_all_listed_largest_first(tmp_path: Path) -> None:
    chats = [chat("c:empty", None, None), chat("c:small"), chat("c:large", "Large")]
    messages = [
        message(1, 0, chat_id="c:small"),
        message(1, 0, chat_id="c:large"),
        message(2, 9, "u:me", chat_id="c:large"),
    ]
    blocks = [block(1, 80, [1, 2], chat_id="c:large")]
    found = in_json(statistics(tmp_path, chats=chats, messages=messages, blocks=blocks))["chats"]
    assert [row["chat_id"] for row in found] == ["c:large", "c:small", "c:empty"]
    assert found[0] | {"first_sent_at": "", "last_sent_at": ""} == {
        "chat_id": "c:large",
        "name": "Large",
        "kind": "personal_chat",
        "messages": 2,
        "participants": 2,
        "owner_share": 0.5,
        "blocks": 1,
        "messages_in_blocks": 2,
        "coverage": 1.0,
        "tokens": 80,
        "first_sent_at": "",
        "last_sent_at": "",
    }
    assert found[1]["coverage"] == 0.0
    assert found[2]["coverage"] is None
    assert found[2]["name"] is None


def test_participants_are_joined_by_id_across_chats_and_named_as_most_often(tmp_path: Path) -> None:
    messages = [
        message(1, 0, sender_name="Ann"),
        message(2, 5, sender_name="Ann"),
        message(1, 9, sender_name="Annie", chat_id="c:2"),
        message(2, 9, sender_name=None, chat_id="c:2", text="hi"),
    ]
    chats = [chat("c:1"), chat("c:2")]
    (person,) = in_json(statistics(tmp_path, chats=chats, messages=messages))["participants"]
    assert person["name"] == "Ann"
    assert person["messages"] == 4
    assert person["chats"] == 2
    assert person["average_length"] == round((5 + 5 + 5 + 2) / 4, 1)
    assert person["share"] == 1.0


def test_participants_without_an_id_are_told_apart_by_name(tmp_path: Path) -> None:
    messages = [
        message(1, 0, None, sender_name="Bo"),
        message(2, 1, None, sender_name="Cy"),
        message(3, 2, None, sender_name="Bo"),
        message(4, 3, None, sender_name=None),
    ]
    found = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=messages))
    assert [(row["name"], row["messages"]) for row in found["participants"]] == [
        ("Bo", 2),
        (None, 1),
        ("Cy", 1),
    ]
    assert found["pace"]["replies"]["count"] == 3


def test_months_and_hours_follow_utc_over_a_leap_day(tmp_path: Path) -> None:
    messages = [message(1, 0), message(2, 86_400, "u:me"), message(3, 2 * 86_400 + 7_200)]
    found = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=messages))
    assert [(row["month"], row["messages"], row["by_owner"]) for row in found["months"]] == [
        ("2024-02", 2, 1),
        ("2024-03", 1, 0),
    ]
    hours = found["hours_by_weekday"]
    assert hours["Wednesday"][22] == hours["Thursday"][22] == hours["Saturday"][0] == 1
    assert sum(map(sum, hours.values())) == 3


def test_pace_counts_gaps_within_a_chat_and_replies_within_an_hour(tmp_path: Path) -> None:
    messages = [
        message(1, 0),
        message(2, 40, "u:me"),  # a reply by the owner after 40 s
        message(3, 60, "u:me"),
        message(4, 90),  # a reply by another after 30 s
        message(5, 90 + 3_600, "u:me"),  # just within the hour
        message(6, 90 + 3_600 + 3_601),  # a second too late
        message(7, 90 + 3_600 + 3_601 + 86_465, "u:me"),  # a day and more: no modulo of days
        message(1, 0, chat_id="c:2"),  # another chat: neither gap nor reply
        message(2, 7, "u:me", chat_id="c:2"),
    ]
    chats = [chat("c:1"), chat("c:2")]
    pace = in_json(statistics(tmp_path, chats=chats, messages=messages))["pace"]
    assert pace["gaps"]["count"] == 7
    assert (pace["gaps"]["min"], pace["gaps"]["max"]) == (7, 86_465)
    assert pace["gaps"]["median"] == 40  # of 7 20 30 40 3600 3601 86465
    assert pace["replies_by_owner"]["count"] == 3
    assert pace["replies_by_owner"]["median"] == 40  # of 7 40 3600
    assert pace["replies_by_others"]["max"] == 30
    assert pace["replies"]["count"] == 4
    over = {entry["longer_than_seconds"]: entry["count"] for entry in pace["silences"]}
    assert (over[1_800], over[3_600], over[86_400]) == (3, 2, 1)


def test_pace_over_many_row_groups_loses_no_gap_at_their_borders(tmp_path: Path) -> None:
    count = 140_001  # more than two row groups
    turns = np.arange(count) % 2 == 0
    sent = np.arange(count, dtype=np.int64) * 3_000_000
    columns: dict[str, pa.Array] = {
        field.name: pa.nulls(count, field.type) for field in MESSAGES if field.nullable
    } | {
        "message_id": pa.array(map(str, range(count))),
        "chat_id": pa.repeat(pa.scalar("c:1"), count),
        "sender_id": pa.array(np.where(turns, "u:ann", "u:me")),
        "is_owner": pa.array(~turns),
        "sent_at": pa.array(sent).cast(MESSAGES.field("sent_at").type),
        "text": pa.repeat(pa.scalar("abc"), count),
    }
    batch = pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in MESSAGES], schema=MESSAGES
    )
    found = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=batch))
    assert found["totals"]["messages"] == count
    assert found["totals"]["characters"] == 3 * count
    gaps = found["pace"]["gaps"]
    assert (gaps["count"], gaps["min"], gaps["max"], gaps["mean"]) == (count - 1, 3, 3, 3.0)
    assert found["pace"]["replies_by_owner"]["count"] == count // 2
    assert [row["messages"] for row in found["participants"]] == [count // 2 + 1, count // 2]


def test_blocks_with_a_split_message_count_it_once(tmp_path: Path) -> None:
    messages = [message(number, number) for number in range(1, 7)]
    blocks = [block(1, 64, [1, 2]), block(2, 100, [2, 3]), block(3, 128, [3]), block(4, 2_047, [5])]
    found = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=messages, blocks=blocks))
    assert found["totals"]["messages_in_blocks"] == 4
    assert found["totals"]["coverage"] == round(4 / 6, 4)
    assert found["totals"]["tokens"] == 64 + 100 + 128 + 2_047
    assert found["blocks"]["messages"]["max"] == 2
    assert found["blocks"]["tokens"]["median"] == 100
    assert found["blocks"]["tokens_histogram"] == [
        {"at_least": 64, "below": 128, "count": 2},
        {"at_least": 128, "below": 256, "count": 1},
        {"at_least": 256, "below": 512, "count": 0},
        {"at_least": 512, "below": 1024, "count": 0},
        {"at_least": 1024, "below": 2048, "count": 1},
    ]


def test_blocks_over_many_batches_keep_their_chats_apart(tmp_path: Path) -> None:
    blocks = [block(number, 70, [2 * number, 2 * number + 1]) for number in range(5_000)]
    blocks += [block(number, 90, [number], chat_id="c:2") for number in range(5_000)]
    chats = [chat("c:1"), chat("c:2")]
    found = in_json(statistics(tmp_path, chats=chats, blocks=blocks))
    by_id = {row["chat_id"]: row for row in found["chats"]}
    assert by_id["c:1"]["messages_in_blocks"] == 10_000
    assert by_id["c:2"]["messages_in_blocks"] == 5_000
    assert by_id["c:2"]["tokens"] == 450_000
    assert found["blocks"]["tokens"]["count"] == 10_000


def test_media_and_reactions_come_most_frequent_first(tmp_path: Path) -> None:
    hearts = [{"reaction": "❤", "count": 2}, {"reaction": "custom_emoji:7", "count": 1}]
    messages = [
        message(1, 0, media_kind="sticker", reactions=hearts),
        message(2, 1, media_kind="photo", reactions=[{"reaction": "🔥", "count": 5}]),
        message(3, 2, media_kind="photo", reactions=[]),
        message(4, 3, reactions=hearts),
    ]
    found = in_json(statistics(tmp_path, chats=[chat("c:1")], messages=messages))
    assert list(found["media_kinds"].items()) == [("photo", 2), ("sticker", 1)]
    assert list(found["reactions"].items()) == [("🔥", 5), ("❤", 4), ("custom_emoji:7", 2)]


def test_statistics_of_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    def once(name: str) -> Artifact:
        messages = [message(number, number * 70, f"u:{number % 5}") for number in range(300)]
        blocks = [block(1, 99, [1, 2, 3])]
        return statistics(tmp_path / name, chats=[chat("c:1")], messages=messages, blocks=blocks)

    first, second = once("a"), once("b")
    assert first.digest == second.digest
    assert content_of(first, "statistics.json").endswith(b"}\n")


def test_statistics_never_hold_the_text_of_a_message(tmp_path: Path) -> None:
    messages = [message(1, 0, text="zebra-secret", forwarded_from="yak-secret")]
    artifact = statistics(tmp_path, chats=[chat("c:1")], messages=messages)
    for file in artifact.entry.files:
        assert b"-secret" not in content_of(artifact, file.name)


def test_statistics_report_the_number_of_chats_and_the_totals(tmp_path: Path) -> None:
    messages = [message(1, 0), message(2, 5, "u:me")]
    blocks = [block(1, 66, [1, 2])]
    entry = statistics(
        tmp_path, chats=[chat("c:1"), chat("c:2")], messages=messages, blocks=blocks
    ).entry
    assert entry.rows == 2
    assert entry.metadata == {
        "messages": 2,
        "participants": 2,
        "blocks": 1,
        "messages_in_blocks": 2,
        "tokens": 66,
    }
