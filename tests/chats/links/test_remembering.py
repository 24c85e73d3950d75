"""What is kept of links, and for how long they are left alone."""

import datetime as dt
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from resonare_pipeline.chats.links.contents import LinkContent, LinkKind
from resonare_pipeline.chats.links.failures import LinkFailure
from resonare_pipeline.chats.links.remembering import (
    News,
    Outcome,
    failed_try,
    open_memory,
)
from resonare_pipeline.errors import CacheError, SettingsError
from tests.chats.links.conftest import Clock, Read
from tests.completions.conftest import database, postgres_server  # noqa: F401  # fixtures
from tests.fake_web import Page, Web, page, post, reset

AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
KEYS = [f"{number:064x}" for number in range(1_200)]
CONTENT = LinkContent(kind=LinkKind.PAGE, title="Grün \U0001f600", text="\x00")


def found(key: str, outcome: Outcome) -> News:
    return News(key=key, outcome=outcome, failure=outcome.failure, tries=0, at=AT)


def test_what_one_process_keeps_another_finds(database: URL) -> None:  # noqa: F811
    gone = Outcome(failure=LinkFailure.GONE)
    with open_memory(database) as one, open_memory(database) as other:
        one.keep([found(KEYS[1], Outcome(content=CONTENT)), found(KEYS[0], gone)])
        known = other.find(KEYS[:3])
    assert {key: item.outcome for key, item in known.items()} == {
        KEYS[0]: gone,
        KEYS[1]: Outcome(content=CONTENT),
    }


def test_many_links_are_kept_and_found_at_once(database: URL) -> None:  # noqa: F811
    with open_memory(database) as memory:
        memory.keep(found(key, Outcome(content=CONTENT)) for key in KEYS)
        assert memory.find(KEYS).keys() == set(KEYS)


def test_an_outcome_stays_whatever_comes_after_it(database: URL) -> None:  # noqa: F811
    with open_memory(database) as memory:
        memory.keep([found(KEYS[0], Outcome(content=CONTENT))])
        memory.keep([found(KEYS[0], Outcome(failure=LinkFailure.GONE))])
        memory.keep([failed_try(KEYS[0], LinkFailure.TIMED_OUT, None, AT)])
        assert memory.find(KEYS[:1])[KEYS[0]].outcome == Outcome(content=CONTENT)


def test_two_processes_that_fail_together_count_once(database: URL) -> None:  # noqa: F811
    first = failed_try(KEYS[0], LinkFailure.TIMED_OUT, None, AT)
    with open_memory(database) as one, open_memory(database) as other:
        for memory in (one, other):
            memory.keep([first])
        earlier = one.find(KEYS[:1])[KEYS[0]]
        assert (earlier.tries, earlier.retry_at) == (1, AT + dt.timedelta(hours=1))
        later = AT + dt.timedelta(hours=2)
        one.keep([failed_try(KEYS[0], LinkFailure.UNCONNECTED, earlier, later)])
        other.keep([first])  # that had fallen asleep
        known = one.find(KEYS[:1])[KEYS[0]]
    assert (known.tries, known.failure) == (2, LinkFailure.UNCONNECTED)
    assert known.retry_at == later + dt.timedelta(hours=4)


def test_only_hashes_of_addresses_are_kept(web: Web, read: Read, tmp_path: Path) -> None:
    web.routes = {"/secret-path": page("Title"), "/other-path": reset}
    read(f"{web.url}/secret-path", f"{web.url}/other-path", f"{web.url}/third-path")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("c.db*"))
    assert b"Title" in kept
    for part in (b"-path", b"127.0.0.1"):
        assert part not in kept


def test_a_link_that_fails_is_asked_for_after_1_4_16_and_64_hours_and_then_never(
    web: Web, read: Read, clock: Clock
) -> None:
    web.routes = {"/a": Page(status=500)}
    link = f"{web.url}/a"
    for tries, hours in enumerate((1, 4, 16, 64), 1):
        report = read(link)
        assert report.retryable == {LinkFailure.SERVER_ERROR: 1}
        assert report.retry_at == clock() + dt.timedelta(hours=hours)
        clock.move(hours=hours, seconds=-1)
        again = read(link)
        assert again.retryable == {LinkFailure.SERVER_ERROR: 1}
        assert (again.retry_at, again.fetched, again.remembered) == (report.retry_at, 0, 0)
        assert len(web.calls) == tries
        clock.move(seconds=1)
    report = read(link)
    assert (report.final, report.retryable) == ({LinkFailure.UNREACHABLE: 1}, {})
    clock.move(days=999)
    assert read(link).final == {LinkFailure.UNREACHABLE: 1}
    assert len(web.calls) == 5


def test_a_link_that_comes_back_is_read(web: Web, read: Read, clock: Clock) -> None:
    web.routes = {"/a": [Page(status=500), page("Back")]}
    link = f"{web.url}/a"
    assert read(link).contents == {}
    clock.move(hours=2)
    assert read(link).contents[link].title == "Back"
    clock.move(days=999)
    assert read(link).remembered == 1
    assert len(web.calls) == 2


def test_the_first_of_several_that_may_be_asked_again_tells_when(
    web: Web, read: Read, clock: Clock
) -> None:
    web.routes = {"/a": Page(status=500), "/b": Page(status=500)}
    read(f"{web.url}/a")
    clock.move(hours=1)
    report = read(f"{web.url}/a", f"{web.url}/b")
    assert report.retryable == {LinkFailure.SERVER_ERROR: 2}
    assert report.retry_at == clock() + dt.timedelta(hours=1)


def test_links_are_read_with_any_database(
    database: URL,  # noqa: F811
    web: Web,
    read: Read,
    tmp_path: Path,
) -> None:
    web.routes = {f"/{i}": page(f"Page {i}") for i in range(120)}
    web.routes["/7"] = Page(status=500)
    environ = {"RESONARE_DB": database.render_as_string(hide_password=False)}
    links = [f"{web.url}/{i}" for i in range(130)]
    for fetched, remembered in ((129, 0), (0, 129)):
        report = read(*links, environ=environ)
        assert (report.fetched, report.remembered) == (fetched, remembered)
        assert len(report.contents) == 119
        assert report.final == {LinkFailure.GONE: 10}
        assert report.retryable == {LinkFailure.SERVER_ERROR: 1}
    assert not (tmp_path / "c.db").exists()


def test_another_length_takes_no_fetching(web: Web, read: Read) -> None:
    web.routes = {"/a": page("Title", "word " * 400)}
    link = f"{web.url}/a"
    lengths = [
        len("".join((content.title, content.text)))
        for most in (500, 50, 1_500)
        for content in read(link, max_characters=most).contents.values()
    ]
    assert lengths[1] <= 50 < lengths[0] <= 500 < lengths[2] <= 1_500
    assert len(web.calls) == 1


def test_another_endpoint_is_asked_anew(web: Web, read: Read) -> None:
    web.routes = {"/oembed": post("Hello"), "/other": page("No oEmbed")}
    link = "https://x.com/ada/status/1"
    assert read(link).contents[link].text == "Hello"
    assert read(link, oembed_url=f"{web.url}/other").retryable == {LinkFailure.BAD_ANSWER: 1}


@pytest.mark.parametrize("place", ["sqlite:////dev/null/no/c.db", "postgresql://127.0.0.1:1/none"])
def test_a_database_that_cannot_be_used_is_an_error(place: str, web: Web, read: Read) -> None:
    with pytest.raises(CacheError):
        read(f"{web.url}/a", environ={"RESONARE_DB": place})
    with pytest.raises(SettingsError):
        read(f"{web.url}/a", environ={"RESONARE_DB": "mysql://127.0.0.1/x"})
    assert web.calls == []


def test_a_database_that_fails_later_is_an_error_too(web: Web, read: Read, tmp_path: Path) -> None:
    web.routes = {"/a": page("A"), "/b": page("B")}
    read(f"{web.url}/a")
    engine = create_engine(f"sqlite:///{tmp_path / 'c.db'}")
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON link_contents "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    engine.dispose()
    with pytest.raises(CacheError, match="disk full"):
        read(f"{web.url}/b")


def test_threads_that_read_the_same_links_all_get_them(web: Web, read: Read) -> None:
    web.routes = {f"/{i}": page(f"Page {i}") for i in range(40)}
    links = [f"{web.url}/{i}" for i in range(40)]
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(len(read(*links).contents))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [40, 40, 40]
    assert read(*links).remembered == 40


def test_only_what_says_a_name_is_forgotten(database: URL) -> None:  # noqa: F811
    post = LinkContent(kind=LinkKind.POST, text="Hi", author="Ada", handle="maya")
    gone = Outcome(failure=LinkFailure.GONE)
    with open_memory(database) as memory:
        memory.keep(found(key, Outcome(content=CONTENT)) for key in KEYS[4:])
        memory.keep(
            [
                found(KEYS[0], Outcome(content=post)),
                found(KEYS[1], gone),
                failed_try(KEYS[2], LinkFailure.TIMED_OUT, None, AT),
            ]
        )
        assert memory.forget(re.compile("@maya")) == 1
        assert memory.find(KEYS).keys() == set(KEYS) - {KEYS[0], KEYS[3]}
        assert memory.forget(re.compile("Grün")) == len(KEYS[4:])
        assert memory.find(KEYS).keys() == {KEYS[1], KEYS[2]}
