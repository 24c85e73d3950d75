"""Uploads and creations of which nobody knows whether they worked."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from resonare_pipeline.completions.batches import remote
from resonare_pipeline.completions.batches.batch import State
from resonare_pipeline.errors import ResonareError, StageError
from tests.completions.asking import requests
from tests.completions.batches.campaigns import answers_to, leftovers, times
from tests.completions.batches.conftest import Opening, Strike
from tests.fake_openai import batch_routes, file_routes
from tests.fake_openai.desk import Desk
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fate, FateRule

TEN = requests(10)


@pytest.mark.parametrize(
    ("fate", "made"),
    [(Fate.CREATE_BROKEN, 1), (Fate.CREATE_FAILED_MADE, 1), (Fate.CREATE_FAILED, 1)],
)
def test_a_batch_that_may_have_been_made_is_found_or_made_once(
    opening: Opening, server: Running, strike: Strike, folder: Path, fate: Fate, made: int
) -> None:
    strike(FateRule(fate=fate, nth=1))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert any(standing.unreached for standing in desk.standings)
    assert server.state()["batches"] == made
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


@pytest.mark.parametrize("fate", [Fate.CREATE_BROKEN, Fate.CREATE_FAILED_MADE])
def test_a_batch_that_was_made_and_is_listed_late_is_not_made_again(
    opening: Opening, server: Running, strike: Strike, fate: Fate
) -> None:
    strike(FateRule(fate=fate, nth=1), FateRule(fate=Fate.LISTED_LATE, count=2))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert server.state()["batches"] == 1
    assert times(server, TEN) == [1] * 10


def test_a_creation_whose_answer_cannot_be_read_is_no_reason_to_make_another(
    opening: Opening, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = batch_routes.BatchRoutes._created

    async def unreadable(self: Any, *given: Any) -> web.StreamResponse:  # a gateway answers for it
        await made(self, *given)
        return web.Response(text="<html>done</html>", content_type="text/html")

    with opening(TEN) as desk:
        with monkeypatch.context() as patched:
            patched.setattr(batch_routes.BatchRoutes, "_created", unreadable)
            desk.look()
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert server.state()["batches"] == 1


def test_what_was_made_is_found_among_many_whatever_their_order(
    opening: Opening, server: Running, strike: Strike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "PAGE", 4)
    others = requests(10, parameters={"seed": 1})
    with opening(others, campaign="others", batch_lines=1) as desk:
        desk.run()
    strike(FateRule(fate=Fate.CREATE_BROKEN, nth=1))
    server.advance(30 * 86_400)  # so the others are older than what is looked through
    listed = Desk.listed
    monkeypatch.setattr(Desk, "listed", lambda self: listed(self)[::-1])
    with opening(TEN) as desk:
        desk.clock.ahead_seconds = 30 * 86_400
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


def test_a_listing_that_never_ends_is_left(
    opening: Opening, server: Running, strike: Strike, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_: web.BaseRequest, items: list[Any], **__: int) -> web.Response:
        value = {"object": "list", "data": items, "has_more": True}
        return web.Response(body=msgspec.json.encode(value), content_type="application/json")

    monkeypatch.setattr(batch_routes, "page", endless)
    monkeypatch.setattr(file_routes, "page", endless)
    strike(FateRule(fate=Fate.CREATE_BROKEN, nth=1), FateRule(fate=Fate.UPLOAD_UNANSWERED, times=1))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert server.state()["batches"] == 1


@pytest.mark.parametrize("fate", [Fate.CREATE_BROKEN, Fate.CREATE_FAILED])
def test_a_batch_that_was_refused_before_is_not_taken_for_the_one_that_was_made(
    opening: Opening, server: Running, strike: Strike, fate: Fate
) -> None:
    others = requests(10, parameters={"seed": 1})
    strike(
        FateRule(fate=fate, nth=3),
        enqueued_tokens={"gpt-4o-mini": 100},
        running_seconds=30.0,
    )
    with opening(others, campaign="others", batch_enqueued_tokens=400) as first:
        first.look(0)
        place = first.ledger.cache.url
        mine = place.set(database=f"{place.database}.mine")
        with opening(TEN, database=mine, batch_lines=10) as desk:
            desk.run()
            assert desk.came(TEN) == answers_to(TEN)
            assert desk.batches()[0].refusals == 1
        first.run()
    assert times(server, TEN) == [1] * 10


@pytest.mark.parametrize("fate", [Fate.UPLOAD_BROKEN, Fate.UPLOAD_FAILED, Fate.UPLOAD_UNANSWERED])
def test_an_upload_that_breaks_is_done_anew_and_leaves_no_file(
    opening: Opening, server: Running, strike: Strike, folder: Path, fate: Fate
) -> None:
    strike(FateRule(fate=fate, times=2))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


def test_an_upload_that_never_works_ends_with_a_reason_and_leaves_no_file(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    strike(FateRule(fate=Fate.UPLOAD_UNANSWERED))
    with opening(TEN) as desk, pytest.raises(StageError, match="cannot be reached"):
        desk.run()
    assert leftovers(server, folder) == []
    with opening(TEN) as desk:
        assert {batch.state for batch in desk.batches()} == {State.DROPPED}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_endpoint_without_files_is_said_to_have_none_at_once(
    opening: Opening, folder: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def nothing(*_: Any) -> web.Response:
        return web.Response(status=status, text="Not here")

    monkeypatch.setattr(file_routes.FileRoutes, "handle", nothing)
    monkeypatch.setattr(batch_routes.BatchRoutes, "handle", nothing)
    with opening(TEN) as desk, pytest.raises(StageError, match=f"no batch: HTTP {status}"):
        desk.look()
    assert not list(folder.iterdir())


def test_a_key_that_is_refused_is_said_at_once_and_a_right_one_goes_on(
    opening: Opening, server: Running, strike: Strike
) -> None:
    with opening(TEN) as desk:
        desk.look(0)
        strike(script={"keys": ("right",)}, running_seconds=600.0)
        with pytest.raises(StageError, match="refuses the key"):
            desk.look()
    strike()
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


def test_a_full_disk_is_said_without_a_traceback_and_nothing_is_lost(
    opening: Opening, server: Running, folder: Path
) -> None:
    with opening(TEN) as desk:
        desk.look(0)
        folder.rmdir()
        folder.write_text("no folder")  # nothing can be written there
        with pytest.raises(ResonareError, match="cannot be written"):
            desk.run()
        folder.unlink()
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


def test_an_input_file_that_somebody_removed_is_written_anew(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    strike(FateRule(fate=Fate.UPLOAD_BROKEN, times=1))
    with opening(TEN) as desk:
        desk.look()
        for path in folder.iterdir():
            path.unlink()
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10
