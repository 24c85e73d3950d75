"""What people see of statistics: the page, its plots, what was left out."""

import re
from pathlib import Path

import pytest

from resonare_pipeline.chats.statistics.charts import PLOT_FILES
from tests.chats.statistics.making import chat, content_of, in_json, message, statistics


@pytest.mark.parametrize("name", ["a|b", "line\nend", "`code`", "<script>", "x\u202ey", "\x07", ""])
def test_markdown_with_a_hostile_name_keeps_the_shape_of_its_tables(
    tmp_path: Path, name: str
) -> None:
    plain, hostile = (
        content_of(
            statistics(
                tmp_path / str(index),
                chats=[chat("c:1", given)],
                messages=[message(1, 0, sender_name=given)],
            ),
            "statistics.md",
        ).decode()
        for index, given in enumerate(("Ann", name))
    )

    def shape(page: str) -> list[int]:
        return [line.replace("\\|", "").count("|") for line in page.splitlines()]

    assert shape(hostile) == shape(plain)


def test_left_out_items_stand_by_asset_and_then_most_first(tmp_path: Path) -> None:
    dropped = {"messages": {"service": 3}, "blocks": {"no_reply": 2, "no_text": 9, "cut": 2}}
    artifact = statistics(tmp_path, dropped=dropped)
    assert [tuple(row.values()) for row in in_json(artifact)["dropped"]] == [
        ("messages", "service", 3),
        ("blocks", "no_text", 9),
        ("blocks", "cut", 2),
        ("blocks", "no_reply", 2),
    ]
    assert b"| blocks | no_text | 9 |" in content_of(artifact, "statistics.md")


def test_plots_stand_beside_the_page_that_shows_them_and_change_no_digest(tmp_path: Path) -> None:
    artifact = statistics(tmp_path, chats=[chat("c:1")], messages=[message(1, 0)])
    page = content_of(artifact, "statistics.md").decode()
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page)
    assert sorted(shown) == sorted(PLOT_FILES)
    for name in shown:
        assert content_of(artifact, name).startswith(b"\x89PNG")
        assert artifact.file(name).auxiliary
