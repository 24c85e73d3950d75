"""A whole run: what it reports, what it costs, and what is left when it is broken off."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resonare_pipeline.chats.links.failures import NETWORK, RETRYABLE, LinkFailure
from resonare_pipeline.chats.links.reading import read_links
from resonare_pipeline.chats.links.settings import LinksSettings
from tests.chats.links.conftest import Read
from tests.fake_web import LOOPBACK, Web, page, silence

READ = """
import sys
from pathlib import Path
from resonare_pipeline.chats.links.reading import read_links
from resonare_pipeline.chats.links.settings import LinksSettings
settings = LinksSettings(allowed_page_networks=("127.0.0.1/32",), concurrency=1)
read_links(sys.argv[2:], settings, {}, default_db=Path(sys.argv[1]))
"""


def test_every_link_is_in_exactly_one_place_of_the_report(web: Web, read: Read) -> None:
    web.routes = {"/a": page("A"), "/b": page(), "/c": silence}
    links = [f"{web.url}{path}" for path in ("/a", "/b", "/c", "/d")]
    report = read(*links, *links, "ftp://example.com", timeout_seconds=3)
    assert report.contents.keys() == {links[0]}
    assert report.final == {
        LinkFailure.NO_TITLE: 1,
        LinkFailure.GONE: 1,
        LinkFailure.BAD_URL: 1,
    }
    assert report.retryable == {LinkFailure.TIMED_OUT: 1}
    assert report.fetched == 3


def test_progress_tells_of_each_page_once(
    web: Web, settings: LinksSettings, tmp_path: Path
) -> None:
    web.routes = {f"/{i}": page("A") for i in range(9)}
    told: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, unit: str) -> None:
        told.append((done, total, unit))

    links = (f"{web.url}/{i % 9}" for i in range(30))
    for _ in range(2):
        told.clear()
        read_links(links, settings, {}, default_db=tmp_path / "c.db", progress=progress)
        links = (f"{web.url}/{i}" for i in range(9))
        assert told == [(done, 9, "links") for done in range(1, 10)]


def test_nothing_to_read_asks_neither_network_nor_database(read: Read, tmp_path: Path) -> None:
    report = read("mailto:a@example.com")
    assert (report.contents, report.final) == ({}, {LinkFailure.BAD_URL: 1})
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_keeps_what_was_read(web: Web, read: Read, tmp_path: Path) -> None:
    web.routes = {f"/{i}": page(f"Page {i}") for i in range(10)}
    web.routes["/9"] = silence
    links = [f"{web.url}/{i}" for i in range(10)]
    command = [sys.executable, "-c", READ, str(tmp_path / "c.db"), *links]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while "/9" not in web.paths and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in said
    web.routes["/9"] = page("Page 9")
    report = read(*links)
    assert (report.remembered, report.fetched) == (9, 1)


def test_a_killed_run_leaves_a_database_that_the_next_one_uses(
    web: Web, read: Read, tmp_path: Path
) -> None:
    web.routes = {f"/{i}": page(f"Page {i}") for i in range(120)}
    web.routes["/119"] = silence
    links = [f"{web.url}/{i}" for i in range(120)]
    command = [sys.executable, "-c", READ, str(tmp_path / "c.db"), *links]
    with subprocess.Popen(command) as process:
        until = time.monotonic() + 60
        while "/119" not in web.paths and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    web.routes["/119"] = page("Page 119")
    report = read(*links)
    assert len(report.contents) == 120
    assert report.remembered >= 50


def test_planning_loads_neither_network_nor_parser_nor_database() -> None:
    code = (
        "import sys\n"
        "import resonare_pipeline.chats.links.settings, resonare_pipeline.chats.links.finding\n"
        "import resonare_pipeline.chats.links.reading\n"
        "print(sorted({'aiohttp', 'yarl', 'lxml', 'bs4', 'sqlalchemy', 'idna', 'asyncio', 'pandas'}"
        " & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_failures_that_may_pass_are_apart_from_final_ones() -> None:
    assert NETWORK < RETRYABLE
    assert LinkFailure.UNREACHABLE not in RETRYABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"oembed_url": "publish.twitter.com"},
        {"oembed_url": "ftp://publish.twitter.com/"},
        {"allowed_private_networks": ["home"]},
        {"allowed_private_networks": ["10.0.0.1/8"]},
        {"allowed_page_networks": ["home"]},
        {"user_agent": "a\r\nX-Header: b"},
        {"user_agent": "ä"},
        {"max_redirects": -1},
        {"timeout_seconds": 0},
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LinksSettings.model_validate(wrong)


def test_only_what_decides_contents_is_part_of_fingerprints() -> None:
    fast = LinksSettings(concurrency=1, timeout_seconds=1, retries=0, user_agent="x")
    assert fast.identity() == LinksSettings().identity()
    for changed in (
        {"max_characters": 100},
        {"oembed_url": ""},
        {"allowed_private_networks": LOOPBACK},
        {"allowed_page_networks": LOOPBACK},
    ):
        assert LinksSettings.model_validate(changed).identity() != fast.identity()
