"""What a person does wrong, and what an endpoint does: clear messages, nothing lost."""

import asyncio
import socket
import sqlite3
import ssl
from pathlib import Path

import pytest

from resonare_pipeline.completions.engine import Engine
from resonare_pipeline.completions.opening import open_engine
from resonare_pipeline.completions.requests import Failure, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import CacheError, SettingsError
from tests.certificates import self_signed
from tests.completions.asking import ask, engine, request, requests
from tests.fake_openai.running import serving
from tests.fake_openai.script import Fault, Limits, Rule, Script


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody has signed but itself."""
    return self_signed(tmp_path / "server.pem")


def failures(outcomes: list[Outcome]) -> set[Failure | None]:
    return {outcome.failure for outcome in outcomes}


def test_a_wrong_key_is_tried_once_and_said_of_every_request(tmp_path: Path) -> None:
    with serving(Script(keys=("right",))) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db", key="wrong"), requests(30))
        right, _ = ask(engine(server.url, tmp_path / "c.db", key="right"), requests(30))
    assert failures(outcomes) == {Failure.UNAUTHORISED}
    assert tally.sent == 1
    assert outcomes[29].detail == "HTTP 401: invalid_api_key, Incorrect API key provided"
    assert failures(right) == {None}


def test_a_key_that_an_endpoint_repeats_is_shown_nowhere(tmp_path: Path) -> None:
    key = "gpt-secret"
    with serving(Script(models=("m",))) as server:
        # The fake repeats a model's name in its error.
        opened = engine(server.url, tmp_path / "c.db", key=key)
        outcomes, _ = ask(opened, [request(str(number), model=key) for number in range(6)])
    assert all(outcome.failure for outcome in outcomes)
    assert not any(key in outcome.detail for outcome in outcomes)


def test_one_request_that_is_forbidden_stops_no_other(tmp_path: Path) -> None:
    rules = (Rule(fault=Fault.FORBIDDEN, contains="question 0"),)
    with serving(Script(rules=rules)) as server:
        outcomes, _ = ask(engine(server.url, tmp_path / "c.db"), requests(20))
    assert outcomes[0].failure is Failure.FORBIDDEN
    assert failures(outcomes[1:]) == {None}


async def in_turn(opened: Engine, count: int) -> list[Outcome]:
    async with opened as ready:
        return [await ready.complete(item) for item in requests(count)]


def test_many_forbidden_requests_in_a_row_stop_nothing_once_another_was_answered(
    tmp_path: Path,
) -> None:
    rules = tuple(Rule(fault=Fault.FORBIDDEN, contains=f"question {n}") for n in (1, 2, 3, 4))
    with serving(Script(rules=rules)) as server:
        outcomes = asyncio.run(in_turn(engine(server.url, tmp_path / "c.db"), 6))
    assert [outcome.failure for outcome in outcomes] == [None, *[Failure.FORBIDDEN] * 4, None]


def test_a_key_that_may_do_nothing_drops_no_request_for_good(tmp_path: Path) -> None:
    with serving(Script(rules=(Rule(fault=Fault.FORBIDDEN),))) as server:
        opened = engine(server.url, tmp_path / "c.db")
        outcomes = asyncio.run(in_turn(opened, 6))
    assert opened.tally.sent == 3
    assert failures(outcomes[3:]) == {Failure.UNAUTHORISED}


def test_an_unknown_model_is_refused_until_it_is_known(tmp_path: Path) -> None:
    models = ("text-embedding", "gpt-4o-mini", "gpt-4o", "gpt-nor", "whisper")
    with serving(Script(models=models)) as server:
        wanted = [request("a", model="gpt-nope"), request("b")]
        (bad, good), _ = ask(engine(server.url, tmp_path / "c.db"), wanted)
    assert (bad.failure, good.failure) == (Failure.UNKNOWN_MODEL, None)
    assert bad.detail == (
        "the model 'gpt-nope' is unknown there; it offers gpt-nor, gpt-4o, gpt-4o-mini and 2 more "
        "(HTTP 404: model_not_found, The model `gpt-nope` does not exist)"
    )
    assert bad.failure is not None
    assert bad.failure.is_retryable


def test_an_address_without_its_path_is_tried_once_and_refuses_nothing_for_good(
    tmp_path: Path,
) -> None:
    with serving() as server:
        outcomes, tally = ask(
            engine(server.url.removesuffix("/v1"), tmp_path / "c.db"), requests(30)
        )
    assert failures(outcomes) == {Failure.NETWORK}
    assert outcomes[29].detail == (
        "HTTP 404: no model is served at this path; most addresses end in /v1"
    )
    assert tally.sent == 1


def test_a_limit_that_is_used_up_for_hours_is_not_waited_for(tmp_path: Path) -> None:
    with serving(Script(limits=Limits(requests=3, window_seconds=7_200))) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), requests(20))
        answered = server.state()["answered"]
    left = [outcome for outcome in outcomes if outcome.failure]
    assert (tally.answered, answered, len(left)) == (3, 3, 17)
    assert failures(left) == {Failure.RATE}
    assert all("lets nothing more through for 2 h 0 min" in outcome.detail for outcome in left)


def test_a_prompt_that_is_too_long_stops_no_other(tmp_path: Path) -> None:
    with serving(Script(context_tokens=50)) as server:
        wanted = [request("word " * 500), *requests(5)]
        (long, *others), tally = ask(engine(server.url, tmp_path / "c.db"), wanted)
    assert long.failure is Failure.INVALID
    assert "context_length_exceeded" in long.detail
    assert "word" not in long.detail
    assert failures(others) == {None}
    assert tally.sent == 6


def test_an_endpoint_that_is_down_is_given_up_and_answers_are_kept(tmp_path: Path) -> None:
    with serving() as server:
        url = server.url
        ask(engine(url, tmp_path / "c.db"), requests(3))
    outcomes, tally = ask(engine(url, tmp_path / "c.db", retries=1), requests(40))
    assert failures(outcomes[:3]) == {None}
    assert failures(outcomes[3:]) == {Failure.NETWORK}
    assert outcomes[3].detail.startswith(f"{url}: no connection")
    assert tally.sent == 2


def test_an_endpoint_that_goes_down_is_given_up_after_a_few_requests(tmp_path: Path) -> None:
    rules = (Rule(fault=Fault.OVERLOADED),)

    async def run(opened: Engine) -> list[Outcome]:
        async with opened as ready:
            return [await ready.complete(item) for item in requests(20)]

    with serving(Script(rules=rules)) as server:
        opened = engine(server.url, tmp_path / "c.db", retries=0)
        outcomes = asyncio.run(run(opened))
    assert failures(outcomes) == {Failure.SERVER}
    assert opened.tally.sent == 3


@pytest.mark.parametrize(
    ("fault", "said"), [(Fault.QUOTA, "insufficient_quota"), (Fault.UNPAID, "HTTP 402")]
)
def test_no_credit_left_is_no_rate_limit(fault: Fault, said: str, tmp_path: Path) -> None:
    with serving(Script(rules=(Rule(fault=fault),))) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), requests(10))
    assert failures(outcomes) == {Failure.BUDGET}
    assert said in outcomes[0].detail
    assert tally.sent == 1


def test_an_endpoint_that_wants_a_day_of_rest_is_given_up_and_nobody_waits(
    tmp_path: Path,
) -> None:
    rules = (Rule(fault=Fault.RATE, retry_after_seconds=86_400),)
    with serving(Script(rules=rules)) as server:
        opened = engine(server.url, tmp_path / "c.db", concurrency=2)
        outcomes, tally = ask(opened, requests(30))
    assert failures(outcomes) == {Failure.RATE}
    assert "lets nothing more through for 24 h 0 min" in outcomes[29].detail
    assert tally.sent == 1


def test_a_certificate_that_cannot_be_trusted_is_no_reason_to_try_again(
    certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    with serving(tls=certificate) as server:
        outcomes, tally = ask(engine(server.url, tmp_path / "c.db"), requests(5))
    assert failures(outcomes) == {Failure.NETWORK}
    assert "no secure connection" in outcomes[0].detail
    assert "self-signed certificate" in outcomes[0].detail
    assert tally.sent == 1


def test_a_host_that_takes_no_connection_is_said_so(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        outcomes, _ = ask(engine(url, tmp_path / "c.db", retries=0), requests(2))
    assert failures(outcomes) == {Failure.NETWORK}


def test_what_is_missing_is_named_with_the_file_that_was_looked_in() -> None:
    with pytest.raises(SettingsError) as caught:
        open_engine(
            CompletionsSettings(),
            {},
            default_db=Path("unused.db"),
            explicit_endpoint=True,
            looked_in="other.env",
        )
    assert str(caught.value).startswith(
        "environment and other.env: BASE_URL or OPENAI_BASE_URL and API_KEY or OPENAI_API_KEY"
    )


def test_a_place_that_no_database_can_have_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="file"):
        engine("http://127.0.0.1:1/v1", tmp_path / "file" / "c.db")


def test_a_cache_that_breaks_stops_the_run_before_more_is_paid(tmp_path: Path) -> None:
    async def run(opened: Engine, database: Path) -> None:
        async with opened as ready:
            await ready.complete(request("first"))
            with sqlite3.connect(database) as connection:
                connection.execute("DROP TABLE answers")
            connection.close()
            await ready.complete(request("second"))

    with serving() as server:
        opened = engine(server.url, tmp_path / "c.db")
        with pytest.raises(CacheError):
            asyncio.run(run(opened, tmp_path / "c.db"))
        assert len(server.journal()) == 1
