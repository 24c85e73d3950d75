"""What goes wrong, as a person reads it: what was found, where, what to do; and nothing lost."""

import json
import resource
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.records.items import LONGEST_RECORD_BYTES
from tests.certificates import self_signed
from tests.cli.command import Outcome, Resonare, peak_memory_mb
from tests.cli.records import put, record, rows
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Fault, Rule, Script
from tests.processes import clean_environment, script

EARLIER = "an earlier output\n"

NARRATOR = {"messages": [{"role": "narrator", "content": "x"}]}

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def project_of_twenty(project: Path) -> Path:
    """Twenty records, and an output of an earlier run."""
    put(project, [record(number) for number in range(1500, 1520)])
    (project / "out.jsonl").write_text(EARLIER)
    return project


def said(done: Outcome) -> str:
    """Return what was said, on one line."""
    assert "Traceback" not in done.err
    return " ".join(done.err.split())


def require_nothing_lost(project: Path) -> None:
    """An earlier output is as it was, and nothing half lies beside it."""
    assert (project / "out.jsonl").read_text() == EARLIER
    assert not list(project.glob(".*.partial"))
    assert not list(project.glob("*.dropped.jsonl"))


def nobody() -> str:
    """Return an address on loopback that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("behaviour", "parts"),
    [
        (
            Script(keys=("right",)),
            ("HTTP 401: invalid_api_key", "expected a key that may use this model", "API_KEY"),
        ),
        (
            Script(models=("other",)),
            ("HTTP 404: model_not_found", "it offers other", "Set MODEL or completions.model"),
        ),
        (
            Script(rules=(Rule(fault=Fault.FORBIDDEN),)),
            ("HTTP 403", "refuses the key or the model", "API_KEY"),
        ),
    ],
    ids=["key", "model", "forbidden"],
)
def test_what_every_request_would_be_refused_for_is_said_once_and_mended_by_the_same_command(
    resonare: Resonare,
    project_of_twenty: Path,
    server: Running,
    behaviour: Script,
    parts: tuple[str, ...],
) -> None:
    server.use(behaviour)
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 1
    text = said(done)
    assert all(part in text for part in parts), text
    assert "again" in text
    assert text.count("HTTP 4") == 1
    require_nothing_lost(project_of_twenty)
    server.use(Script())
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    assert len(rows(project_of_twenty / "out.jsonl")) == 20


@pytest.mark.parametrize("records", [1, 20])
def test_an_endpoint_that_is_down_ends_the_run_however_small_with_its_address(
    resonare: Resonare, project_of_twenty: Path, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    monkeypatch.setenv("BASE_URL", url := nobody())
    monkeypatch.setenv("RESONARE_COMPLETIONS__RETRIES", "0")
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--end", str(records))
    assert done.code == 1
    text = said(done)
    assert f"the endpoint cannot be reached: {url}: no connection" in text
    assert "Check BASE_URL, then give the same command again" in text
    require_nothing_lost(project_of_twenty)


def test_a_certificate_that_nobody_signed_is_refused_and_taken_when_it_is_named(
    resonare: Resonare, project_of_twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = project_of_twenty / "server.pem"
    with serving(tls=self_signed(pem)) as server:
        monkeypatch.setenv("BASE_URL", server.url)
        text = said(resonare("fill", "in.jsonl", "-o", "out.jsonl"))
        assert f"{server.url}: no secure connection" in text
        assert "self-signed certificate" in text
        assert "in SSL_CERT_FILE" in text
        require_nothing_lost(project_of_twenty)
        named = clean_environment(BASE_URL=server.url, SSL_CERT_FILE=str(pem))
        done = subprocess.run(
            [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl"],
            cwd=project_of_twenty,
            env=named,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def test_a_path_where_no_model_is_served_is_told_from_a_wrong_model(
    resonare: Resonare,
    project_of_twenty: Path,
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BASE_URL", server.url.removesuffix("/v1"))
    text = said(resonare("fill", "in.jsonl", "-o", "out.jsonl"))
    assert "no model is served at this path; most addresses end in /v1" in text
    assert "Check BASE_URL" in text
    require_nothing_lost(project_of_twenty)


def test_a_prompt_that_is_too_long_leaves_out_its_record_and_says_which(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(context_tokens=50))
    long = record(1)
    long["messages"][0]["content"] = "word " * 400
    put(project, [record(0), long, record(2)])
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 1
    first = "invalid, the first: line 2: HTTP 400: context_length_exceeded, This model's maximum"
    assert first in said(done)
    assert "word word" not in done.err
    assert [row["uuid"] for row in rows(project / "out.jsonl")] == ["u0", "u2"]
    assert rows(project / "out.jsonl.dropped.jsonl")[0]["record"] == long


def test_records_that_are_none_are_left_out_and_each_reason_is_shown_with_its_first_place(
    resonare: Resonare, project: Path
) -> None:
    wrong: list[Any] = [{"text": "x"}, {"messages": "hello"}, NARRATOR, [1], NARRATOR]
    put(project, [record(0), *wrong, record(2)])
    with (project / "in.jsonl").open("a") as stream:
        stream.write("{broken\n")
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 1
    text = said(done)
    for part in (
        "8 records: 2 filled, 0 as they were, 6 left out",
        "see out.jsonl.dropped.jsonl",
        "unknown_role, the first: line 4: unknown role 'narrator'",
        "no_messages, the first: line 2: none of messages, conversations",
        "messages_not_list, the first: line 3: messages is no list",
        "not_an_object, the first: line 5: the record is no object",
        "not_json, the first: line 8: ",
    ):
        assert part in text
    assert "asks again" not in text  # it would come to the same
    kept = rows(project / "out.jsonl.dropped.jsonl")
    assert [row.get("record") for row in kept[:5]] == wrong
    assert kept[5]["text"] == "{broken"


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("in.parquet", b"hello", ("begins with b'hello'", "--input-format")),
        ("cut.parquet", b"PAR1" + b"x" * 99, ("not a Parquet file", "Fetch or write it again")),
        ("void.jsonl", b"", ("the file is empty", "expected records as JSON")),
        ("blank.jsonl", b"\n \n\n", ("the file is empty", "expected records as JSON")),
        ("array.json", b" [ ] ", ("no record in it",)),
        ("packed.jsonl", b"\x1f\x8b\x08\x00", ("begins with b'\\x1f", "--input-format")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_input_that_holds_no_records_is_named_with_what_it_should_be(
    resonare: Resonare, project_of_twenty: Path, name: str, content: bytes, parts: tuple[str, ...]
) -> None:
    (project_of_twenty / name).write_bytes(content)
    done = resonare("fill", name, "-o", "out.jsonl")
    assert done.code == 1
    text = said(done)
    assert text.startswith(f"error: {name}: ")
    assert all(part in text for part in parts), text
    assert (project_of_twenty / name).read_bytes() == content
    require_nothing_lost(project_of_twenty)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((".",), ("error: .: it is a folder", "expected one file", "Name a file in it")),
        (("/dev/null",), ("error: /dev/null: it is no regular file",)),
        (("none.jsonl",), ("error: none.jsonl: no such file",)),
        (
            ("in.jsonl", "-o", "no/out.jsonl"),
            ("no/out.jsonl: cannot be written", "Make the folder"),
        ),
        (
            ("in.jsonl", "--start", "9", "--end", "3"),
            ("--end: no record lies between 9 and 3", "expected a number above that of --start"),
        ),
        (("in.jsonl", "-i", "99"), ("in.jsonl: no record from number 99 on", "counted from 0")),
        (("in.jsonl", "--env", "no.env"), ("no.env: no such file", "--env FILE")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_was_named_wrongly_is_said_with_where_and_what_to_do(
    resonare: Resonare,
    project_of_twenty: Path,
    arguments: tuple[str, ...],
    parts: tuple[str, ...],
) -> None:
    given = arguments if "-o" in arguments else (*arguments, "-o", "out.jsonl")
    done = resonare("fill", *given)
    assert done.code in (1, 2)
    text = said(done)
    assert all(part in text for part in parts), text
    require_nothing_lost(project_of_twenty)


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({}, "BASE_URL or OPENAI_BASE_URL and API_KEY or OPENAI_API_KEY is not set"),
        ({"BASE_URL": "http://127.0.0.1:9/v1"}, "API_KEY or OPENAI_API_KEY is not set"),
        ({"API_KEY": "x"}, "BASE_URL or OPENAI_BASE_URL is not set"),
    ],
    ids=["both", "key", "address"],
)
@pytest.mark.parametrize("named", [".env", "my.env"])
def test_what_is_missing_of_the_endpoint_is_named_with_the_file_that_was_looked_in(
    resonare: Resonare,
    project_of_twenty: Path,
    there: dict[str, str],
    missing: str,
    named: str,
) -> None:
    (project_of_twenty / ".env").unlink()
    lines = [f"{name}={value}\n" for name, value in there.items()]
    (project_of_twenty / named).write_text("OTHER=1\n" + "".join(lines))
    more = () if named == ".env" else ("--env", named)
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", *more)
    assert done.code == 2
    text = said(done)
    assert text.startswith(f"error: environment and {named}: {missing}; expected")
    assert "A server that needs no key takes API_KEY=dummy" in text
    require_nothing_lost(project_of_twenty)


def limited(bytes_: int) -> Callable[[], None]:
    """Return what keeps a process from writing files longer than that."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


def test_a_disk_that_fills_up_loses_no_answer_and_no_earlier_output(
    project_of_twenty: Path, server: Running
) -> None:
    # The cache keeps answers alone, so it stays small where the output does not.
    put(project_of_twenty, [record(number, pad="x" * 20_000) for number in range(1600, 1700)])
    command = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl"]
    environ = clean_environment()
    full = subprocess.run(
        command,
        cwd=project_of_twenty,
        env=environ,
        preexec_fn=limited(1_000_000),
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    text = " ".join(full.stderr.split())
    assert "out.jsonl.partial: cannot be written: File too large" in text
    require_nothing_lost(project_of_twenty)
    answered = len(server.journal())
    again = subprocess.run(
        command, cwd=project_of_twenty, env=environ, capture_output=True, check=False
    )
    assert again.returncode == 0, again.stderr.decode()
    assert len(rows(project_of_twenty / "out.jsonl")) == 100
    bodies = [entry.body for entry in server.journal()]
    assert len(set(bodies[answered:]) & set(bodies[:answered])) <= 64  # those under way, at most


def test_a_line_that_is_too_long_is_left_out_in_bounded_memory(project: Path) -> None:
    size = 4 * LONGEST_RECORD_BYTES
    put(project, [record(1), record(2)])
    _, few_mb = peak_memory_mb(project, "fill", "in.jsonl", "-o", "out.jsonl")
    with (project / "in.jsonl").open("ab") as stream:
        stream.write(b'{"messages": "')
        for _ in range(size >> 20):
            stream.write(b"x" * (1 << 20))
        stream.write(b'"}\n')
        stream.write(json.dumps(record(3)).encode() + b"\n")
    text, many_mb = peak_memory_mb(project, "fill", "in.jsonl", "-o", "out.jsonl")
    assert f"too_long, the first: line 3: {size + 17} bytes, more than" in text
    assert [row["uuid"] for row in rows(project / "out.jsonl")] == ["u1", "u2", "u3"]
    left = project / "out.jsonl.dropped.jsonl"
    assert size < left.stat().st_size < size + 1000  # whole
    with left.open("rb") as stream:
        assert b'"number": 2, "place": "line 3", "reason": "too_long"' in stream.read(200)
    assert many_mb - few_mb < 3 * (LONGEST_RECORD_BYTES >> 20)
