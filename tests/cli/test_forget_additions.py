"""Forgetting a person of whom links of others tell, through the command line."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonare_pipeline import load
from tests.cli.command import Resonare
from tests.cli.test_forget import ANN, CY, HER, MAYA, chat, dialogue, found, make_all
from tests.fake_web import LOOPBACK, Web, page, serving_web


@pytest.fixture
def web() -> Iterator[Web]:
    with serving_web() as web:
        web.routes["/wedding"] = page("Wedding of Maya Chen", "She lives in Sample Street 4")
        web.routes["/tea"] = page("On tea", "Leaves and water")
        yield web


@pytest.fixture
def linked(project: Path, web: Web) -> Path:
    """A project with three exports: hers, one that tells of her behind a link, and a clear one."""
    raw = project / "data/raw/chats"
    shutil.rmtree(raw)
    raw.mkdir()
    ann_and_cy = dialogue(ANN, CY, words="we talk")
    for number, (name, lines) in enumerate(
        {
            "direct": dialogue(HER, ANN, words="secret of hers"),
            "told": [*ann_and_cy, (*ANN, f"look {web.url}/wedding"), (*CY, "oh")],
            "clear": [*ann_and_cy, (*ANN, f"look {web.url}/tea"), (*CY, "oh")],
        }.items(),
        501,
    ):
        own = ("personal_chat", number, "Maya Chen")
        kind = own if name == "direct" else ("private_group", number, f"Group {number}")
        (raw / f"{name}.json").write_text(json.dumps(chat(*kind, *lines)))
    (project / "resonare.toml").write_text(
        '[messages]\nowner = "Ann"\n[blocks]\nmin_tokens_per_block = 8\n'
        f"[enriched_messages]\nfetch_links = true\n[links]\nretries = 0\n"
        f'allowed_page_networks = ["{LOOPBACK[0]}"]\noembed_url = "{web.url}/oembed"\n'
    )
    return project


def texts(export: str) -> str:
    return "\n".join(load("enriched_messages", export)["text"])


def test_a_page_that_names_a_person_is_told_without_them(linked: Path, resonare: Resonare) -> None:
    make_all(linked)
    assert "[Link: Wedding of Maya Chen — " in texts("told")

    outcome = resonare("forget", MAYA, "--yes")

    assert outcome.code == 0, outcome.out + outcome.err
    assert "nothing of them is left" in outcome.out
    assert "Forgot what links said that name them: 1" in outcome.out
    assert {place.split("/")[0] for place in found(linked / "data")} == {"raw"}
    assert "[Link: Wedding of [forgotten] — She lives in Sample Street 4]" in texts("told")
    assert "On tea" in (linked / "data/completions.sqlite").read_bytes().decode(errors="replace")
    again = resonare("forget", MAYA, "--yes")
    assert again.code == 0, again.out + again.err


def test_the_dataset_keeps_clear_exports_with_links_and_all_is_a_hit_after_it(
    linked: Path, resonare: Resonare
) -> None:
    assert resonare("run", "--json").json["failures"] == {}

    assert resonare("forget", MAYA, "--yes").code == 0

    assert set(resonare("run", "--json").caches.values()) == {"hit"}
    rows = (linked / "data/output/dataset/jsonl/train.jsonl").read_text()
    assert "On tea" in rows
    assert "Sample Street" in rows


def test_an_export_that_was_clear_is_not_once_its_links_are_read(
    linked: Path, resonare: Resonare
) -> None:
    make_all(linked, **{"enriched_messages.fetch_links": "false"})
    without_links = (linked / "resonare.toml").read_text()
    (linked / "resonare.toml").write_text(without_links.replace("= true", "= false"))
    assert resonare("forget", MAYA, "--yes").code == 0
    rule = (linked / "resonare.toml").read_text()
    assert "clear = [" in rule
    (linked / "resonare.toml").write_text(rule.replace("fetch_links = false", "fetch_links = true"))

    make_all(linked)

    assert "[Link: Wedding of [forgotten] — " in texts("told")
    assert {place.split("/")[0] for place in found(linked / "data")} == {
        "raw",
        "completions.sqlite",
    }
