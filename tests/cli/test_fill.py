import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from resonare_pipeline.cli import filling
from resonare_pipeline.records.filling import fill
from tests.cli.command import Resonare, imported_by
from tests.cli.records import asked, put, record, rows
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fault, Rule, Script
from tests.processes import clean_environment, script, wait_for


@pytest.mark.usefixtures("server")
def test_fill_answers_every_empty_turn_and_touches_nothing_else(
    resonare: Resonare, project: Path
) -> None:
    put(project, [record(1), record(2, used_in=["nano_v3"])])
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 0, done.err
    filled = rows(project / "out.jsonl")
    assert all(row["messages"][1].pop("content").startswith("answer ") for row in filled)
    expected = [record(1), record(2, used_in=["nano_v3"])]
    for row in expected:
        del row["messages"][1]["content"]
    assert filled == expected
    assert not list(project.glob("*.dropped.jsonl"))


def test_fill_again_asks_nothing_and_a_changed_record_asks_once(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(number) for number in range(100, 150)])
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    before, first = asked(server), (project / "out.jsonl").read_bytes()
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert asked(server) == before
    assert (project / "out.jsonl").read_bytes() == first
    put(project, [record(number) for number in range(100, 149)] + [record(999)])
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert asked(server) == before + 1


def test_fresh_answers_are_asked_for_again(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(200)])
    resonare("fill", "in.jsonl", "-o", "out.jsonl")
    before = asked(server)
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl", "--fresh-answers").code == 0
    assert asked(server) == before + 1


@pytest.mark.usefixtures("server")
def test_fill_writes_to_standard_output(resonare: Resonare, project: Path) -> None:
    put(project, [record(1)])
    done = resonare("fill", "in.jsonl")
    assert json.loads(done.out)["uuid"] == "u1"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--start", "1"), ["u1", "u2", "u3"]),
        (("--start", "1", "--end", "3"), ["u1", "u2"]),
        (("-i", "2"), ["u2"]),
    ],
)
def test_fill_takes_the_records_that_are_asked_for(
    resonare: Resonare, project: Path, options: tuple[str, ...], expected: list[str]
) -> None:
    put(project, [record(number) for number in range(4)])
    resonare("fill", "in.jsonl", "-o", "out.jsonl", *options)
    assert [row["uuid"] for row in rows(project / "out.jsonl")] == expected


def test_failed_and_invalid_records_are_kept_apart_with_the_reason(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(rules=(Rule(fault=Fault.INVALID, contains="q301"),)))
    put(project, [record(300), record(301), {"text": "none"}, record(302)])
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", "--verbose")
    assert done.code == 1
    assert [row["uuid"] for row in rows(project / "out.jsonl")] == ["u300", "u302"]
    dropped = rows(project / "out.jsonl.dropped.jsonl")
    assert [(row["number"], row["reason"]) for row in dropped] == [
        (1, "invalid"),
        (2, "no_messages"),
    ]
    assert dropped[0]["record"] == record(301)
    assert "out.jsonl.dropped.jsonl" in done.err
    server.use(Script())
    put(project, [record(300), record(301)])
    assert resonare("fill", "in.jsonl", "-o", "out.jsonl").code == 0
    assert not (project / "out.jsonl.dropped.jsonl").exists()


def test_dry_run_counts_and_sends_nothing(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(400), record(401), {"text": "none"}])
    before = asked(server)
    done = resonare("fill", "in.jsonl", "--dry-run", "--model", "gpt-4o-mini")
    assert done.code == 0
    assert "3 (2 to fill, 1 would be left out)" in done.out
    assert "2 to gpt-4o-mini; 0 more" in done.out
    assert "online" in done.out
    assert asked(server) == before
    resonare("fill", "in.jsonl", "-o", "out.jsonl", "--model", "gpt-4o-mini")
    again = resonare("fill", "in.jsonl", "--dry-run", "--model", "gpt-4o-mini")
    assert "0 to gpt-4o-mini; 2 more" in again.out


def test_a_cap_below_the_estimate_is_refused_before_anything_is_sent(
    resonare: Resonare, project: Path, server: Running
) -> None:
    put(project, [record(number) for number in range(500, 520)])
    before = asked(server)
    options = ("--model", "gpt-4o-mini", "--max-cost-usd", "0.000001")
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl", *options)
    assert done.code == 1
    assert "nothing was sent" in done.err
    assert asked(server) == before


@pytest.mark.usefixtures("server")
def test_parameters_are_sent_and_make_other_requests(resonare: Resonare, project: Path) -> None:
    put(project, [record(600)])
    resonare("fill", "in.jsonl", "-o", "a.jsonl", "--param", "seed=7", "--temperature", "0.5")
    resonare("fill", "in.jsonl", "-o", "b.jsonl", "--param", "seed=8", "--temperature", "0.5")
    assert (project / "a.jsonl").read_bytes() != (project / "b.jsonl").read_bytes()
    refused = resonare("fill", "in.jsonl", "--param", "seed")
    assert (refused.code, "'seed' sets nothing" in refused.err) == (2, True)
    reserved = resonare("fill", "in.jsonl", "--param", "model=other")
    assert (reserved.code, "'model' is no parameter" in reserved.err) == (2, True)


@pytest.mark.usefixtures("server")
def test_parquet_in_and_out_by_the_endings_of_names(resonare: Resonare, project: Path) -> None:
    put(project, [record(1), record(2)])
    resonare("fill", "in.jsonl", "-o", "one.parquet")
    resonare("fill", "one.parquet", "-o", "two.parquet")
    assert pq.read_table(project / "two.parquet").equals(pq.read_table(project / "one.parquet"))
    assert resonare("fill", "one.parquet", "-f", "json").out.startswith("[")


def test_a_mock_answers_offline_when_it_is_asked_for_and_says_so(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_LLM_PROVIDER", "mock")
    put(project, [record(1)])
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 0, done.err
    assert "1 answers are a mock's" in done.err
    assert rows(project / "out.jsonl")[0]["messages"][1]["content"].startswith("Mock")


def test_a_missing_endpoint_is_named_with_the_file_that_was_looked_in(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "OPENAI_BASE_URL", "API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    put(project, [record(1)])
    (project / "my.env").write_text("OTHER=1\n")
    done = resonare("fill", "in.jsonl", "--env", "my.env")
    assert done.code == 2
    assert all(word in done.err for word in ("BASE_URL", "API_KEY", "my.env"))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.jsonl",), "no such file"),
        (("empty.jsonl",), "the file is empty"),
        (("in.jsonl", "--start", "9"), "no record from number 9 on"),
        (("in.jsonl", "-o", "no/folder/out.jsonl"), "Make the folder first"),
        (("in.jsonl", "-o", "."), "Name a file, not a folder"),
        (("in.jsonl", "-o", "/dev/full"), "Free some space"),
        (("in.jsonl", "--env", "none.env"), "no such file"),
        (("in.jsonl", "--start", "1", "-i", "1"), "--index is one record"),
        (("in.jsonl", "--input-format", "parquet"), "not a Parquet file"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    resonare: Resonare, project: Path, arguments: tuple[str, ...], said: str
) -> None:
    put(project, [record(1)])
    (project / "empty.jsonl").touch()
    done = resonare("fill", *arguments)
    assert done.code in (1, 2)
    assert said in done.err
    assert not list(project.glob(".*.partial"))


def test_a_refused_key_is_said_once_and_leaves_no_output(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(keys=("right",)))
    put(project, [record(number) for number in range(700, 720)])
    done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
    assert done.code == 1
    assert done.err.count("refuses the key") == 1
    assert not list(project.glob("out.jsonl*"))


def test_an_output_that_is_being_written_is_not_written_by_another(
    resonare: Resonare, project: Path, server: Running
) -> None:
    server.use(Script(rules=(Rule(fault=Fault.HANG, contains="q800"),)))
    put(project, [record(800)], "slow.jsonl")
    put(project, [record(801)])
    command = [script("resonare"), "fill", "slow.jsonl", "-o", "out.jsonl"]
    with subprocess.Popen(
        command, cwd=project, env=clean_environment(), stderr=subprocess.PIPE
    ) as other:
        try:
            wait_for("a request", lambda: list(project.glob(".out.jsonl.partial")))
            done = resonare("fill", "in.jsonl", "-o", "out.jsonl")
            assert "another run is writing it" in done.err
            other.send_signal(signal.SIGTERM)
            assert other.stderr
            said = other.stderr.read().decode()
        finally:
            other.kill()
    assert other.returncode == 130, said
    assert "The same command goes on" in said
    assert not list(project.glob("*out.jsonl*"))


def test_help_needs_none_of_the_large_libraries(project: Path) -> None:
    modules = imported_by(project, "fill", "--help")
    assert modules.isdisjoint({"dagster", "pandas", "openai", "pyarrow", "aiohttp", "sqlalchemy"})


@pytest.mark.usefixtures("server")
def test_filling_needs_neither_dagster_nor_pandas(project: Path) -> None:
    put(project, [record(1)])
    modules = imported_by(project, "fill", "in.jsonl", "-o", "out.parquet")
    assert "pyarrow" in modules
    assert modules.isdisjoint({"dagster", "pandas"})


def test_sets_of_records_run_in_dagster_beside_an_export_of_the_same_name(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_LLM_PROVIDER", "mock")
    (project / "data/raw/records").mkdir()
    put(project / "data/raw/records", [record(1)], "friends.jsonl")
    done = resonare("run", "-p", "friends", "--json")
    assert done.code == 0, done.err
    assets = {asset for _, asset in done.caches}
    assert {"chat_conversations", "filled_conversations"} <= assets
    assert len(done.json["runs"]) == 2
    assert rows(project / "data/output/records/friends/train.jsonl")[0]["metadata"]["mock"]
    again = resonare("run", "-p", "friends", "--json")
    assert set(again.caches.values()) == {"hit"}
    shown = resonare("show", "filled_conversations", "friends")
    assert "assistant: Mock answer" in shown.out


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("kind", ["same", "symlink", "hardlink", "dropped"])
def test_an_output_that_is_the_input_is_refused(
    resonare: Resonare, project: Path, kind: str
) -> None:
    put(project, [record(1)])
    before, source, out = (project / "in.jsonl").read_bytes(), "in.jsonl", "out.jsonl"
    match kind:
        case "same":
            out = "in.jsonl"
        case "symlink":
            (project / out).symlink_to("in.jsonl")
        case "hardlink":
            (project / out).hardlink_to(project / "in.jsonl")
        case "dropped":
            source = "out.jsonl.dropped.jsonl"
            (project / source).write_bytes(before)
    done = resonare("fill", source, "-o", out)
    assert done.code != 0
    assert "it is the input as well" in done.err
    assert (project / source).read_bytes() == before


@pytest.mark.usefixtures("server")
def test_what_one_slice_left_out_is_replaced_by_the_same_slice_alone(
    resonare: Resonare, project: Path
) -> None:
    bad = {"text": "none"}
    put(project, [bad, record(1), bad, record(2)])
    for options in (("--end", "1"), ("--start", "2"), ("-i", "2"), ("--start", "1", "--end", "3")):
        assert resonare("fill", "in.jsonl", *options).code == 1
    names = ["0-1", "2-end", "2-3", "1-3"]
    files = [project / f"in.jsonl.{name}.dropped.jsonl" for name in names]
    assert [[row["number"] for row in rows(file)] for file in files] == [[0], [2], [2], [2]]
    assert resonare("fill", "in.jsonl").code == 1
    whole = project / "in.jsonl.dropped.jsonl"
    assert [row["number"] for row in rows(whole)] == [0, 2]
    put(project, [record(0), record(1), bad, record(2)])
    assert resonare("fill", "in.jsonl", "--end", "1").code == 0
    assert [file.exists() for file in [*files, whole]] == [False, True, True, True, True]


@pytest.mark.usefixtures("server")
def test_a_full_disk_behind_standard_output_is_said_without_a_traceback(project: Path) -> None:
    put(project, [record(1), record(2)])
    for more in ([], ["--output-format", "json"], ["--output-format", "parquet"]):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [script("resonare"), "fill", "in.jsonl", *more],
                cwd=project,
                env=clean_environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1, done.stderr
        assert "standard output: cannot be written" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


@pytest.mark.usefixtures("server")
def test_parquet_that_was_replaced_meanwhile_is_not_joined_with_answers_of_another(
    resonare: Resonare, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("in.parquet", 1), ("other.parquet", 2)):
        put(project, [record(number)])
        resonare("fill", "in.jsonl", "-o", name, "--skip-existing", "--param", f"seed={number}")

    async def filled_and_replaced(*arguments: Any) -> None:
        await fill(*arguments)
        (project / "other.parquet").replace(project / "in.parquet")

    monkeypatch.setattr(filling, "fill", filled_and_replaced)
    done = resonare("fill", "in.parquet", "-o", "out.parquet")
    assert done.code == 1
    assert "it changed while it was being read" in done.err
    assert not (project / "out.parquet").exists()
