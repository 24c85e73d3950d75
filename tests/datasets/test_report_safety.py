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

from resonare_pipeline.datasets.report.template import (
    STYLE_FILE,
    TEMPLATE_FILE,
    read_file,
    report_ingredients,
)
from resonare_pipeline.datasets.summary import SourceSummary
from tests.datasets.making import dataset, example, html_of, report, soup_of
from tests.datasets.pages import a_full_report, section, text_of

ROOT = Path(__file__).parents[2]

HOSTILE = "</title></style></script><script>alert(1)</script><img src=x onerror=y> \"'&lt;{{7*7}}"
RIGHT_TO_LEFT_OVERRIDE = "\u202e"

LOADING = ("src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href")


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
        "import sys; from pathlib import Path; from tests.datasets.pages import a_full_report;"
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


def test_ingredients_are_the_hashes_of_template_and_style() -> None:
    assert report_ingredients() == {
        name: hashlib.sha256(read_file(name).encode()).hexdigest()
        for name in (TEMPLATE_FILE, STYLE_FILE)
    }
    assert len(set(report_ingredients().values())) == 2
