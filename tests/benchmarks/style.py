"""Measures the style group, stage by stage, against one plain pass over the same messages.

    python -m tests.benchmarks.style --messages 1000000

The floor reads every message as Python values and writes each as a line of JSON: the least that a
tool does whose output is examples. Every part runs in a process of its own, so that its peak memory
is its own. Also measured: the Python interface on the same messages as a data frame.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.style.example_files import write_style_examples
from resonare_pipeline.style.settings import (
    EpisodeSettings,
    StyleExamplesSettings,
    TextingStyleSettings,
    WindowSettings,
)
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.streaming import COLUMNS, MESSAGES_FILE
from resonare_pipeline.style.texting import write_style
from resonare_pipeline.style.windowing import write_episodes, write_windows

BYTES_PER_MESSAGE = 525  # of the generated export, for each message that is read from it
MEGABYTE = 1_000_000
KILOBYTES = 1_024
STAGES = (
    "floor",
    "texting_style",
    "conversation_windows",
    "dialogue_episodes",
    "style_examples",
    "style_examples_all",
)
CALLS = (
    "frame",
    "analyze",
    "profiles",
    "windows",
    "episodes",
    "conversational",
    "burst",
    "adaptive",
    "enhance",
    "examples",
    "examples_three",
    "examples_all",
    "examples_all_of_which_10000",
)


class Bench:
    """One temporary store, in which the parts find what others made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(LocalFiles(folder / "store"))

    def run(self, stage: str) -> int:
        """Make one stage and return its rows."""
        if stage == "floor":
            return self._floor()
        attempt = self._store.attempt(stage, "bench", "0" * 64)
        out = self._store.output(attempt, stage)
        makers: dict[str, Callable[[], None]] = {
            "texting_style": lambda: write_style(
                self.artifact("messages"), out, TextingStyleSettings()
            ),
            "conversation_windows": lambda: write_windows(
                self.artifact("messages"), out, WindowSettings()
            ),
            "dialogue_episodes": lambda: write_episodes(
                self.artifact("messages"), out, EpisodeSettings()
            ),
            "style_examples": lambda: self._examples(out, StyleExamplesSettings()),
            "style_examples_all": lambda: self._examples(
                out, StyleExamplesSettings(strategies=tuple(Strategy))
            ),
        }
        makers[stage]()
        entry = out.entry()
        self._described(stage).write_bytes(msgspec.json.encode(entry))
        return entry.rows

    def _examples(self, out: OutputDraft, settings: StyleExamplesSettings) -> None:
        write_style_examples(
            self.artifact("conversation_windows"),
            self.artifact("dialogue_episodes"),
            self.artifact("texting_style"),
            out,
            settings,
        )

    def _floor(self) -> int:
        encode = msgspec.json.Encoder().encode
        rows = 0
        with (self._folder / "floor.jsonl").open("wb") as stream:
            for row in self.artifact("messages").rows(MESSAGES_FILE, columns=COLUMNS):
                stream.write(encode(row) + b"\n")
                rows += 1
        return rows

    def _described(self, asset: str) -> Path:
        return self._folder / f"{asset}.entry.json"

    def artifact(self, asset: str) -> Artifact:
        """Return what an earlier part made."""
        from resonare_pipeline.artifacts.manifest import OutputEntry

        entry = msgspec.json.decode(self._described(asset).read_bytes(), type=OutputEntry)
        files = LocalFiles(self._folder / "store")
        if asset == "messages":
            files = LocalFiles(self._folder / "project" / "data" / "artifacts")
        return Artifact(asset=asset, entry=entry, files=files)

    def call(self, name: str) -> int:
        """Call the Python interface once and return how much came of it."""
        import pandas as pd

        with self.artifact("messages").open(MESSAGES_FILE) as stream:
            frame = pd.read_parquet(stream, columns=COLUMNS)
        return len(frame) if name == "frame" else self._calls(frame)[name]()

    def _calls(self, frame: Any) -> dict[str, Callable[[], int]]:
        from resonare_pipeline.style import (
            ConversationProcessor,
            StyleAnalyzer,
            TrainingDataCreator,
        )

        creator = TrainingDataCreator()

        def examples(strategies: Sequence[str], most: int | None = None) -> int:
            made, _ = creator.create_training_examples(
                frame, strategies=strategies, max_examples=most
            )
            return len(made)

        return {
            "analyze": lambda: len(creator.analyze_personal_texting_style(frame, True, True)),
            "profiles": lambda: len(StyleAnalyzer().analyze_all_communication_styles(frame)),
            "windows": lambda: len(creator.create_conversation_windows(frame)),
            "episodes": lambda: len(creator.segment_natural_dialogues(frame)),
            "conversational": lambda: len(creator.create_conversational_data(frame)),
            "burst": lambda: len(creator.create_burst_sequence_data(frame)),
            "adaptive": lambda: len(
                creator.create_adaptive_training_data(
                    frame, min_style_difference=0, min_conversations_per_partner=1
                )
            ),
            "enhance": lambda: len(ConversationProcessor().process_conversations(frame)),
            "examples": lambda: examples(["conversational"]),
            "examples_three": lambda: examples(["conversational", "burst", "adaptive"]),
            "examples_all": lambda: examples(tuple(Strategy)),
            "examples_all_of_which_10000": lambda: examples(tuple(Strategy), 10_000),
        }


def prepare(folder: Path, messages: int) -> None:
    """Generate an export and read it into the table of messages."""
    raw = folder / "project" / "data" / "raw" / "chats"
    raw.mkdir(parents=True)
    megabytes = str(messages * BYTES_PER_MESSAGE // MEGABYTE)
    generate = [sys.executable, "tests/benchmarks/generate_telegram.py", "--megabytes", megabytes]
    generate += ["--shape", "account", "--output", str(raw / "bench.json")]
    subprocess.run(generate, check=True)
    command = str(Path(sys.executable).with_name("resonare"))
    subprocess.run(
        [command, "run", "messages"],
        check=True,
        cwd=folder / "project",
        stdout=subprocess.DEVNULL,
    )
    manifests = (folder / "project" / "data" / "artifacts").glob(
        "stages/chat_tables/*/*/manifest.json"
    )
    manifest = json.loads(next(manifests).read_bytes())
    (folder / "messages.entry.json").write_text(json.dumps(manifest["outputs"]["messages"]))


def measured(folder: Path, part: str) -> dict[str, float]:
    """Run one part in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.style", "--part", part, "--folder"]
    done = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_part(folder: Path, part: str) -> dict[str, float]:
    """Run one part here."""
    bench = Bench(folder)
    kind, _, name = part.partition(":")
    started = time.perf_counter(), time.process_time()
    rows = bench.run(name) if kind == "stage" else bench.call(name)
    return {
        "rows": rows,
        "seconds": time.perf_counter() - started[0],
        "cpu_seconds": time.process_time() - started[1],
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES / MEGABYTE,
    }


def main() -> None:
    """Measure everything and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--part", default="")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.part:
        sys.stdout.write(json.dumps(run_part(options.folder, options.part)) + "\n")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options.messages)
        sys.stdout.write("| part | rows | wall | CPU | peak memory | wall ÷ floor |\n")
        sys.stdout.write("|---|--:|--:|--:|--:|--:|\n")
        floor = 0.0
        parts = [*(f"stage:{stage}" for stage in STAGES), *(f"call:{call}" for call in CALLS)]
        for part in parts:
            made = measured(folder, part)
            floor = floor or made["seconds"]
            sys.stdout.write(
                f"| `{part.partition(':')[2]}` | {made['rows']:,.0f} | {made['seconds']:.1f} s "
                f"| {made['cpu_seconds']:.1f} s | {made['megabytes']:,.0f} MB "
                f"| {made['seconds'] / floor:.2f} |\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
