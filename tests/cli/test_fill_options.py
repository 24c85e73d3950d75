"""What each option of `resonare fill` changes: in the bodies that are sent, or in the output."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.cli.command import Resonare
from tests.cli.records import asked, put, record, rows
from tests.cli.terminal import in_terminal
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Script

PLAIN = {"model": "default", "messages": [{"role": "user", "content": "q1"}]}


@pytest.fixture
def bodies(server: Running) -> Running:
    """The endpoint, which keeps what it is sent."""
    server.use(Script(keeps_bodies=True))
    return server


def sent(server: Running, since: int) -> list[Any]:
    return server.bodies()[since:]


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ((), {}),
        (("--model", "m1"), {"model": "m1"}),
        (("--temperature", "0.25"), {"temperature": 0.25}),
        (("--temperature", "0"), {"temperature": 0.0}),
        (("--max-tokens", "77"), {"max_tokens": 77}),
        (("--param", "seed=7", "--param", "stop=END"), {"seed": 7, "stop": "END"}),
        (("--param", 'stop=["a","b"]'), {"stop": ["a", "b"]}),
        (("--param", "logit_bias={}"), {"logit_bias": {}}),
        (("--param", "user=a=b"), {"user": "a=b"}),
        (("--param", "temperature=0.5", "--temperature", "0.1"), {"temperature": 0.5}),
        (("--concurrency", "3"), {}),
        (("--max-cost-usd", "1", "--model", "gpt-4o-mini", "--max-tokens", "9"),
         {"model": "gpt-4o-mini", "max_tokens": 9}),
        (("--skip-existing",), {}),
        (("--verbose",), {}),
        (("--fresh-answers",), {}),
        (("--output-format", "json"), {}),
        (("--input-format", "jsonl"), {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_the_body_of_a_request_holds_what_was_given_and_nothing_else(
    resonare: Resonare,
    project: Path,
    bodies: Running,
    options: tuple[str, ...],
    more: dict[str, Any],
) -> None:
    put(project, [record(1)])
    since = len(bodies.bodies())
    done = resonare("fill", "in.jsonl", "-o", "out.txt", *options)
    assert done.code == 0, done.err
    assert sent(bodies, since) == [PLAIN | more]


def test_options_win_over_variables_and_these_over_the_file(
    resonare: Resonare, project: Path, bodies: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, [record(1)])
    (project / "resonare.toml").write_text('[completions]\nmodel = "toml"\ntemperature = 0.5\n')
    since = len(bodies.bodies())
    resonare("fill", "in.jsonl")
    monkeypatch.setenv("MODEL", "variable")
    resonare("fill", "in.jsonl")
    resonare("fill", "in.jsonl", "--model", "option", "--temperature", "1")
    found = [(body["model"], body["temperature"]) for body in sent(bodies, since)]
    assert found[0] == ("toml", 0.5)
    assert found[2] == ("option", 1.0)
    assert found[1][1] == 0.5


def test_a_records_own_tools_are_sent_and_what_the_api_does_not_know_stays_home(
    resonare: Resonare, project: Path, bodies: Running
) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    given = record(1, tools=tools)
    given["messages"][0] |= {"weight": 0.5, "source": "x"}
    put(project, [given])
    since = len(bodies.bodies())
    resonare("fill", "in.jsonl")
    assert sent(bodies, since) == [PLAIN | {"tools": tools}]


def test_concurrency_is_the_most_that_the_endpoint_sees_at_a_time(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, [record(number) for number in range(60)])
    monkeypatch.setenv("API_KEY", "dummy")
    for most in (1, 7):
        with serving(Script(latency_seconds=0.01)) as server:
            monkeypatch.setenv("BASE_URL", server.url)
            assert resonare("fill", "in.jsonl", "--concurrency", str(most)).code == 0
            assert server.state()["most_running"] == most


def test_env_names_the_file_that_endpoint_and_model_are_read_from(
    resonare: Resonare, project: Path, bodies: Running
) -> None:
    put(project, [record(1)])
    (project / ".env").write_text("BASE_URL=http://127.0.0.1:9/v1\nAPI_KEY=x\nMODEL=no\n")
    (project / "other.env").write_text(f"BASE_URL={bodies.url}\nAPI_KEY=x\nMODEL=yes\n")
    since = len(bodies.bodies())
    assert resonare("fill", "in.jsonl", "--env", "other.env").code == 0
    assert [body["model"] for body in sent(bodies, since)] == ["yes"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [0, 1, 2, 3, 4]),
        (("--start", "3"), [3, 4]),
        (("--end", "2"), [0, 1]),
        (("--start", "1", "--end", "3"), [1, 2]),
        (("--start", "3", "--end", "99"), [3, 4]),
        (("-i", "0"), [0]),
        (("--index", "4"), [4]),
    ],
)
def test_records_are_counted_from_0_and_the_end_is_left_out_whatever_the_format(
    resonare: Resonare, project: Path, server: Running, options: tuple[str, ...], numbers: list[int]
) -> None:
    records = [record(number) for number in range(5)]
    put(project, records)
    (project / "in.json").write_text(json.dumps(records, indent=1))
    assert resonare("fill", "in.jsonl", "-o", "in.parquet", "--skip-existing").code == 0
    before = asked(server)
    for name in ("in.jsonl", "in.json", "in.parquet"):
        done = resonare("fill", name, "--output-format", "jsonl", *options)
        found = [json.loads(line)["uuid"] for line in done.out.splitlines()]
        assert found == [f"u{number}" for number in numbers]
    assert asked(server) == before  # all answers were there


def test_skip_existing_leaves_a_record_with_any_answer_as_it_is(
    resonare: Resonare, project: Path, bodies: Running
) -> None:
    begun = record(1)
    begun["messages"] += [
        {"role": "user", "content": "more"},
        {"role": "assistant", "content": "said"},
    ]
    put(project, [begun, record(2)])
    since = len(bodies.bodies())
    resonare("fill", "in.jsonl", "-o", "out.jsonl", "--skip-existing")
    assert [body["messages"][0]["content"] for body in sent(bodies, since)] == ["q2"]
    assert rows(project / "out.jsonl")[0] == begun
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert [body["messages"][0]["content"] for body in sent(bodies, since)] == ["q2", "q1"]
    assert rows(project / "out.jsonl")[0]["messages"][1]["content"].startswith("answer ")


@pytest.mark.usefixtures("server")
def test_verbose_shows_progress_and_counts_where_there_is_no_terminal(
    resonare: Resonare, project: Path
) -> None:
    put(project, [record(number) for number in range(3)])
    quiet = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--model", "gpt-4o-mini")
    assert quiet.err.strip() == "3 records: 3 filled, 0 as they were, 0 left out"
    loud = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--model", "gpt-4o-mini", "--verbose")
    assert re.search(r"^100%  3 answers  [\d.,]+/s  \$0\.0000$", loud.err, re.MULTILINE)
    assert "3 answers, 3 of them from the cache; 0 tokens in, 0 out; $0.0000" in loud.err
    assert loud.out == quiet.out == ""


@pytest.mark.usefixtures("server")
def test_a_terminal_shows_how_far_a_filling_is(project: Path) -> None:
    put(project, [{"text": "none"}, *(record(number) for number in range(1100, 1400))])
    shown = in_terminal(project, "fill", "in.jsonl", "-o", "out.jsonl")
    assert "300 answers" in shown
    assert "1 left out" in shown
    assert "100%" in shown


def test_dry_run_says_what_would_be_asked_and_writes_and_sends_nothing(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(number) for number in range(4)])
    before = asked(server)
    options = ("--model", "gpt-4o-mini", "--max-tokens", "1000", "--dry-run")
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", *options, "--start", "1")
    assert done.code == 0
    assert "records    3 (3 to fill, 0 would be left out)" in done.out
    assert "requests   3 to gpt-4o-mini; 0 more are answered in the cache" in done.out
    assert " in, 3,000 out" in done.out
    # 3,000 tokens at 0.60 dollars a million are 0.0018, and half of that in a batch.
    assert "$0.0018 online, $0.0009 as a batch" in done.out
    assert asked(server) == before
    assert sorted(path.name for path in project.iterdir()) == [
        ".env",
        "data",
        "in.jsonl",
        "resonare.toml",
    ]
    assert not (project / "data" / "completions.sqlite").exists()


def test_dry_run_and_cap_count_identical_prompts_once_as_they_are_paid_for(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(1200 + number % 2, n=number) for number in range(10)])
    options = ("--model", "gpt-4o-mini", "--max-tokens", "1000")
    done = resonare("fill", "in.jsonl", *options, "--dry-run")
    assert "10 (10 to fill" in done.out
    assert "2 to gpt-4o-mini; 0 more are answered in the cache, 8 share the answer" in done.out
    before = asked(server)
    # Two answers cost up to 0.0012 dollars and two prompts next to nothing; ten would cost 0.006.
    assert resonare("fill", "in.jsonl", *options, "--max-cost-usd", "0.002").code == 0
    assert asked(server) == before + 2


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("given", ["json", "jsonl", "parquet"])
def test_the_format_of_the_output_is_what_was_said_before_what_its_name_says(
    resonare: Resonare, project: Path, given: str
) -> None:
    put(project, [record(1), record(2)])
    for name in ("out.json", "out.txt"):
        assert resonare("fill", "in.jsonl", "-o", name, "--output-format", given).code == 0
        path = project / name
        match given:
            case "json":
                found = json.loads(path.read_text())
            case "jsonl":
                found = rows(path)
            case _:
                found = pq.read_table(path).to_pylist()
        assert [row["uuid"] for row in found] == ["u1", "u2"]


@pytest.mark.usefixtures("server")
def test_the_format_of_the_input_is_found_whatever_its_name_and_may_be_said(
    resonare: Resonare, project: Path
) -> None:
    put(project, [record(1), record(2)], "lines.json")
    (project / "array.jsonl").write_text(json.dumps([record(1), record(2)]))
    wanted = resonare("fill", "lines.json").out
    assert len(wanted.splitlines()) == 2
    assert resonare("fill", "array.jsonl").out == wanted
    assert resonare("fill", "array.jsonl", "--input-format", "json").out == wanted
    assert resonare("fill", "array.jsonl", "--input-format", "auto").out == wanted
    wrong = resonare("fill", "array.jsonl", "--input-format", "jsonl")
    assert (wrong.code, wrong.out) == (1, "")
    assert "not_an_object, the first: line 1" in wrong.err


def test_fresh_answers_ask_again_for_all_of_the_range_and_take_the_place_of_the_old(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(number) for number in range(900, 905)])
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    before = asked(server)
    resonare("fill", "in.jsonl", "-o", "out.jsonl", "--fresh-answers", "--end", "2")
    assert asked(server) == before + 2
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert asked(server) == before + 2


def test_a_cap_that_holds_the_estimate_is_no_hindrance_and_one_below_sends_nothing(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(number) for number in range(1000, 1010)])
    before = asked(server)
    options = ("--model", "gpt-4o-mini", "--max-tokens", "100", "-o", "out.jsonl")
    # 10 answers of 100 tokens at 0.60 dollars a million are 0.0006.
    refused = resonare("fill", "in.jsonl", *options, "--max-cost-usd", "0.0005")
    assert refused.code == 1
    assert "nothing was sent" in refused.err
    assert (asked(server), (project / "out.jsonl").exists()) == (before, False)
    assert resonare("fill", "in.jsonl", *options, "--max-cost-usd", "0.01").code == 0
    assert asked(server) == before + 10
    # What is answered already costs nothing.
    assert resonare("fill", "in.jsonl", *options, "--max-cost-usd", "0").code == 0
