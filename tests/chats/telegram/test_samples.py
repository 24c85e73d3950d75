"""What comes out of real files by other people."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2] / "data" / "telegram"
GUESSED = "most_active"

# file → messages, dropped by reason, chat ids, owner, basis, messages with local times
GOLDEN: dict[str, tuple[int, dict[str, int], list[str], str, str, int]] = {
    "chatminer_batch.json": (
        2,
        {},
        ["telegram:name:2c37d13e3784"],
        "telegram:name:20b34e12864a",
        GUESSED,
        0,
    ),
    "chatminer_single.json": (
        2,
        {},
        ["telegram:name:db7a42e00365"],
        "telegram:name:20b34e12864a",
        GUESSED,
        0,
    ),
    "chatpackcli_export.json": (7, {}, ["telegram:user123456789"], "telegram:user123", GUESSED, 7),
    "eklipti_supergroup_raw0.json": (
        12,
        {"service": 1},
        ["telegram:channel9999999999"],
        "telegram:userA123456789",
        GUESSED,
        0,
    ),
    "ragtgbot_test_case1.json": (
        7,
        {"service": 1},
        ["telegram:chat4696915168"],
        "telegram:user34567890",
        GUESSED,
        0,
    ),
    "ragtgbot_test_case2.json": (
        8,
        {"service": 1},
        ["telegram:chat4696915169"],
        "telegram:user98765432",
        GUESSED,
        0,
    ),
    "tg2md_private_channel_old.json": (
        18,
        {"service": 1},
        ["telegram:channel1292077344"],
        "telegram:channel1292077344",
        GUESSED,
        18,
    ),
    "tgif_database-isolation-level.json": (
        98,
        {},
        ["telegram:channel1095762521"],
        "telegram:user1001",
        GUESSED,
        98,
    ),
    "tgif_membuat-linq-efisien.json": (
        53,
        {},
        ["telegram:channel1712691810"],
        "telegram:user1006",
        GUESSED,
        0,
    ),
    "tgif_oop.json": (
        46,
        {},
        ["telegram:channel1712691810"],
        "telegram:user1008",
        GUESSED,
        46,
    ),
    "tgif_pujangga-kode-1.json": (
        82,
        {},
        ["telegram:channel1240569966"],
        "telegram:user1002",
        GUESSED,
        0,
    ),
    "tgif_ssl-tidak-hanya-untuk-website.json": (
        14,
        {},
        ["telegram:channel1712691810"],
        "telegram:user1002",
        GUESSED,
        0,
    ),
    "tkonverter_personal_all_actions.json": (
        25,
        {"service": 61, "unsupported": 1},
        ["telegram:user10001"],
        "telegram:user777000",
        "other_than_chat",
        0,
    ),
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_sample_read_whole_gives_golden_counts(name: str, read: Callable[..., Any]) -> None:
    export = read((DATA / name).read_bytes())

    found = (
        len(export.messages),
        export.counts,
        [row["chat_id"] for row in export.chats],
        export.metadata["owner_id"],
        export.metadata["owner_basis"],
        export.metadata["local_times"],
    )
    assert found == GOLDEN[name]


@pytest.mark.parametrize("name", sorted(GOLDEN))
@pytest.mark.parametrize("window_bytes", [7, 64, 1000])
def test_sample_read_in_small_windows_gives_same_bytes(
    name: str, window_bytes: int, read: Callable[..., Any]
) -> None:
    content = (DATA / name).read_bytes()

    assert read(content, window_bytes=window_bytes).digests == read(content).digests


def test_golden_table_covers_every_sample() -> None:
    assert sorted(path.name for path in DATA.glob("*.json")) == sorted(GOLDEN)
