"""Accounts that several engines spend on: caps hold over processes, and after a crash."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.cache.store import Cache
from resonare_pipeline.completions.engine import Engine
from resonare_pipeline.completions.opening import open_engine, spent_usd
from resonare_pipeline.completions.requests import Failure
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.completions.asking import ask, requests
from tests.fake_openai.running import serving
from tests.fake_openai.script import Fault, Rule, Script

DAY_SECONDS = 86_400.0
LIMIT = {"max_tokens": 40}
CAP_USD = 0.0006  # some twenty answers of 40 tokens


def account(cap_usd: float, name: str = "all", seconds: float | None = None) -> Account:
    return Account(name=name, cap_usd=cap_usd, setting="a cap", seconds=seconds)


def spending_engine(url: str, folder: Path, accounts: Sequence[Account]) -> Engine:
    settings = CompletionsSettings(base_url=url, max_cost_usd=min(a.cap_usd for a in accounts))
    return open_engine(settings, environ(folder), default_db=Path(), accounts=accounts)


def environ(folder: Path) -> dict[str, str]:
    return {"API_KEY": "sk-test", "RESONARE_DB": f"sqlite:///{folder / 'cache.db'}"}


def used(folder: Path, item: Account) -> float:
    return spent_usd([item], environ(folder), default_db=Path())[0]


def change(database: URL, statement: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_what_one_has_drawn_another_cannot_draw_until_it_is_given_back(database: URL) -> None:
    one, other = (Cache(database, [account(1.0)]) for _ in range(2))
    assert one.draw(0.7) == pytest.approx(0.7)
    assert other.draw(0.4) == 0.0
    assert other.draw(0.3) == pytest.approx(0.3)
    assert one.used_usd() == [pytest.approx(1.0)]
    other.close()
    assert one.draw(0.3) == pytest.approx(0.3)
    one.close(held_usd=0.2)
    third = Cache(database, [account(1.0)])
    assert third.used_usd() == [pytest.approx(0.2)]
    third.close()


def test_a_draw_is_refused_if_one_of_its_accounts_is_used_up(database: URL) -> None:
    run, all_runs = account(1.0, "run"), account(0.5, "all")
    both, one = Cache(database, [run, all_runs]), Cache(database, [all_runs])
    assert both.draw(0.4) == pytest.approx(0.4)
    assert both.draw(0.2) == 0.0
    assert one.draw(0.2) == 0.0
    assert both.used_usd() == [pytest.approx(0.4), pytest.approx(0.4)]
    for cache in (both, one):
        cache.close()


def test_what_a_killed_process_had_drawn_counts_for_as_long_as_the_account_looks_back(
    database: URL,
) -> None:
    killed, cache = (Cache(database, [account(1.0, seconds=DAY_SECONDS)]) for _ in range(2))
    assert killed.draw(0.8) == pytest.approx(0.8)
    assert cache.draw(0.4) == 0.0
    change(database, "UPDATE drawings SET drawn_at = drawn_at - 80000")
    assert cache.draw(0.4) == 0.0
    change(database, "UPDATE drawings SET drawn_at = drawn_at - 10000")
    assert cache.draw(0.4) == pytest.approx(0.4)
    killed.beat()  # it was not killed after all
    assert cache.draw(0.1) == 0.0
    for each in (killed, cache):
        each.close()


def test_what_was_spent_longer_ago_than_an_account_looks_back_does_not_count(
    database: URL,
) -> None:
    day, ever = account(1.0, "day", DAY_SECONDS), account(1.0, "ever")
    Cache(database, [day, ever]).close(held_usd=0.9)
    change(database, "UPDATE spendings SET minute_at = minute_at - 90000")
    cache = Cache(database, [day, ever])
    assert cache.used_usd() == [0.0, pytest.approx(0.9)]
    cache.close()


def test_many_that_draw_at_the_same_time_never_draw_more_than_the_cap(database: URL) -> None:
    caches = [Cache(database, [account(1.0)]) for _ in range(6)]
    drawn: list[float] = []

    def draw(cache: Cache) -> None:
        drawn.extend(cache.draw(0.03) for _ in range(20))

    threads = [threading.Thread(target=draw, args=(cache,)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for cache in caches:
        cache.close()
    assert sum(drawn) <= 1.0 + 1e-9
    assert sum(drawn) == pytest.approx(0.99)


def test_engines_on_one_account_never_spend_more_than_its_cap_together(tmp_path: Path) -> None:
    shared = account(CAP_USD)
    with serving(Script(output_tokens=40)) as server:
        first, tally = ask(
            spending_engine(server.url, tmp_path, [shared]), requests(12, parameters=LIMIT)
        )
        assert not any(outcome.failure for outcome in first)
        assert used(tmp_path, shared) == pytest.approx(tally.cost_usd)
        rest, later = ask(
            spending_engine(server.url, tmp_path, [shared]), requests(60, parameters=LIMIT)
        )
    refused = sum(outcome.failure is Failure.BUDGET for outcome in rest)
    assert (later.cached, later.sent) == (12, 48 - refused)
    assert 0 < later.answered < 48
    total = tally.cost_usd + later.cost_usd
    assert used(tmp_path, shared) == pytest.approx(total)
    assert total <= CAP_USD
    assert total + 1.2 * total / (12 + later.answered) > CAP_USD


def test_engines_at_the_same_time_never_spend_more_than_the_cap_together(tmp_path: Path) -> None:
    shared = account(CAP_USD)

    async def run(url: str) -> list[Engine]:
        engines = [spending_engine(url, tmp_path, [shared]) for _ in range(3)]

        async def one(opened: Engine, sample: int) -> None:
            async with opened as ready:
                wanted = requests(30, parameters=LIMIT, sample=sample)
                await asyncio.gather(*map(ready.complete, wanted))

        await asyncio.gather(*(one(opened, n) for n, opened in enumerate(engines)))
        return engines

    with serving(Script(output_tokens=40, latency_seconds=0.01)) as server:
        engines = asyncio.run(run(server.url))
    total = sum(opened.tally.cost_usd for opened in engines)
    assert used(tmp_path, shared) == pytest.approx(total)
    assert CAP_USD / 2 < total <= CAP_USD


def test_a_request_that_was_called_off_under_way_counts_as_spent(tmp_path: Path) -> None:
    shared = account(CAP_USD)

    async def run(url: str) -> None:
        async with spending_engine(url, tmp_path, [shared]) as ready:
            asked = asyncio.create_task(ready.complete(requests(1, parameters=LIMIT)[0]))
            while not ready.tally.sent:
                await asyncio.sleep(0.01)
            asked.cancel()

    with serving(Script(rules=(Rule(fault=Fault.HANG),))) as server:
        asyncio.run(run(server.url))
    upper = 40 * 0.6 / 1e6
    assert upper < used(tmp_path, shared) < 2 * upper
