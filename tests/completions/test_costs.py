import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.completions.budget import Budget
from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.estimating import (
    estimate,
    prompt_tokens,
    require_within_cap,
    upper_cost_usd,
    windowed_tokens,
)
from resonare_pipeline.completions.media import most_media_tokens
from resonare_pipeline.completions.pricing import PRICES_PATH, Price, price_list, price_of
from resonare_pipeline.completions.requests import CompletionRequest, Failure, Usage
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import BudgetError, SettingsError
from tests.completions.asking import ask, engine, request, requests
from tests.fake_openai.running import serving
from tests.fake_openai.script import Fault, Rule, Script

MINI = CompletionsSettings(model="gpt-4o-mini")


def test_every_price_names_its_source_and_day() -> None:
    prices = price_list()
    assert prices.as_of
    assert {price.source for price in prices.models.values()} == set(prices.sources)
    assert PRICES_PATH.exists()


def test_an_answer_costs_its_tokens_and_half_of_that_in_a_batch() -> None:
    price = Price(input=2.0, output=8.0, cached=0.5)
    usage = Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=500_000)
    assert price.cost_usd(usage) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.5 * 8)
    assert price.cost_usd(usage, batch=True) == pytest.approx(2.7)


def test_tokens_that_are_written_to_a_providers_cache_cost_more() -> None:
    price = Price(input=3.0, output=15.0, cached=0.3, cache_write=3.75)
    usage = Usage(input_tokens=1_000_000, cached_tokens=200_000, cache_write_tokens=300_000)
    assert price.cost_usd(usage) == pytest.approx(0.5 * 3 + 0.2 * 0.3 + 0.3 * 3.75)


@pytest.mark.parametrize(
    "name", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini", "GPT-4o-mini"]
)
def test_a_model_is_found_with_its_day_and_its_owner(name: str) -> None:
    assert price_of(name, MINI) == price_list().models["gpt-4o-mini"]


def test_an_unknown_model_has_no_price_but_that_of_the_settings() -> None:
    assert price_of("llama-of-mine", MINI) is None
    own = CompletionsSettings(input_usd_per_million=1, output_usd_per_million=2)
    found = price_of("llama-of-mine", own)
    assert found
    assert (found.input, found.output) == (1, 2)
    with pytest.raises(SettingsError, match="one price is set alone"):
        price_of("llama-of-mine", CompletionsSettings(input_usd_per_million=1))


def test_an_unknown_price_counts_tokens_and_says_that_the_cost_is_unknown(tmp_path: Path) -> None:
    with serving() as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), [request(model="mine")])
    assert outcomes[0].cost_usd is None
    assert (tally.unpriced, tally.cost_usd) == (1, 0.0)
    assert tally.output_tokens == 12
    assert estimate([request(model="mine")], MINI).cost_usd is None


def test_the_cost_of_a_run_is_what_its_answers_cost(tmp_path: Path) -> None:
    with serving() as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), requests(10))
    price = price_list().models["gpt-4o-mini"]
    usages = [outcome.completion.usage for outcome in outcomes if outcome.completion]
    assert tally.cost_usd == pytest.approx(sum(map(price.cost_usd, usages)))
    assert tally.cost_usd > 0


def test_an_estimate_has_requests_tokens_costs_and_hours() -> None:
    settings = CompletionsSettings(model="gpt-4o-mini", requests_per_minute=2)
    wanted = requests(240, parameters={"max_tokens": 100})
    found = estimate(wanted, settings)
    assert (found.requests, found.output_tokens) == (240, 24_000)
    assert found.input_tokens == sum(map(prompt_tokens, wanted))
    assert found.cost_usd == pytest.approx((found.input_tokens * 0.15 + 24_000 * 0.6) / 1e6)
    assert found.batch_cost_usd == pytest.approx((found.cost_usd or 0) / 2)
    assert found.hours == pytest.approx(2.0)


def test_what_a_prompt_is_counted_as_holds_tools_calls_and_parts() -> None:
    plain = prompt_tokens(request("one two three"))
    parts = [{"type": "text", "text": "one two three"}]
    assert prompt_tokens(_with({"role": "user", "content": parts})) == plain
    tools = ({"type": "function", "function": {"name": "f"}},)
    assert prompt_tokens(request("one two three", tools=tools)) > plain
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    assert prompt_tokens(_with(call)) > prompt_tokens(_with({"role": "assistant"}))
    image: dict[str, Any] = {
        "role": "user",
        "content": [*parts, {"type": "image_url", "image_url": {}}],
    }
    assert prompt_tokens(_with(image)) > plain + 1000
    schema = {"type": "json_schema", "json_schema": {"name": "reply"}}
    for body in ({"response_format": schema}, {"functions": [{"name": "f"}]}):
        assert prompt_tokens(request("one two three", parameters=body)) > plain
    named = _with({"role": "user", "name": "somebody", "content": parts})
    assert prompt_tokens(named) > plain
    limited = request("one two three", parameters={"max_tokens": 50})
    assert windowed_tokens(limited) == windowed_tokens(request("one two three")) + 50


def _with(message: dict[str, Any]) -> CompletionRequest:
    return CompletionRequest(model="gpt-4o-mini", messages=(message,))


def with_part(part: dict[str, Any], model: str = "gpt-4o") -> CompletionRequest:
    content = [{"type": "text", "text": "what is it?"}, part]
    return CompletionRequest(
        model=model,
        messages=({"role": "user", "content": content},),
        parameters={"max_tokens": 10},
    )


def image(**detail: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": "https://example.org/a.png", **detail}}


SOUND = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}


def test_an_image_is_bounded_by_the_most_that_its_model_takes_for_it() -> None:
    assert most_media_tokens(request()) == 0
    assert most_media_tokens(with_part(image(detail="low"))) == 85
    assert most_media_tokens(with_part(image())) == 85 + 8 * 170
    assert most_media_tokens(with_part(image(), "openai/gpt-4o-mini-2024-07-18")) == 48_169
    price = Price(input=1.0, output=1.0)
    text, low, high = (
        upper_cost_usd(wanted, price, Provider.OPENAI, 10)
        for wanted in (
            with_part({"type": "text", "text": ""}),
            with_part(image(detail="low")),
            with_part(image(detail="high")),
        )
    )
    assert text is not None
    assert low == pytest.approx(text + 85 * 1.1 / 1e6, abs=1.2e-6)
    assert high == pytest.approx(text + 1_445 * 1.1 / 1e6, abs=1.2e-6)


@pytest.mark.parametrize("wanted", [with_part(SOUND), with_part(image(), "gpt-5.4")])
def test_a_cap_is_refused_for_what_may_take_any_number_of_tokens(
    wanted: CompletionRequest, tmp_path: Path
) -> None:
    expected = estimate([request(), wanted], MINI)
    require_within_cap(expected, None)
    with pytest.raises(BudgetError, match="1 requests hold images, sounds or files"):
        require_within_cap(expected, 100.0)
    with serving() as server:
        with pytest.raises(SettingsError, match="can cost at most"):
            ask(engine(server.url, tmp_path / "c.db", max_cost_usd=100.0), [wanted])
        free: dict[str, Any] = {"input_usd_per_million": 0, "output_usd_per_million": 0}
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db", max_cost_usd=0.0, **free), [wanted])
    assert outcomes[0].failure is None


def test_thinking_is_part_of_what_an_answer_can_cost() -> None:
    settings = CompletionsSettings(model="claude-sonnet-4-5", provider=Provider.ANTHROPIC)
    plain = request(parameters={"max_tokens": 100})
    thinking = request(parameters={"max_tokens": 100, "reasoning_effort": "high"})
    more = estimate([thinking], settings).output_tokens - estimate([plain], settings).output_tokens
    assert more == 16_384


def test_a_cap_under_the_estimate_is_refused() -> None:
    expected = estimate(requests(100, parameters={"max_tokens": 1000}), MINI)
    assert expected.cost_usd
    require_within_cap(expected, None)
    require_within_cap(expected, expected.cost_usd)
    with pytest.raises(BudgetError, match="100 requests would cost about"):
        require_within_cap(expected, expected.cost_usd / 2)
    with pytest.raises(BudgetError, match="price is not known"):
        require_within_cap(estimate([request(model="mine")], MINI), 1.0)
    require_within_cap(estimate([], MINI), 0.0)


def test_no_run_ends_above_its_cap_and_the_rest_is_refused_unsent(tmp_path: Path) -> None:
    cap = 0.0002
    wanted = requests(60, parameters={"max_tokens": 40})
    with serving(Script(output_tokens=40, latency_seconds=0.01)) as server:
        capped = engine(server.url, tmp_path / "c.db", max_cost_usd=cap)
        outcomes, tally = ask(capped, wanted)
        sent = len(server.journal())
        rest, later = ask(engine(server.url, tmp_path / "c.db"), wanted)
    refused = [outcome for outcome in outcomes if outcome.failure is Failure.BUDGET]
    assert 0 < tally.cost_usd <= cap
    assert 0 < len(refused) < 60
    assert sent == 60 - len(refused) == tally.answered
    # Nothing that would have fitted was refused: one more answer costs what the others did.
    assert tally.cost_usd + 1.2 * tally.cost_usd / tally.answered > cap
    assert later.sent == len(refused)
    assert not any(outcome.failure for outcome in rest)


@pytest.mark.parametrize("fault", [Fault.DISCONNECT, Fault.GATEWAY])
def test_what_may_have_been_billed_counts_against_the_cap(fault: Fault, tmp_path: Path) -> None:
    limit = {"max_tokens": 1000}
    with serving(Script(rules=(Rule(fault=fault),))) as server:
        opened = engine(server.url, tmp_path / "c.db", max_cost_usd=0.0013, retries=8)
        outcomes, tally = ask(opened, [request("a", parameters=limit)])
    assert outcomes[0].failure is Failure.BUDGET
    assert tally.sent == 2


def test_an_answer_whose_tokens_are_not_told_is_not_free(tmp_path: Path) -> None:
    wanted = requests(10, parameters={"max_tokens": 1000})
    with serving(Script(rules=(Rule(fault=Fault.UNCOUNTED),))) as server:
        opened = engine(server.url, tmp_path / "c.db", max_cost_usd=0.0013)
        outcomes, tally = ask(opened, wanted)
    assert (tally.sent, tally.unpriced, tally.cost_usd) == (2, 2, 0.0)
    assert [outcome.cost_usd for outcome in outcomes if outcome.failure is None] == [None, None]


def test_a_cap_without_anything_that_bounds_an_answer_is_an_error(tmp_path: Path) -> None:
    with serving() as server:
        opened = engine(server.url, tmp_path / "c.db", max_cost_usd=1.0)
        with pytest.raises(SettingsError, match="can cost at most"):
            ask(opened, [request(model="mine")])
        assert server.journal() == []


@given(
    st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=20),
    st.floats(0.1, 3.0),
)
def test_a_budget_never_spends_more_than_its_cap(
    items: list[tuple[float, float]], cap: float
) -> None:
    async def one(budget: Budget, upper: float, share: float) -> bool:
        if not await budget.reserve(upper):
            return False
        await asyncio.sleep(0)
        budget.spend(upper * share)
        budget.release(upper)
        return True

    async def run() -> tuple[Budget, list[bool]]:
        budget = Budget(cap)
        return budget, await asyncio.gather(*(one(budget, *item) for item in items))

    budget, let_in = asyncio.run(run())
    assert budget.spent_usd <= cap + 1e-6
    smallest = min(upper for upper, _ in items)
    assert all(let_in) or budget.spent_usd + max(u for u, _ in items) > cap - 1e-6
    assert any(let_in) or smallest > cap
