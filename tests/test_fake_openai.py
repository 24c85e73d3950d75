"""The fake server itself: what it says it does, it does."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.fake_openai.journal import read_journal
from tests.fake_openai.running import Running, serving, serving_apart
from tests.fake_openai.script import Fault, Limits, Rule, Script

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def post(server: Running, body: Any = BODY) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers (names in lower case) and body."""
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{server.url}/chat/completions", data=json.dumps(body).encode(), method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return response.status, _lowered(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _lowered(error.headers), error.read()


def _lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_same_body_is_given_the_same_answer_and_another_body_another() -> None:
    with serving() as server:
        one, again = post(server), post(server)
        other = post(server, BODY | {"temperature": 1})
        assert [entry.outcome for entry in server.journal()] == ["ok"] * 3
    assert one[2] == again[2] != other[2]
    usage = json.loads(one[2])["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_script_strikes_as_often_as_it_says_and_where_it_says() -> None:
    rules = (
        Rule(fault=Fault.RATE, times=1, retry_after_seconds=2),
        Rule(fault=Fault.SERVER, contains="bad"),
    )
    with serving(Script(rules=rules)) as server:
        bad = BODY | {"user": "bad"}
        found = [post(server)[:2], post(server)[:2], post(server, bad)[:2], post(server)[:2]]
        statuses = [entry.status for entry in server.journal()]
    assert [status for status, _ in found] == [429, 200, 500, 200] == statuses
    assert found[0][1]["retry-after"] == "2"


def test_a_share_strikes_the_same_requests_for_the_same_seed() -> None:
    script = Script(seed=3, rules=(Rule(fault=Fault.SERVER, share=0.5),))
    seen = []
    for _ in range(2):
        with serving(script) as server:
            seen.append([post(server)[0] for _ in range(20)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 500}


def test_a_window_refuses_what_is_too_much_and_says_when_there_is_room() -> None:
    with serving(Script(limits=Limits(requests=2, window_seconds=600))) as server:
        found = [post(server) for _ in range(3)]
        assert server.state()["refused_by_window"] == 1
    assert [status for status, *_ in found] == [200, 200, 429]
    first, last = found[0][1], found[2][1]
    assert first["x-ratelimit-limit-requests"] == "2"
    assert first["x-ratelimit-remaining-requests"] == "1"
    assert first["x-ratelimit-reset-requests"] == "10m0.000s"
    assert 590 < float(last["retry-after"]) <= 600


def test_a_broken_answer_is_cut_in_the_middle() -> None:
    with serving(Script(rules=(Rule(fault=Fault.MALFORMED),))) as server:
        status, _, text = post(server)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_what_is_no_request_is_refused() -> None:
    with serving() as server:
        assert post(server, {"model": "m"})[0] == 400
        assert post(server, [])[0] == 400


def test_the_command_serves_and_writes_its_journal_down(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with serving_apart(Script(), "--journal", str(path)) as server:
        assert post(server)[0] == 200
        assert len(read_journal(path)) == len(server.journal()) == 1
