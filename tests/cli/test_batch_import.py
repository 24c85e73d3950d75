"""`resonare batch import`: results that were downloaded by hand → the cache that `fill` asks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from resonare_pipeline.completions.requests import CompletionRequest
from tests.cli.batch_files import put, rows
from tests.cli.command import Resonare
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, Fault, Rule, Script

MODEL = "gpt-4o-mini"


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        (project / ".env").write_text(f"BASE_URL={running.url}\nAPI_KEY=dummy\nMODEL={MODEL}\n")
        yield running
        running.advance(1e6)
        running.batches()


def records(count: int) -> list[Any]:
    turns = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    return [{"messages": [{**turns[0], "content": f"q{n}"}, turns[1]]} for n in range(count)]


def requests(server: Running, count: int) -> list[dict[str, Any]]:
    """Return lines of a batch's input, as the first requests of the records."""
    endpoint = server.url.removeprefix("http://")
    found = []
    for record in records(count):
        request = CompletionRequest(model=MODEL, messages=(record["messages"][0],))
        found.append(
            {
                "custom_id": request.key("openai", endpoint),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": request.body(),
            }
        )
    return found


def run_by_hand(server: Running, source: Path) -> bytes:
    """Run a batch as somebody does at the provider's page; return its results."""
    with OpenAI(base_url=server.url, api_key="dummy") as client:
        with source.open("rb") as stream:
            file = client.files.create(file=stream, purpose="batch")
        made = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        done = client.batches.retrieve(made.id)
        assert done.status == "completed"
        files = filter(None, (done.output_file_id, done.error_file_id))
        return b"".join(client.files.content(name).content for name in files)


def test_after_an_import_fill_asks_nothing(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project / "in.jsonl", records(5))
    source = put(project / "batch.jsonl", requests(server, 5))
    (project / "results.jsonl").write_bytes(run_by_hand(server, source))
    done = resonare("batch", "import", "results.jsonl", "--json")
    assert done.code == 0, done.out + done.err
    assert (done.json["stored"], done.json["known"]) == (5, 0)
    assert done.json["cost_usd"] > 0
    again = resonare("batch", "import", "results.jsonl", "--json").json
    assert (again["stored"], again["known"], again["cost_usd"]) == (0, 5, 0)
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    assert len(rows(project / "out.jsonl")) == 5
    assert [entry for entry in server.journal() if entry.kind == "chat"] == []


def test_batch_prices_are_half_of_what_the_same_costs_online(
    resonare: Resonare, project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONARE_COMPLETIONS__INPUT_USD_PER_MILLION", "1000000")
    monkeypatch.setenv("RESONARE_COMPLETIONS__OUTPUT_USD_PER_MILLION", "1000000")
    source = put(project / "batch.jsonl", requests(server, 1))
    (project / "results.jsonl").write_bytes(run_by_hand(server, source))
    usage = rows(project / "results.jsonl")[0]["response"]["body"]["usage"]
    told = resonare("batch", "import", "results.jsonl", "--json").json
    assert told["cost_usd"] == usage["total_tokens"] / 2


def test_failures_strangers_and_damage_are_counted_and_nothing_else_is_taken(
    resonare: Resonare, project: Path, server: Running
) -> None:
    rules = (Rule(fault=Fault.SERVER, contains="q1"), Rule(fault=Fault.LENGTH, contains="q2"))
    server.use(Script(batches=BatchScript(rules=rules)))
    source = put(project / "batch.jsonl", requests(server, 4))
    results = run_by_hand(server, source).decode().splitlines()
    stranger = results[0].replace(json.loads(results[0])["custom_id"], "row-1")
    (project / "results.jsonl").write_text("\n".join([*results, stranger, "{broken", results[0]]))
    done = resonare("batch", "import", "results.jsonl", "--json")
    assert done.code == 1
    counts = {name: value for name, value in done.json.items() if not name.endswith("usd")}
    assert counts == {
        "stored": 3,  # the one that was cut off is billed, so it is kept
        "known": 1,
        "failed": 1,
        "foreign": 1,
        "unasked": 0,
        "malformed": 1,
        "unpriced": 0,
    }
    assert "1 lines have no answer" in resonare("batch", "import", "results.jsonl").out


def test_with_the_input_only_what_it_asks_of_this_endpoint_is_taken(
    resonare: Resonare, project: Path, server: Running
) -> None:
    asked = requests(server, 3)
    source = put(project / "batch.jsonl", asked)
    (project / "results.jsonl").write_bytes(run_by_hand(server, source))
    asked[1]["body"]["temperature"] = 1.0  # so its key is another one
    changed = put(project / "changed.jsonl", asked[:2])
    arguments = ("batch", "import", "results.jsonl", "--json", "--input")
    done = resonare(*arguments, str(changed))
    assert (done.json["stored"], done.json["unasked"], done.code) == (1, 2, 1)
    other = project / "other.env"
    other.write_text("BASE_URL=https://other.example/v1\nAPI_KEY=dummy\n")
    done = resonare(*arguments, str(source), "--env", "other.env")
    assert (done.json["stored"], done.json["unasked"]) == (0, 3)
    done = resonare(*arguments, str(source))
    assert (done.json["stored"], done.json["known"], done.code) == (2, 1, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "results.jsonl: no result in it"),
        ("no\njson\n", "results.jsonl: no result in it"),
        ('{"custom_id": "x", "method": "POST", "url": "/v1/x", "body": {}}', "it is a request"),
    ],
)
@pytest.mark.usefixtures("server")
def test_what_is_no_output_file_is_refused(
    resonare: Resonare, project: Path, text: str, said: str
) -> None:
    (project / "results.jsonl").write_text(text)
    done = resonare("batch", "import", "results.jsonl")
    assert done.code == 1
    assert said in done.err


def test_an_import_needs_no_key(resonare: Resonare, project: Path, server: Running) -> None:
    source = put(project / "batch.jsonl", requests(server, 1))
    (project / "results.jsonl").write_bytes(run_by_hand(server, source))
    (project / ".env").write_text(f"BASE_URL={server.url}\n")
    assert resonare("batch", "import", "results.jsonl").code == 0


def test_the_help_page_waits_for_no_library(project: Path) -> None:
    program = (
        "import sys; from resonare_pipeline.cli import main\n"
        "sys.argv = ['resonare', 'batch', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'openai', 'sqlalchemy', 'pyarrow', 'dagster'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, check=False
    )
    assert done.returncode == 0
