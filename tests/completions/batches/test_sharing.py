"""Several processes on one ledger, and what dies or sleeps between two steps."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches.batch import State
from resonare_pipeline.completions.batches.ledger import Ledger, MovedError
from resonare_pipeline.completions.batches.remote import Remote
from resonare_pipeline.completions.cache.store import Cache
from resonare_pipeline.completions.requests import Failure
from tests.completions.asking import ask, engine, requests
from tests.completions.batches.campaigns import Desk, answers_to, key_of, leftovers, times
from tests.completions.batches.campaigns import desk as open_desk
from tests.completions.batches.conftest import Opening, Strike
from tests.fake_openai.running import Running, serving

TEN = requests(10)


def call_dead(desk: Desk) -> None:
    """Let everybody who uses a database look dead, but batches at the provider."""
    with_owners = text("UPDATE owners SET alive_until = 0 WHERE alive_until < 1e11")
    desk.ledger.cache.run(lambda connection: connection.execute(with_owners))


def owners(desk: Desk) -> list[str]:
    query = text("SELECT owner FROM owners WHERE owner LIKE 'batch-%'")
    return desk.ledger.cache.run(lambda connection: list(connection.execute(query).scalars()))


@pytest.mark.parametrize("running_seconds", [0.0, 600.0])
def test_two_processes_with_one_input_ask_each_request_once(
    opening: Opening, server: Running, strike: Strike, database: URL, running_seconds: float
) -> None:
    strike(running_seconds=running_seconds)
    with (
        opening(TEN, database=database, batch_lines=3) as one,
        opening(TEN, database=database, batch_lines=3, clock=one.clock) as other,
    ):
        one.look()
        assert not other.look().is_done
        one.run()
        other.run()
        assert other.came(TEN) == one.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


def test_what_is_in_a_batch_is_said_to_be_and_not_asked_online(
    opening: Opening, server: Running, strike: Strike, database: URL
) -> None:
    strike(running_seconds=600.0)
    with opening(TEN[:6], database=database) as desk:
        desk.look(0)
        outcomes, _ = ask(engine(server.url, database), TEN)
        assert [outcome.failure for outcome in outcomes] == [Failure.BATCHED] * 6 + [None] * 4
        desk.run()
    outcomes, tally = ask(engine(server.url, database), TEN)
    assert [o.completion and o.completion.message["content"] for o in outcomes] == answers_to(TEN)
    assert tally.sent == 0
    assert times(server, TEN) == [1] * 6 + [0] * 4


def test_what_was_answered_online_is_in_no_batch(
    opening: Opening, server: Running, database: URL
) -> None:
    ask(engine(server.url, database), TEN[:6])
    with opening(TEN, database=database) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [0] * 6 + [1] * 4


def test_another_endpoint_shares_nothing(
    opening: Opening, server: Running, database: URL, folder: Path
) -> None:
    with serving() as second, opening(TEN, database=database) as desk:
        desk.look()
        with open_desk(second, database, folder, TEN) as other:
            assert other.batches() == []
            other.run()
            assert times(second, TEN) == [1] * 10
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


@pytest.mark.parametrize("running_seconds", [0.0, 600.0])
def test_batches_of_a_process_that_died_are_taken_on_by_another_campaign(
    opening: Opening, server: Running, strike: Strike, folder: Path, running_seconds: float
) -> None:
    strike(running_seconds=running_seconds)
    with opening(TEN) as died:
        died.look()
        call_dead(died)
        with opening(requests(3, parameters={"seed": 1}), campaign="b", clock=died.clock) as other:
            other.run(700.0)
            assert other.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


def test_a_process_that_slept_does_not_send_what_others_have_asked_meanwhile(
    opening: Opening, server: Running, place: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Remote.upload

    def slow(self: Remote, path: Path, batch: str) -> str:
        monkeypatch.undo()
        call_dead(desk)
        outcomes, _ = ask(engine(server.url, place), TEN[:5])
        assert {outcome.failure for outcome in outcomes} == {None}
        return upload(self, path, batch)

    with opening(TEN) as desk:
        monkeypatch.setattr(Remote, "upload", slow)
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [0] * 5 + [1] * 5


def test_of_two_processes_that_make_one_batch_only_one_counts(
    opening: Opening, server: Running, strike: Strike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sleeps just before it asks for a batch; another takes over and makes it."""
    strike(running_seconds=600.0)
    create = Remote.create

    def slow(self: Remote, *given: str) -> object:
        monkeypatch.undo()
        call_dead(desk)
        with opening(TEN, clock=desk.clock) as other:
            for _ in range(5):
                other.look()
            assert [batch.state for batch in other.batches()] == [State.SUBMITTED]
        return create(self, *given)

    with opening(TEN) as desk:
        monkeypatch.setattr(Remote, "create", slow)
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert sorted(batch["status"] for batch in server.batches()) == ["cancelled", "completed"]


def test_two_processes_that_collect_one_batch_lose_nothing(
    opening: Opening, server: Running, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    download = Remote.download

    def slow(self: Remote, file: str, path: Path) -> bool:
        monkeypatch.undo()
        call_dead(desk)
        assert download(self, file, path)
        with opening(TEN, clock=desk.clock) as other:
            other.run()
            assert other.came(TEN) == answers_to(TEN)
        return True

    with opening(TEN) as desk:
        monkeypatch.setattr(Remote, "download", slow)
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


def test_a_step_that_another_process_has_taken_is_not_written_over(opening: Opening) -> None:
    with opening(TEN) as desk:
        desk.look()
        seen = desk.batches()[0]
        desk.ledger.change(seen, state=State.UPLOADED, remote=None)
        for step in ({"state": State.COLLECTED}, {"remote": "other"}, {"creating_at": 1.0}):
            with pytest.raises(MovedError):
                desk.ledger.change(seen, **step)
        desk.ledger.change(desk.batches()[0], state=State.SUBMITTED, remote=seen.remote)


def test_a_batch_that_waits_for_room_keeps_its_requests_no_longer_than_its_process_lives(
    opening: Opening, server: Running, strike: Strike, place: URL
) -> None:
    others = requests(20, parameters={"seed": 1})
    strike(enqueued_tokens={"gpt-4o-mini": 150}, running_seconds=10_000.0)
    elsewhere = place.set(database=f"{place.database}.other")
    with opening(others, database=elsewhere) as first:
        first.look(0)
        with opening(TEN) as desk:
            desk.look(1.0)
            desk.look(1.0)
            assert desk.batches()[0].refusals == 1
            call_dead(desk)
            outcomes, _ = ask(engine(server.url, place), TEN)
            assert {outcome.failure for outcome in outcomes} == {None}


def test_a_process_that_dies_while_it_stages_leaves_its_requests_to_others(
    opening: Opening, server: Running, folder: Path
) -> None:
    with opening(TEN) as died:
        died.driver.stage(iter(TEN))
        call_dead(died)
        with opening(TEN) as other:
            other.run()
            assert other.came(TEN) == answers_to(TEN)
            assert sorted(batch.state for batch in other.batches()) == ["dropped", "settled"]
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


def test_a_process_that_dies_while_it_gives_a_batch_up_leaves_no_file(
    opening: Opening, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = Ledger.settle

    def last_act(self: Ledger, *given: Any, **values: Any) -> int:
        settle(self, *given, **values)
        raise LookupError

    with opening(TEN) as desk:
        desk.driver.stage(iter(TEN))
        monkeypatch.setattr(Ledger, "settle", last_act)
        call_dead(desk)
        with pytest.raises(LookupError), opening(TEN) as other:
            other.look()
        monkeypatch.undo()
        assert desk.batches()[0].state is State.DROPPED
        assert list(folder.iterdir()) == []


def test_an_owner_without_a_batch_keeps_nobody_waiting(opening: Opening, place: URL) -> None:
    with opening(TEN) as desk:
        keys = [key_of(request, desk.ledger) for request in TEN]
    cache = Cache(place)
    cache.run(
        lambda c: c.execute(text("INSERT INTO owners VALUES ('batch-of-nobody', 1000000000000.0)"))
    )
    cache.claim(keys, owner="batch-of-nobody")
    cache.close()
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert owners(desk) == []


def test_waiting_for_others_leaves_no_empty_batches_behind(
    opening: Opening, strike: Strike
) -> None:
    strike(running_seconds=600.0)
    with opening(TEN, campaign="a") as first:
        first.look(0)
        with opening(TEN, campaign="b", clock=first.clock) as other:
            for _ in range(3):
                assert other.look(0).elsewhere == 10
            assert len(other.batches()) == 1
