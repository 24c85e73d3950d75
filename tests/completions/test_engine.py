import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from resonare_pipeline.completions.engine import Engine
from resonare_pipeline.completions.opening import fresh_run_is_whole, fresh_since
from resonare_pipeline.completions.requests import Failure, Outcome
from tests.completions.asking import ask, engine, request, requests
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Fault, Limits, Rule, Script


def contents(outcomes: list[Outcome]) -> list[str]:
    assert [outcome.failure for outcome in outcomes] == [None] * len(outcomes)
    return [outcome.completion.message["content"] for outcome in outcomes if outcome.completion]


def test_each_request_is_asked_once_and_answered_from_the_cache_after(database: URL) -> None:
    wanted = requests(40)
    with serving() as server:
        first, tally = ask(engine(server.url, database), wanted)
        again, later = ask(engine(server.url, database), wanted)
        assert len(server.journal()) == 40
    assert (tally.sent, tally.answered, tally.cached) == (40, 40, 0)
    assert (later.sent, later.answered, later.cached) == (0, 0, 40)
    assert contents(first) == contents(again)
    assert len(set(contents(first))) == 40
    assert not any(outcome.cached for outcome in first)
    assert all(outcome.cached and outcome.cost_usd == 0 for outcome in again)


def test_identical_requests_under_way_share_one_call_and_samples_do_not(tmp_path: Path) -> None:
    wanted = [request()] * 5 + [request(sample=1), request(parameters={"temperature": 0})]
    with serving() as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), wanted)
        assert len(server.journal()) == 3
    assert (tally.sent, tally.shared) == (3, 4)
    assert len({outcome.key for outcome in outcomes}) == 3
    assert sum(not outcome.cached for outcome in outcomes) == 3


def test_whoever_goes_away_does_not_take_the_answer_from_those_who_share_it(
    tmp_path: Path,
) -> None:
    async def run(opened: Engine) -> Outcome:
        async with opened as ready:
            first = asyncio.create_task(ready.complete(request()))
            await asyncio.sleep(0)
            second = asyncio.create_task(ready.complete(request()))
            await asyncio.sleep(0)
            first.cancel()
            return await second

    with serving(Script(latency_seconds=0.1)) as server:
        outcome = asyncio.run(run(engine(server.url, tmp_path / "c.db")))
        assert len(server.journal()) == 1
    assert outcome.completion


def test_a_run_that_is_cut_off_keeps_what_was_answered(tmp_path: Path) -> None:
    async def run(opened: Engine, server: Running) -> None:
        async with opened as ready:
            asked = asyncio.gather(*map(ready.complete, requests(200)))
            while server.state()["answered"] < 60:
                await asyncio.sleep(0.01)
            asked.cancel()

    with serving(Script(latency_seconds=0.01)) as server:
        asyncio.run(run(engine(server.url, tmp_path / "c.db", concurrency=4), server))
        cut = len(server.journal())
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db"), requests(200))
        asked = Counter(entry.body for entry in server.journal())
    assert 60 <= cut < 200
    assert contents(outcomes)
    assert sum(asked.values()) - len(asked) <= 4  # those under way when it was cut off


def test_two_endpoints_share_no_answer_unless_they_have_one_name(tmp_path: Path) -> None:
    database = tmp_path / "c.db"
    with serving() as one, serving() as other:
        ask(engine(one.url, database), [request()])
        ask(engine(other.url, database), [request()])
        assert (len(one.journal()), len(other.journal())) == (1, 1)
        ask(engine(one.url, database, endpoint_id="ours"), [request()])
        moved, _ = ask(engine(other.url, database, endpoint_id="ours"), [request()])
        assert (len(one.journal()), len(other.journal())) == (2, 1)
    assert moved[0].cached


def test_the_mock_answers_alike_every_time_and_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    database = tmp_path / "c.db"
    with serving() as server:
        mocked, tally = ask(engine(server.url, database, provider="mock"), requests(3))
        again, _ = ask(engine(server.url, database, provider="mock"), requests(3))
        real, _ = ask(engine(server.url, database), requests(3))
        assert len(server.journal()) == 3
    assert contents(mocked) == contents(again)
    assert all(outcome.completion and outcome.completion.mock for outcome in mocked)
    assert not any(outcome.cached for outcome in [*mocked, *again, *real])
    assert not any(outcome.completion and outcome.completion.mock for outcome in real)
    assert tally.cost_usd == 0


def test_the_mock_calls_a_tool_where_one_must_be_called(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "look"}}
    wanted = [request(tools=(tool,), parameters={"tool_choice": "required"})]
    (outcome,), _ = ask(engine("", tmp_path / "c.db", provider="mock", max_cost_usd=0), wanted)
    assert outcome.failure is None
    assert outcome.completion
    assert outcome.completion.message["tool_calls"][0]["function"]["name"] == "look"


def test_fresh_answers_are_asked_for_again_once(tmp_path: Path) -> None:
    database = tmp_path / "c.db"
    with serving() as server:
        ask(engine(server.url, database), requests(3))
        outcomes, _ = ask(engine(server.url, database, fresh="run"), requests(3) * 2)
        ask(engine(server.url, database), requests(3))
        assert len(server.journal()) == 6
    assert sum(not outcome.cached for outcome in outcomes) == 3


def test_a_run_for_fresh_answers_goes_on_until_it_is_whole(database: URL) -> None:
    environ = {"RESONARE_DB": database.render_as_string(hide_password=False)}
    with serving() as server:
        ask(engine(server.url, database), requests(6))
        ask(engine(server.url, database, fresh="run"), requests(4))
        _, tally = ask(engine(server.url, database, fresh="run"), requests(6))
        assert (tally.sent, tally.cached) == (2, 4)
        _, tally = ask(engine(server.url, database, fresh="other"), requests(6))
        assert tally.sent == 6
        assert fresh_since("run", environ, default_db=Path())
        fresh_run_is_whole("run", environ, default_db=Path())
        assert not fresh_since("run", environ, default_db=Path())
        _, tally = ask(engine(server.url, database, fresh="run"), requests(6))
        assert tally.sent == 6


def test_random_failures_are_asked_again_until_all_are_answered(tmp_path: Path) -> None:
    faults = (Fault.RATE, Fault.RATE_SILENT, Fault.SERVER, Fault.DISCONNECT, Fault.MALFORMED)
    rules = tuple(
        Rule(fault=fault, share=0.022, retry_after_seconds=0.02) for fault in faults
    )  # one in ten altogether
    wanted = requests(300)
    with serving(Script(seed=7, rules=rules)) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db", concurrency=16), wanted)
        journal = server.journal()
        again, later = ask(engine(server.url, tmp_path / "c.db"), wanted)
    assert contents(outcomes) == contents(again)
    assert later.sent == 0
    struck = Counter(entry.outcome for entry in journal)
    assert set(struck) == {"ok", *map(str, faults)}
    assert struck["ok"] == 300
    assert tally.sent == len(journal) <= 1.3 * 300


@pytest.mark.parametrize(
    ("fault", "failure", "finish"),
    [
        (Fault.LENGTH, Failure.TRUNCATED, "length"),
        (Fault.FILTER, Failure.FILTERED, "content_filter"),
        (Fault.REFUSAL, Failure.REFUSED, "stop"),
        (Fault.EMPTY, Failure.EMPTY, "stop"),
    ],
)
def test_what_was_billed_and_is_no_answer_is_kept_as_what_it_is(
    fault: Fault, failure: Failure, finish: str, tmp_path: Path
) -> None:
    with serving(Script(rules=(Rule(fault=fault, contains="bad"),))) as server:
        wanted = [request("bad"), request("good")]
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db"), wanted)
        again, later = ask(engine(server.url, tmp_path / "c.db"), wanted)
    bad, good = outcomes
    assert (bad.failure, good.failure) == (failure, None)
    assert bad.completion
    assert bad.completion.finish_reason == finish
    assert bad.detail
    assert again[0] == Outcome(
        key=bad.key, completion=bad.completion, failure=failure, detail=bad.detail, cached=True
    )
    assert later.sent == 0


def test_an_empty_answer_is_asked_for_a_second_time(tmp_path: Path) -> None:
    with serving(Script(rules=(Rule(fault=Fault.EMPTY, times=1),))) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), [request()])
    assert contents(outcomes)
    assert tally.sent == 2
    assert outcomes[0].cost_usd == pytest.approx(tally.cost_usd)


def test_a_refused_request_stops_no_other_and_is_not_kept(tmp_path: Path) -> None:
    rules = (Rule(fault=Fault.INVALID, contains="question 3"),)
    with serving(Script(rules=rules)) as server:
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db"), requests(8))
        server.use(Script())
        again, later = ask(engine(server.url, tmp_path / "c.db"), requests(8))
    assert [outcome.failure for outcome in outcomes].count(Failure.INVALID) == 1
    assert outcomes[3].detail == "HTTP 400: invalid_value, Scripted: invalid"
    assert contents(again)
    assert later.sent == 1


def test_a_request_that_always_breaks_the_server_stops_no_other(tmp_path: Path) -> None:
    rules = (Rule(fault=Fault.SERVER, contains="question 0"),)
    with serving(Script(rules=rules)) as server:
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db", retries=1), requests(20))
    assert outcomes[0].failure is Failure.SERVER
    assert contents(outcomes[1:])


def test_hanging_requests_end_and_are_asked_again(tmp_path: Path) -> None:
    with serving(Script(rules=(Rule(fault=Fault.HANG, times=2),))) as server:
        opened = engine(server.url, tmp_path / "c.db", timeout_seconds=0.5)
        outcomes, tally = ask(opened, requests(5))
    assert contents(outcomes)
    assert tally.sent == 7


def test_tools_are_sent_and_a_call_is_an_answer(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    with serving() as server:
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db"), [request(tools=(tool,))])
    (outcome,) = outcomes
    assert outcome.failure is None
    assert outcome.completion
    assert outcome.completion.message["tool_calls"][0]["function"]["name"] == "look"


def test_the_servers_window_is_never_overrun_once_it_has_announced_it(tmp_path: Path) -> None:
    limits = Limits(requests=12, window_seconds=0.7)
    with serving(Script(limits=limits)) as server:
        opened = engine(server.url, tmp_path / "c.db", window_seconds=0.7, concurrency=32)
        outcomes, _ = ask(opened, requests(40))
        state = server.state()
    assert contents(outcomes)
    assert state["refused_by_window"] == 0
    assert state["fullest_window"] == 12


def test_the_servers_window_of_tokens_is_never_overrun(tmp_path: Path) -> None:
    limits = Limits(tokens=600, window_seconds=0.7)
    wanted = [
        request(f"{number} " + "word " * 10 * (number % 5), parameters={"max_tokens": 30})
        for number in range(30)
    ]
    with serving(Script(limits=limits)) as server:
        opened = engine(server.url, tmp_path / "c.db", window_seconds=0.7, concurrency=32)
        outcomes, _ = ask(opened, wanted)
        state = server.state()
    assert contents(outcomes)
    assert state["refused_by_window"] == 0
    assert state["fullest_window"] > 4


def test_concurrency_falls_to_what_the_endpoint_bears(tmp_path: Path) -> None:
    script = Script(limits=Limits(running=4), latency_seconds=0.02)
    with serving(script) as server:
        opened = engine(server.url, tmp_path / "c.db", concurrency=32)
        outcomes, _ = ask(opened, requests(200))
        struck = Counter(entry.outcome for entry in server.journal())
    assert contents(outcomes)
    # 32 at a time would be refused at every turn; what probes for more is refused now and then.
    assert struck["too_many"] < 150


def test_two_engines_under_one_limit_fill_everything(tmp_path: Path) -> None:
    limits = Limits(requests=10, window_seconds=0.5)
    with serving(Script(limits=limits)) as server:

        async def both() -> list[Outcome]:
            one = engine(server.url, tmp_path / "one.db", window_seconds=0.5)
            other = engine(server.url, tmp_path / "other.db", window_seconds=0.5)
            async with one, other:
                wanted = [ready.complete(item) for item in requests(15) for ready in (one, other)]
                return await asyncio.gather(*wanted)

        assert len(contents(asyncio.run(both()))) == 30


def test_importing_the_engine_imports_no_sdk_and_no_dagster() -> None:
    code = (
        "import sys, resonare_pipeline.completions.opening as _;"
        "print([m for m in ('openai','anthropic','aiohttp','dagster','pandas','pyarrow','tiktoken')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
