"""The command in a terminal of its own: progress, interruption, completion, colours."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from resonare_pipeline.cli.completing import (
    complete_assets,
    complete_partitions,
    complete_settings,
    complete_targets,
)
from tests.benchmarks.generate_telegram import Shape, write_export
from tests.cli.terminal import in_terminal
from tests.processes import clean_environment, script, wait_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = tmp_path / "data" / "raw" / "chats" / "big.json"
    raw.parent.mkdir(parents=True)
    with raw.open("wb") as stream:
        write_export(stream, megabytes=15, seed=3, shape=Shape.PERSONAL, minified=False)
    return tmp_path


def run_to_end(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script("resonare"), *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_run_in_a_terminal_shows_amount_and_time_left_while_stages_run(folder: Path) -> None:
    shown = in_terminal(folder, "run")
    assert re.search(r"big chat_tables.*of 15\.0 MB", shown)
    assert "left" in shown
    assert "\x1b[" in shown


def test_run_piped_has_no_colours_and_no_progress(folder: Path) -> None:
    done = run_to_end(folder, "run")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "left" not in done.stderr


def unfinished(folder: Path) -> set[Path]:
    """Return the artifact folders that hold files but no manifest."""
    stages = folder / "data" / "artifacts" / "stages"
    files = [path for path in stages.rglob("*") if path.is_file()]
    homes = {stages.joinpath(*path.relative_to(stages).parts[:3]) for path in files}
    return {home for home in homes if not (home / "manifest.json").exists()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["chat_export", "chat_tables"])
def test_run_interrupted_leaves_all_whole_and_goes_on_where_it_stopped(
    folder: Path, after: str, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [script("resonare"), "run"],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        stage = folder / "data" / "artifacts" / "stages" / after

        def made() -> bool:
            return any(stage.rglob("manifest.json")) or process.poll() is not None

        wait_for(f"{after} to be made", made)
        os.killpg(process.pid, number)
        _, said = process.communicate()
    assert process.returncode == 130
    assert "The same command goes on" in said
    assert "Traceback" not in said
    assert unfinished(folder) == set()
    again = run_to_end(folder, "run", "--json")
    assert again.returncode == 0, again.stderr
    found = {stage["asset"]: stage["cache"] for stage in json.loads(again.stdout)["stages"]}
    assert found[{"chat_tables": "messages"}.get(after, after)] == "hit"
    assert found["chat_conversations"] == "miss"


def test_completion_offers_names_of_the_graph_and_of_raw_inputs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert complete_targets("ch")[:2] == ["chats", "chat_export"]
    assert complete_assets("mess") == ["messages"]
    assert complete_partitions("") == ["big"]
    assert complete_settings("blocks.max") == ["blocks.max_tokens_per_block="]


def test_completion_offers_nothing_where_settings_are_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "resonare.toml").write_text("[nonsense]\n")
    assert complete_partitions("") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed_for_each_shell(folder: Path, shell: str) -> None:
    done = run_to_end(folder, "--show-completion", shell)
    assert done.returncode == 0
    assert "resonare" in done.stdout
