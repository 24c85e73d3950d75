"""Which app an export is from is told by its files, and by no setting."""

from pathlib import Path

import pytest

from assets.chats import CHAT_EXPORTS
from resonare_pipeline.artifacts.files import LocalFiles, write_bytes
from resonare_pipeline.planning.raw import list_one, list_raw


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (("result.json", "photos/a.jpg", "notes.csv"), ["result.json"]),
        (("result.json", "message.csv"), ["result.json"]),
        (("signal.csv", "recipient.csv", "key_value.csv"), ["recipient.csv", "signal.csv"]),
        (("MMS.csv", "sms.csv", "about.json"), ["MMS.csv", "sms.csv"]),
        (("2024/message.csv", "2025/message.csv"), ["2024/message.csv", "2025/message.csv"]),
        (("chat.json", "table.csv"), ["chat.json"]),
    ],
)
def test_a_folder_is_what_its_files_say(
    files: tuple[str, ...], taken: list[str], tmp_path: Path
) -> None:
    root = LocalFiles(tmp_path)
    for name in files:
        write_bytes(root, f"chats/x/{name}", b"x")

    [found] = list_raw(root, [CHAT_EXPORTS]).inputs.values()

    assert sorted(found.entries) == [f"x/{name}" for name in taken]


def test_a_folder_that_is_neither_says_what_was_expected_of_both(tmp_path: Path) -> None:
    root = LocalFiles(tmp_path)
    write_bytes(root, "chats/x/recipient.csv", b"_id\n")
    write_bytes(root, "chats/x/photo.jpg", b"x")

    [problem] = list_raw(root, [CHAT_EXPORTS]).problems.values()

    assert "2 files but none of result*.json or message.csv" in str(problem)
    assert "Telegram export as JSON" in problem.expected
    assert "Signal's tables as CSV" in problem.expected


def test_a_single_table_is_an_export_by_itself(tmp_path: Path) -> None:
    (tmp_path / "alice.csv").write_text("_id\n")

    assert list_one(tmp_path / "alice.csv", [CHAT_EXPORTS]).keys(CHAT_EXPORTS) == ["alice"]
