"""Records through rounds of batches: a round for each turn, with answers and calls in place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches import remote
from resonare_pipeline.completions.lookup import LookUp
from resonare_pipeline.completions.requests import CompletionRequest, Failure
from resonare_pipeline.records.batching import next_requests
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.walking import Choices
from tests.completions.batches.campaigns import Desk, WalkOf, answer_to, desk, ran
from tests.completions.conftest import postgres_database, postgres_server
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, Fate, FateRule, Fault, Rule, Script

__all__ = ["postgres_server"]

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CHOICES = Choices(model="gpt-4o-mini")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    if request.param == "postgres":
        return postgres_database(request.getfixturevalue("postgres_server"))
    return URL.create("sqlite", database=str(tmp_path / "cache.db"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "READ_TRIES", 0)


def conversation(number: int, turns: int) -> dict[str, Any]:
    messages = []
    for turn in range(turns):
        messages += [{"role": "user", "content": f"question {number}.{turn}"}]
        messages += [{"role": "assistant", "content": ""}]
    return {"messages": messages}


def walk_through(records: list[dict[str, Any]]) -> WalkOf:
    """Return the walk through records as `fill` goes it."""

    @contextmanager
    def opened() -> Iterator[list[Record]]:
        texts = [msgspec.json.encode(record) for record in records]
        yield [Record(number=n, text=t, place=str(n), done=n) for n, t in enumerate(texts)]

    def of(look_up: LookUp) -> Any:
        return lambda: next_requests(opened, CHOICES, look_up)

    return of


def asked(record: dict[str, Any]) -> list[CompletionRequest]:
    """Return the requests of a record whose every turn is answered by the fake server."""
    messages: list[dict[str, Any]] = []
    found = []
    for message in record["messages"]:
        if message["role"] == "assistant" and not message["content"]:
            found.append(CompletionRequest(model=CHOICES.model, messages=tuple(messages)))
            messages.append({"role": "assistant", "content": answer_to(found[-1])})
        else:
            messages.append(message)
    return found


@contextmanager
def filling(
    script: Script, place: URL, folder: Path, records: list[dict[str, Any]], **given: Any
) -> Iterator[tuple[Running, Desk]]:
    with (
        serving(script) as server,
        desk(server, place, folder, walk_through(records), **given) as opened,
    ):
        yield server, opened


def test_each_turn_is_asked_with_the_answers_before_it(place: URL, tmp_path: Path) -> None:
    records = [conversation(number, 1 + number % 3) for number in range(7)]
    with filling(Script(), place, tmp_path / "b", records) as (server, opened):
        opened.run()
        for record in records:
            requests = asked(record)
            assert opened.came(requests) == [answer_to(request) for request in requests]
        assert server.state()["batches"] == 3
        assert set(ran(server).values()) == {1}
        assert ran(server).total() == sum(len(asked(record)) for record in records)


def test_a_turn_that_brings_nothing_keeps_the_later_ones_from_being_asked(
    place: URL, tmp_path: Path
) -> None:
    records = [conversation(number, 2) for number in range(4)]
    rules = (Rule(fault=Fault.INVALID, contains="question 1.0"),)
    with filling(Script(rules=rules), place, tmp_path / "b", records) as (server, opened):
        opened.run()
        assert opened.came(asked(records[1])) == [Failure.INVALID, None]
        assert ran(server).total() == 7


def test_calls_of_tools_are_answered_by_the_results_that_a_record_holds(
    place: URL, tmp_path: Path
) -> None:
    record: dict[str, Any] = {
        "tools": [TOOL],
        "messages": [
            {"role": "user", "content": "look it up"},
            {"role": "assistant", "content": ""},
            {"role": "tool", "content": "it is blue"},
            {"role": "assistant", "content": ""},
        ],
    }
    lacking = {
        "tools": [TOOL],
        "messages": [*record["messages"][:2], *conversation(1, 1)["messages"]],
    }
    with filling(Script(), place, tmp_path / "b", [record, lacking]) as (server, opened):
        opened.run()
        user: dict[str, Any] = record["messages"][0]
        first = CompletionRequest(model=CHOICES.model, messages=(user,), tools=(TOOL,))
        outcome = opened.look_up([first])[0]
        assert outcome
        assert outcome.completion
        assert outcome.completion.message["tool_calls"][0]["function"]["name"] == "look"
        # Both ask the same first, and only one holds the result that the next turn needs.
        assert ran(server).total() == 2


def test_the_last_few_are_left_to_be_asked_online(place: URL, tmp_path: Path) -> None:
    records = [conversation(number, 2 if number < 2 else 1) for number in range(6)]
    online = {"batch_tail": "online", "batch_tail_requests": 2}
    with filling(Script(), place, tmp_path / "b", records, **online) as (server, opened):
        standing = opened.run()
        assert standing.may_send
        assert ran(server).total() == 6
    batches = {"batch_tail": "online", "batch_tail_requests": 1}
    with filling(Script(), place, tmp_path / "b", records, **batches) as (server, opened):
        opened.run()
        assert not opened.came(asked(records[0])).count(None)


def test_whatever_strikes_many_turns_ends_whole(place: URL, tmp_path: Path) -> None:
    records = [conversation(number, 1 + number % 2) for number in range(60)]
    fates = (
        FateRule(fate=Fate.LINES_LOST, share=0.2, nth=1),
        FateRule(fate=Fate.EXPIRED, share=0.5, nth=2),
        FateRule(fate=Fate.CREATE_BROKEN, nth=3),
        FateRule(fate=Fate.OUTPUT_VANISHES, nth=4),
        FateRule(fate=Fate.LINES_SHUFFLED),
        FateRule(fate=Fate.LINES_REPEATED, share=0.3),
    )
    script = Script(batches=BatchScript(fates=fates, running_seconds=100.0))
    with filling(script, place, tmp_path / "b", records, batch_lines=25) as (_, opened):
        opened.run()
        for record in records:
            requests = asked(record)
            assert opened.came(requests) == [answer_to(request) for request in requests]
