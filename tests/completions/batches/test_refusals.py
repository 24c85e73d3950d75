"""Batches that the provider refuses: faulty lines, too many tokens, no credit."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from resonare_pipeline.completions.batches.queueing import learn_limit, learned_limit
from resonare_pipeline.completions.requests import Failure
from tests.completions.asking import request, requests
from tests.completions.batches.campaigns import answers_to, leftovers, times
from tests.completions.batches.conftest import Opening, Strike
from tests.fake_openai import batches
from tests.fake_openai.answers import prompt_tokens
from tests.fake_openai.running import Running
from tests.fake_openai.scanning import Problem
from tests.fake_openai.script import Fate, FateRule

TEN = requests(10)
LONG = " internationalization"  # one or two tokens of o200k, and five by a fourth of its characters


@pytest.fixture
def of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let validation fail without naming a line."""
    monkeypatch.setattr(batches, "problem", lambda code, _: Problem(code, "Scripted refusal"))


@pytest.fixture
def of_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let validation fail at some lines, each time a little less."""

    def fail(*numbers: int, code: str = "invalid_json_line", times: int = 1) -> None:
        left = [times]

        def found_wrong(_: batches.Batch) -> list[Problem]:
            left[0] -= 1
            return [Problem(code, "Scripted", None, number) for number in numbers if left[0] >= 0]

        monkeypatch.setattr(batches.Batch, "found_wrong", found_wrong)

    return fail


@pytest.mark.parametrize(
    "code", ["invalid_json_line", "duplicate_custom_id", "invalid_method", "never_heard_of"]
)
def test_faulty_lines_are_dropped_and_the_others_are_asked_again(
    opening: Opening, server: Running, of_lines: Callable[..., None], code: str
) -> None:
    of_lines(3, 10, code=code)
    with opening(TEN) as desk:
        desk.run()
        expected: list[object] = [*answers_to(TEN)]
        expected[2] = expected[9] = Failure.INVALID
        assert desk.came(TEN) == expected
        assert code in desk.details(TEN)[2]
    assert times(server, TEN) == [1, 1, 0, 1, 1, 1, 1, 1, 1, 0]


def test_a_batch_in_which_every_line_is_faulty_ends(
    opening: Opening, server: Running, of_lines: Callable[..., None]
) -> None:
    of_lines(*range(1, 11), times=99)
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [Failure.INVALID] * 10
    assert server.state()["batches"] == 1


@pytest.mark.usefixtures("of_the_batch")
@pytest.mark.parametrize(
    ("code", "failure", "made"),
    [
        ("billing_hard_limit_reached", Failure.BUDGET, 1),
        ("insufficient_quota", Failure.BUDGET, 1),
        ("model_not_found", Failure.UNAUTHORISED, 1),
        ("never_heard_of", Failure.SERVER, 3),
    ],
)
def test_a_batch_that_is_refused_as_a_whole_ends_with_what_was_said(
    opening: Opening,
    server: Running,
    strike: Strike,
    folder: Path,
    code: str,
    failure: Failure,
    made: int,
) -> None:
    strike(FateRule(fate=Fate.FAILS, code=code))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [failure] * 10
        assert set(desk.details(TEN)) == {f"{code}, Scripted refusal"}
    assert server.state()["batches"] == made
    assert leftovers(server, folder) == []


def test_a_model_that_lines_are_refused_for_is_not_asked_for_line_by_line(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(script={"models": ("another",)})
    many = requests(250)
    with opening(many) as desk:
        desk.run()
        assert desk.came(many) == [Failure.UNAUTHORISED] * 250
    assert server.state()["batches"] == 1


def test_a_limit_that_a_refusal_tells_is_kept_to(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    hundred = requests(100)
    strike(enqueued_tokens={"gpt-4o-mini": 300}, running_seconds=30.0)
    with opening(hundred) as desk:
        desk.run()
        assert desk.came(hundred) == answers_to(hundred)
        assert learned_limit(desk.ledger, "gpt-4o-mini") == 300
    assert times(server, hundred) == [1] * 100
    assert server.state()["batches_failed"] == 1
    assert leftovers(server, folder) == []


def test_room_that_others_take_is_waited_for(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    others = requests(20, parameters={"seed": 1})
    strike(enqueued_tokens={"gpt-4o-mini": 150}, running_seconds=1_000.0)
    with opening(others, campaign="others", batch_enqueued_tokens=400) as first:
        first.look(0)  # under way in another ledger, as that of a colleague
        mine = folder.parent / "mine.sqlite"
        place = first.ledger.cache.url.set(database=str(mine))
        with opening(TEN, database=place) as desk:
            desk.look(10.0)
            assert not desk.look(10.0).is_done
            assert desk.batches()[0].refusals == 1
            desk.run()
            assert desk.came(TEN) == answers_to(TEN)
        first.run()
        assert first.came(others) == answers_to(others)
    assert times(server, TEN) == [1] * 10


def test_a_request_longer_than_the_limit_ends_alone_and_at_once(
    opening: Opening, server: Running, strike: Strike
) -> None:
    giant = request(LONG * 400)
    strike(enqueued_tokens={"gpt-4o-mini": 300})
    with opening([*TEN, giant]) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert desk.came([giant]) == [Failure.RATE]
        assert "longer than all that may be enqueued" in desk.details([giant])[0]
    assert times(server, TEN) == [1] * 10
    assert server.state()["batches_failed"] == 2


def test_a_batch_that_never_fits_by_the_providers_count_is_made_smaller(
    opening: Opening, server: Running, strike: Strike
) -> None:
    """Our count of a prompt is below the provider's, and its limit is met by ours."""
    twenty = [request(f"{number}{LONG * 20}") for number in range(20)]
    counted = sum(prompt_tokens(msgspec.to_builtins(r.body())) for r in twenty)
    strike(enqueued_tokens={"gpt-4o-mini": counted * 3 // 5})
    with opening(twenty) as desk:
        desk.run()
        assert desk.came(twenty) == answers_to(twenty)
        assert len(desk.standings) < 40
    assert times(server, twenty) == [1] * 20


def test_what_a_refusal_told_is_forgotten_after_some_days(opening: Opening) -> None:
    with opening(TEN) as desk:
        learn_limit(desk.ledger, "gpt-4o-mini", 300)
        assert learned_limit(desk.ledger, "gpt-4o-mini") == 300
        desk.clock.ahead_seconds += 30 * 86_400
        assert learned_limit(desk.ledger, "gpt-4o-mini") is None


def test_an_account_whose_limit_was_raised_is_given_larger_batches(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(enqueued_tokens={"gpt-4o-mini": 50})
    with opening(TEN) as desk:
        desk.run()
        small = server.state()["batches"]
    strike(enqueued_tokens={"gpt-4o-mini": 100_000})
    again = requests(10, parameters={"seed": 1})
    with opening(again) as desk:
        desk.clock.ahead_seconds += 30 * 86_400
        desk.run()
        assert desk.came(again) == answers_to(again)
    assert server.state()["batches"] - small == 1
