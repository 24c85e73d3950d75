"""No campaign costs more than its cap."""

from tests.completions.asking import requests
from tests.completions.batches.campaigns import answers_to, ran
from tests.completions.batches.conftest import Opening, Strike
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fate, FateRule

PRICES = {"input_usd_per_million": 0.0, "output_usd_per_million": 1_000_000.0}  # 1 USD a token
TEN = requests(10, parameters={"max_tokens": 4})  # 2 USD each in a batch at most, and so billed


def test_what_does_not_fit_under_the_cap_is_not_asked(opening: Opening, server: Running) -> None:
    with opening(TEN, max_cost_usd=13.0, **PRICES) as desk:
        standing = desk.run()
        assert standing.cost_usd == 12.0
        assert standing.lacking == "budget"
        assert desk.came(TEN) == answers_to(TEN[:6]) + [None] * 4
    assert ran(server).total() == 6


def test_a_cap_that_all_fits_under_exactly_holds_nothing_back(opening: Opening) -> None:
    with opening(TEN, max_cost_usd=20.0, **PRICES) as desk:
        assert desk.run().cost_usd == 20.0
        assert desk.came(TEN) == answers_to(TEN)


def test_what_was_reserved_and_not_needed_is_asked_for_in_the_next_round(
    opening: Opening, server: Running
) -> None:
    dear = requests(10, parameters={"max_tokens": 24})  # 12 USD each at most; 6 are billed
    with opening(dear, max_cost_usd=40.0, **PRICES) as desk:
        standing = desk.run()
        assert standing.cost_usd == 30.0
        assert desk.came(dear) == answers_to(dear[:5]) + [None] * 5
    assert ran(server).total() == 5


def test_what_ran_and_was_lost_counts_as_the_most_that_it_can_have_cost(
    opening: Opening, server: Running, strike: Strike
) -> None:
    strike(FateRule(fate=Fate.LINES_LOST, share=1.0, times=1))
    with opening(TEN, max_cost_usd=30.0, **PRICES) as desk:
        standing = desk.run()
        assert standing.lacking == "budget"
        assert standing.cost_usd == 10.0
        assert desk.came(TEN) == answers_to(TEN[:5]) + [None] * 5
    assert ran(server).total() == 15
