import base64
import hashlib
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.report.template import (
    STYLE_FILE,
    TEMPLATE_FILE,
    read_file,
    report_ingredients,
)
from resonare_pipeline.datasets.summary import SourceSummary
from resonare_pipeline.errors import DamagedArtifactError
from tests.datasets.making import dataset, example, html_of, report, soup_of, summary_of

ROOT = Path(__file__).parents[2]

HOSTILE = "</title></style></script><script>alert(1)</script><img src=x onerror=y> \"'&lt;{{7*7}}"
RIGHT_TO_LEFT_OVERRIDE = "\u202e"

LOADING = ("src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href")


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


def test_page_of_a_known_dataset_shows_its_figures(tmp_path: Path) -> None:
    artifact = a_full_report(tmp_path)
    page = soup_of(artifact)
    header = page.header
    assert header is not None
    assert "12 examples with 240 tokens, from 11 conversations and texts of 1 source" in text_of(
        header
    )
    assert "written in March 2024" not in text_of(header)  # it goes from February to March
    assert "written between February 2024 and March 2024" in text_of(header)
    assert "Mostly in English (92 %)." in text_of(header)
    tiles = [text_of(tile) for tile in header.select(".tiles > div")]
    assert tiles == [
        "Examples 12 +10 since the last version",
        "Tokens 240 +200 since the last version",
        "Trained tokens 120 50.0 % of all",
        "Turns 24 2 an example",
    ]
    assert rows_of(section(page, "sources"), "What each") == [
        ["chats/alice chat_conversations", "12", "0", "1", "12", "240", "100 %"]
    ]
    assert rows_of(section(page, "splits"), "Each chat") == [
        ["train", "10", "83.3 %", "1", "9", "20", "200", "100"],
        ["validation", "1", "8.3 %", "0", "1", "2", "20", "10"],
        ["odd", "1", "8.3 %", "0", "1", "2", "20", "10"],
    ]
    assert rows_of(section(page, "languages"), "A guess") == [
        ["English en", "11", "91.7 %", "220"],
        ["not known und", "1", "8.3 %", "20"],
    ]
    assert rows_of(section(page, "lengths"), "Examples by tokens") == [["20", "10", "1", "1"]]
    assert rows_of(section(page, "time"), "Examples by the month") == [
        ["2024-02", "3", "0", "0"],
        ["2024-03", "7", "0", "1"],
    ]
    assert "1 example without a time." in text_of(section(page, "time"))
    assert rows_of(section(page, "voices"), "Turns and") == [
        ["assistant", "12", "96", "61.5 %", "8"],
        ["user", "12", "60", "38.5 %", "5"],
    ]
    assert artifact.entry.rows == 12
    assert artifact.entry.metadata == {
        "sources": 1,
        "tokens": 240,
        "trained_tokens": 120,
        "left_out": 8,
        "suspected": 2,
        "examples_added": 10,
        "examples_removed": 1,
    }


def test_page_shows_the_way_from_messages_to_examples(tmp_path: Path) -> None:
    left_out = section(soup_of(a_full_report(tmp_path)), "left-out")
    assert "8 duplicates left out on the way." in text_of(left_out)
    assert [row[:2] for row in rows_of(left_out, "The way of messages")] == [
        ["entries in the exports", "43"],
        ["messages read", "40"],
        ["within the rules of time and sender", "40"],
        ["in blocks", "30"],
    ]
    examples = rows_of(left_out, "The way of examples")
    assert examples == [
        ["offered by the sources", "12", ""],
        ["taken", "11", "4 near_duplicate 3 duplicate the same again 1 too_short"],
        ["with copies by weight", "12", "1 copy added"],
    ]


def test_page_shows_redactions_estimate_notes_and_settings(tmp_path: Path) -> None:
    page = soup_of(a_full_report(tmp_path))
    assert rows_of(section(page, "redactions"), "Replacements") == [
        ["phone", "5", "0"],
        ["person", "0", "2"],
    ]
    assert "epochs 3 tokens 60 cost $0.18" in text_of(section(page, "openai"))
    assert rows_of(section(page, "settings"), "Settings of dataset") == [["seed", "1"]]
    assert rows_of(section(page, "settings"), "Settings of privacy") == [["kinds", '["phone"]']]
    assert "A note." in text_of(section(page, "notes"))
    assert "chats/bo" in text_of(section(page, "notes"))
    notices = [text_of(notice.b) for notice in page.select(".notices li") if notice.b]
    assert notices == [
        "1 example with mock answers.",
        "2 suspected to be left.",
        "1 source absent.",
    ]


def test_page_tells_what_changed_since_the_version_before(tmp_path: Path) -> None:
    changes = section(soup_of(a_full_report(tmp_path)), "changes")
    legend = [text_of(entry) for entry in changes.select(".legend li")]
    assert legend == [
        "1 kept (20 tokens)",
        "10 added (200 tokens)",
        "1 removed (20 tokens)",
    ]
    assert rows_of(changes, "Settings that changed") == [
        ["dataset.name", '"Conversations"', "–"],
        ["dataset.seed", "0", "1"],
        ["privacy.kinds", "–", '["phone"]'],
    ]
    assert rows_of(changes, "Examples by split") == [
        ["train", "2", "10", "+8"],
        ["odd", "–", "1", "+1"],
        ["validation", "–", "1", "+1"],
    ]


def test_page_of_the_first_version_says_so(tmp_path: Path) -> None:
    page = soup_of(report(tmp_path / "r", dataset(tmp_path / "d", {"train": [example(1)]})))
    assert "first version" in text_of(section(page, "changes"))
    assert not page.select(".tiles .delta .quiet:-soup-contains('since')")


def test_page_after_a_version_of_another_release_compares_nothing(tmp_path: Path) -> None:
    rows = {"train": [example(1)]}
    before = dataset(tmp_path / "before", rows, summary=b'{"of": "another form"}')
    page = soup_of(report(tmp_path / "r", dataset(tmp_path / "now", rows), before))
    assert "cannot be compared" in text_of(section(page, "changes"))
    assert before.digest[:12] in text_of(section(page, "changes"))


def test_page_of_an_empty_dataset_is_whole(tmp_path: Path) -> None:
    artifact = report(tmp_path / "r", dataset(tmp_path / "d", {}, absent=("chats/alice",)))
    page = soup_of(artifact)
    assert "Nothing is in this dataset yet." in page.get_text()
    assert "chats/alice" in text_of(section(page, "notes"))
    assert len(page.find_all("section")) == 13
    assert page.select("svg[role=img], svg rect") == []


def test_page_without_redaction_says_so_first(tmp_path: Path) -> None:
    now = dataset(tmp_path / "d", {"train": [example(1)]}, redacted=False)
    page = soup_of(report(tmp_path / "r", now))
    first = page.select_one(".notices li")
    assert first is not None
    assert first.get("class") == ["bad"]
    assert text_of(first).startswith("Not redacted.")


@pytest.mark.parametrize("text", [HOSTILE, f"{RIGHT_TO_LEFT_OVERRIDE}\x00\x07\x1b[31m"])
def test_hostile_text_anywhere_stays_text(tmp_path: Path, text: str) -> None:
    row = example(
        1,
        text,
        text,
        source=text,
        root_id=text,
        example_id=text,
        language=text,
        tools=text,
    )
    row["messages"][0]["role"] = text
    source = SourceSummary(
        asset=text, read=1, examples=1, tokens=20, weight=1, dropped={text: 1}, redactions={text: 1}
    )
    changed: dict[str, Any] = {
        "name": text,
        "license": text,
        "tokenizer": text,
        "sources": {text: source},
        "dropped": {text: 1},
        "redactions": {text: 1},
        "left": {text: 1},
        "absent": (text,),
        "notes": (text,),
        "training": {text: 1.0},
        "settings": {text: {text: text}},
        "languages": {text: 1},
    }
    rows = {"train": [row]}
    now = dataset(tmp_path / "now", rows, **changed)
    before = dataset(tmp_path / "before", rows, settings={text: {text: "other"}})
    artifact = report(
        tmp_path / "r", now, before, dropped={"messages": {text: 1}}, kept={"messages": 1}
    )
    html = html_of(artifact)
    page = soup_of(artifact)
    assert page.find_all(["script", "img", "iframe", "object", "embed", "link", "base"]) == []
    assert len(page.find_all("style")) == len(page.select("head title")) == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)
    assert "49" not in text_of(section(page, "notes"))  # what is given is no template
    assert_loads_nothing(page)
    if text == HOSTILE:
        turns = [turn.get_text() for turn in page.select(".turn .text")]
        assert turns == [HOSTILE, HOSTILE]
        assert HOSTILE in section(page, "notes").get_text()
    else:
        shown = "U+202EU+0000U+0007U+001B[31m"
        assert [turn.get_text() for turn in page.select(".turn .text")] == [shown, shown]


def test_text_with_tabs_lines_emoji_and_joiners_is_kept_as_it_is(tmp_path: Path) -> None:
    text = "a\tb\n\n  c 👩‍👧‍👦 می‌خواهم \u200fשלום"
    artifact = report(tmp_path / "r", dataset(tmp_path / "d", {"train": [example(1, text, "ok")]}))
    turn = soup_of(artifact).select_one(".turn.user .text")
    assert turn is not None
    assert turn.get_text() == text
    assert turn.get("dir") == "auto"


def assert_loads_nothing(page: BeautifulSoup) -> None:
    """Fail if any attribute could load, run or style anything, or leads out of the page."""
    for tag in page.find_all(True):
        for name, value in tag.attrs.items():
            assert name not in LOADING, tag
            assert not name.startswith("on"), tag
            assert name != "style", tag
            if name == "href":
                assert str(value).startswith("#"), tag
            assert "url(" not in str(value), tag


def test_page_loads_nothing_and_forbids_all_but_its_own_style(tmp_path: Path) -> None:
    page = soup_of(a_full_report(tmp_path))
    assert_loads_nothing(page)
    assert page.find_all("script") == []
    assert page.style is not None
    style = page.style.get_text()
    assert "url(" not in style
    assert "@import" not in style
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert isinstance(policy, Tag)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_every_reference_on_the_page_leads_to_one_place(tmp_path: Path) -> None:
    page = soup_of(a_full_report(tmp_path))
    ids = [str(tag["id"]) for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    anchors = [str(link["href"]).removeprefix("#") for link in page.find_all("a")]
    labels = [
        name
        for tag in page.select("[aria-labelledby]")
        for name in str(tag["aria-labelledby"]).split()
    ]
    assert anchors
    assert labels
    assert set(anchors) | set(labels) <= set(ids)
    assert {str(part["id"]) for part in page.find_all("section")} <= set(anchors)


def test_page_can_be_heard_and_used_with_keys(tmp_path: Path) -> None:
    page = soup_of(a_full_report(tmp_path))
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert len(page.find_all("h1")) == 1
    levels = [int(head.name[1]) for head in page.find_all(["h1", "h2", "h3"])]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in page.find_all("table"):
        assert table.caption
        assert text_of(table.caption)
        assert table.select("thead th[scope=col]")
        assert all(row.find("th", scope="row") for row in table.select("tbody tr"))
    for svg in page.find_all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.title and svg.desc and svg["role"] == "img")
    for region in page.select(".scroll"):
        assert region["tabindex"] == "0"
        assert region["aria-label"]


def test_report_of_equal_datasets_is_equal_bytes(tmp_path: Path) -> None:
    first = a_full_report(tmp_path / "a")
    second = a_full_report(tmp_path / "b")
    assert html_of(first) == html_of(second)
    assert [file.name for file in first.entry.files] == ["report.html"]


def test_report_does_not_depend_on_hash_seed_time_zone_or_locale(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.datasets.test_report_page import *;"
        "print(a_full_report(Path(sys.argv[1])).digest)"
    )
    conditions = [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    ]
    found = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / str(number))],
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number, environ in enumerate(conditions)
    ]
    assert found[0] == found[1]


def test_report_on_a_summary_that_tells_of_other_rows_is_refused(tmp_path: Path) -> None:
    other = summary_of({"train": [example(1), example(2)]})
    now = dataset(tmp_path / "d", {"train": [example(1)]}, summary=other)
    with pytest.raises(DamagedArtifactError, match="1 rows, and a summary that tells of 2"):
        report(tmp_path / "r", now)


def test_report_on_a_dataset_without_a_readable_summary_is_refused(tmp_path: Path) -> None:
    now = dataset(tmp_path / "d", {"train": [example(1)]}, summary=b"[]")
    with pytest.raises(DamagedArtifactError, match=r"summary\.json"):
        report(tmp_path / "r", now)


def test_page_of_very_many_sources_adds_up_those_beyond_the_bound(tmp_path: Path) -> None:
    rows = [example(number, source=f"chats/{number:03d}", tokens=number) for number in range(250)]
    page = soup_of(report(tmp_path / "r", dataset(tmp_path / "d", {"train": rows})))
    table = rows_of(section(page, "sources"), "What each")
    assert len(table) == 101
    assert table[0][0].startswith("chats/249")
    rest = sum(range(150))
    assert table[-1][:1] + table[-1][4:6] == ["150 more", "150", f"{rest:,}"]


def test_page_of_long_texts_and_years_stays_small(tmp_path: Path) -> None:
    rows = [example(number * 9, "q" * 50_000, "a" * 50_000) for number in range(400)]
    html = html_of(report(tmp_path / "r", dataset(tmp_path / "d", {"train": rows})))
    assert len(html) < 250_000
    assert "46,000 more characters" in html


def test_ingredients_are_the_hashes_of_template_and_style() -> None:
    assert report_ingredients() == {
        name: hashlib.sha256(read_file(name).encode()).hexdigest()
        for name in (TEMPLATE_FILE, STYLE_FILE)
    }
    assert len(set(report_ingredients().values())) == 2
