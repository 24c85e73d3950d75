from pathlib import Path

import pytest

from resonare_pipeline.errors import DamagedArtifactError
from tests.datasets.making import dataset, example, html_of, report, soup_of, summary_of
from tests.datasets.pages import a_full_report, rows_of, section, text_of


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
