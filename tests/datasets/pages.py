"""A report in which every section holds something, and how to read a page."""

from pathlib import Path

from bs4 import BeautifulSoup, Tag

from resonare_pipeline.artifacts.artifact import Artifact
from tests.datasets.making import dataset, example, report


def a_full_report(folder: Path) -> Artifact:
    """Return a report in which every section holds something."""
    rows = {
        "train": [example(number) for number in range(9)] + [example(1, repeat=1)],
        "validation": [example(20, language=None, started_at=None, ended_at=None)],
        "odd": [example(30)],
    }
    before = dataset(folder / "before", {"train": [example(1), example(77)]})
    now = dataset(
        folder / "now",
        rows,
        dropped={"duplicate": 3, "near_duplicate": 4, "too_short": 1},
        redactions={"phone": 5},
        left={"person": 2},
        absent=("chats/bo",),
        notes=("A note.",),
        mock_examples=1,
        settings={"dataset": {"seed": 1}, "privacy": {"kinds": ["phone"]}},
    )
    return report(
        folder / "report",
        now,
        before,
        dropped={
            "messages": {"service": 2, "duplicate": 1},
            "enriched_messages": {},
            "blocks": {"no_reply": 10},
        },
        kept={"messages": 40, "enriched_messages": 40},
    )


def section(page: BeautifulSoup, name: str) -> Tag:
    found = page.find(id=name)
    assert isinstance(found, Tag)
    return found


def text_of(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def rows_of(tag: Tag, caption: str) -> list[list[str]]:
    """Return the body of the table whose caption begins so, cell by cell."""
    [table] = [
        table
        for table in tag.find_all("table")
        if table.caption and text_of(table.caption).startswith(caption)
    ]
    return [
        [text_of(cell) for cell in row.select("th:not(.bar), td:not(.bar)")]
        for row in table.select("tbody tr")
    ]
