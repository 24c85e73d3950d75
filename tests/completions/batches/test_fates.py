"""Whatever becomes of a batch: each request ends with the answer to it, or with a reason."""

from pathlib import Path

import pytest

from resonare_pipeline.completions.batches.batch import State
from resonare_pipeline.completions.requests import Failure
from tests.completions.asking import requests
from tests.completions.batches.campaigns import answers_to, leftovers, ran, times
from tests.completions.batches.conftest import Opening, Strike
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fate, FateRule, Fault, Rule

TEN = requests(10)


def test_every_answer_is_that_to_its_own_request_and_no_file_is_left(
    opening: Opening, server: Running, folder: Path
) -> None:
    with opening(TEN, batch_lines=4) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert [batch.lines for batch in desk.batches()] == [4, 4, 2]
        assert {batch.state for batch in desk.batches()} == {State.SETTLED}
    assert times(server, TEN) == [1] * 10
    assert leftovers(server, folder) == []


def test_identical_requests_are_one_line(opening: Opening, server: Running) -> None:
    with opening(TEN + TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert ran(server).total() == 10


@pytest.mark.parametrize(
    ("fault", "failure", "tries"),
    [
        (Fault.INVALID, Failure.INVALID, 1),
        (Fault.CONTEXT, Failure.INVALID, 1),
        (Fault.FORBIDDEN, Failure.FORBIDDEN, 1),
        (Fault.QUOTA, Failure.BUDGET, 1),
        (Fault.UNPAID, Failure.BUDGET, 1),
        (Fault.RATE, Failure.RATE, 3),
        (Fault.SERVER, Failure.SERVER, 3),
    ],
)
def test_lines_that_all_fail_are_told_and_asked_again_only_where_that_may_help(
    opening: Opening,
    server: Running,
    strike: Strike,
    fault: Fault,
    failure: Failure,
    tries: int,
) -> None:
    strike(FateRule(fate=Fate.LINES_FAIL, fault=fault))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [failure] * 10
        assert all(desk.details(TEN))
    assert times(server, TEN) == [tries] * 10


def test_lines_that_fail_for_now_are_asked_again_and_the_others_are_not(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(script={"rules": (Rule(fault=Fault.RATE, contains="question 3", times=2),)})
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1, 1, 1, 3, 1, 1, 1, 1, 1, 1]


def test_answers_that_are_none_are_kept_as_such_and_not_paid_for_again(
    opening: Opening, server: Running, strike: Strike
) -> None:
    faults = (Fault.LENGTH, Fault.FILTER, Fault.EMPTY, Fault.REFUSAL)
    rules = tuple(Rule(fault=f, contains=f"question {n}") for n, f in enumerate(faults))
    strike(script={"rules": rules})
    with opening(TEN) as desk:
        desk.run()
        kinds = [Failure.TRUNCATED, Failure.FILTERED, Failure.EMPTY, Failure.REFUSED]
        assert desk.came(TEN) == kinds + answers_to(TEN[4:])
    with opening(TEN, campaign="another") as desk:
        assert desk.look().is_done
    assert times(server, TEN) == [1] * 10


@pytest.mark.parametrize("count", [1, 3])
def test_an_output_file_that_is_named_late_is_waited_for(
    opening: Opening, server: Running, strike: Strike, count: int
) -> None:
    strike(FateRule(fate=Fate.OUTPUT_LATE, count=count))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [1] * 10


def test_an_output_file_that_is_never_named_is_given_up(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(FateRule(fate=Fate.OUTPUT_LATE, count=10_000, nth=1))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert len(desk.standings) > 10
    assert times(server, TEN) == [2] * 10  # the first results were lost


@pytest.mark.parametrize("fate", [Fate.EXPIRED, Fate.CANCELLED])
def test_what_was_done_before_a_batch_ended_early_is_kept(
    opening: Opening, server: Running, strike: Strike, fate: Fate
) -> None:
    strike(FateRule(fate=fate, share=0.4, nth=1), running_seconds=90.0)
    with opening(TEN) as desk:
        desk.run()
        rest = [Failure.CANCELLED] * 6 if fate is Fate.CANCELLED else answers_to(TEN[4:])
        assert desk.came(TEN) == answers_to(TEN[:4]) + rest
    assert times(server, TEN) == [1] * 4 + [int(fate is Fate.EXPIRED)] * 6


def test_batches_that_expire_every_time_end_with_that_as_the_reason(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(FateRule(fate=Fate.EXPIRED, share=0.0))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [Failure.EXPIRED] * 10
    assert ran(server).total() == 0
    assert server.state()["batches"] == 3


@pytest.mark.parametrize("code", ["paused", "a status of more than thirty-two characters"])
def test_an_unknown_status_ends_as_expired_a_day_later(
    opening: Opening, server: Running, strike: Strike, code: str
) -> None:
    strike(FateRule(fate=Fate.STATUS, code=code))
    with opening(TEN, batch_tries=2) as desk:
        desk.look()
        assert not desk.look(23 * 3600.0).is_done
        assert desk.run(3 * 3600.0).is_done
        assert desk.came(TEN) == [Failure.EXPIRED] * 10
        assert all(code in detail for detail in desk.details(TEN))
    assert server.state()["batches"] == 2
    assert server.files() == []


@pytest.mark.parametrize(("count", "nth"), [(1, 1), (2, 1)])
def test_a_batch_that_vanishes_is_asked_again_after_some_looks(
    opening: Opening, server: Running, strike: Strike, count: int, nth: int
) -> None:
    strike(FateRule(fate=Fate.VANISHES, count=count, nth=nth), running_seconds=3600.0)
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert server.state()["batches"] == 2


def test_batches_that_vanish_every_time_end_with_a_reason(opening: Opening, strike: Strike) -> None:
    strike(FateRule(fate=Fate.VANISHES))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [Failure.SERVER] * 10
        assert set(desk.details(TEN)) == {"the provider has lost the batch"}


def test_an_output_file_that_vanishes_is_asked_for_again_and_failures_are_kept(
    opening: Opening, server: Running, strike: Strike
) -> None:
    bad = Rule(fault=Fault.INVALID, contains="question 0")
    strike(FateRule(fate=Fate.OUTPUT_VANISHES, nth=1), script={"rules": (bad,)})
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [Failure.INVALID, *answers_to(TEN[1:])]
    assert times(server, TEN) == [1] + [2] * 9


def test_an_error_file_that_vanishes_loses_no_answer(
    opening: Opening, server: Running, strike: Strike
) -> None:
    bad = Rule(fault=Fault.INVALID, contains="question 0", times=1)
    strike(FateRule(fate=Fate.ERRORS_VANISH, nth=1), script={"rules": (bad,)})
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [2] + [1] * 9


def test_output_files_that_vanish_every_time_end_with_the_reason(
    opening: Opening, strike: Strike
) -> None:
    strike(FateRule(fate=Fate.OUTPUT_VANISHES))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == [Failure.SERVER] * 10
        assert all("lost the file" in detail for detail in desk.details(TEN))


@pytest.mark.parametrize("fate", [Fate.LINES_LOST, Fate.LINES_HALVED])
def test_lines_that_are_lost_or_broken_are_asked_again_and_no_others(
    opening: Opening, server: Running, strike: Strike, fate: Fate
) -> None:
    fifty = requests(50)
    strike(FateRule(fate=fate, share=0.3, nth=1))
    with opening(fifty) as desk:
        desk.run()
        assert desk.came(fifty) == answers_to(fifty)
        first, second = desk.batches()
    assert 0 < second.lines < 50
    assert first.answered + second.lines == 50
    assert sorted(times(server, fifty)) == [1] * first.answered + [2] * second.lines


def test_lines_repeated_shuffled_and_unknown_change_nothing(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    fifty = requests(50)
    strike(
        FateRule(fate=Fate.LINES_REPEATED, share=0.5),
        FateRule(fate=Fate.LINES_SHUFFLED),
        FateRule(fate=Fate.UNKNOWN_IDS, count=7),
        script={"rules": (Rule(fault=Fault.INVALID, contains="question 7"),)},
    )
    with opening(fifty) as desk:
        desk.run()
        expected = answers_to(fifty)
        assert desk.came(fifty) == [*expected[:7], Failure.INVALID, *expected[8:]]
        assert desk.ledger.cache.count() == 49
        assert sum(batch.answered for batch in desk.batches()) == 49
    assert times(server, fifty) == [1] * 50
    assert leftovers(server, folder) == []


@pytest.mark.parametrize("fate", [Fate.ERROR_WITHIN, Fate.NO_CHOICES])
def test_success_without_an_answer_is_none_and_asked_again(
    opening: Opening, server: Running, strike: Strike, fate: Fate
) -> None:
    strike(FateRule(fate=fate, nth=1))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
    assert times(server, TEN) == [2] * 10
    strike(FateRule(fate=fate))
    others = requests(10, parameters={"seed": 1})
    with opening(others) as desk:
        desk.run()
        assert desk.came(others) == [Failure.SERVER] * 10


def test_a_download_that_breaks_is_begun_anew(
    opening: Opening, server: Running, strike: Strike, folder: Path
) -> None:
    thousand = requests(1_200)
    strike(FateRule(fate=Fate.DOWNLOAD_BROKEN, count=2))
    with opening(thousand) as desk:
        desk.run()
        assert desk.came(thousand) == answers_to(thousand)
        assert any(standing.unreached for standing in desk.standings)
    assert set(times(server, thousand)) == {1}
    assert leftovers(server, folder) == []


def test_retrievals_that_fail_for_some_time_are_waited_through(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(FateRule(fate=Fate.RETRIEVE_FAILS, count=5))
    with opening(TEN) as desk:
        desk.run()
        assert desk.came(TEN) == answers_to(TEN)
        assert sum(bool(standing.unreached) for standing in desk.standings) == 5
    assert times(server, TEN) == [1] * 10
