"""Measure `resonare run chats` against the floor, in one run, on a generated export of any size.

    python -m tests.benchmarks.speed --megabytes 500

The floor is one ijson pass and one bare tiktoken loop in one process; it is measured before the
first and after the last cold run, for a shared machine drifts. Then, in a folder of its own: cold,
warm, after one message was appended, after one setting was changed. Prints tables in Markdown.
Linux only.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.generate_telegram import write_export
from tests.benchmarks.measure import measure

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FLOOR = "floor"
CHANGED = "blocks.max_tokens_per_block=1024"
MESSAGE = {
    "id": 2**40,
    "type": "message",
    "date": "2099-01-01T12:00:00",  # behind all others, whatever the size
    "date_unixtime": "4070952000",
    "from": "Owner",
    "from_id": "user990000000000",
    "text": "one more",
    "text_entities": [{"type": "plain", "text": "one more"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one command took."""

    name: str
    wall: float
    cpu: float
    peak_mb: float


def timed(name: str, command: list[str], folder: Path) -> tuple[Measured, str]:
    """Run a command in a folder and return what it took and what it printed.

    Raises:
        subprocess.CalledProcessError: If it failed.
    """
    printed = folder / "printed.txt"
    with printed.open("wb") as stream:
        found = measure(command, cwd=folder, stdout=stream)
    if found["exit_code"]:
        raise subprocess.CalledProcessError(int(found["exit_code"]), command)
    measured = Measured(
        name=name,
        wall=found["wall_seconds"],
        cpu=found["cpu_seconds"],
        peak_mb=found["peak_rss_mb"],
    )
    return measured, printed.read_text()


def append_message(export: Path) -> None:
    """Add one message at the end of a generated export of one chat."""
    ending = b"\n ]\n}"
    with export.open("r+b") as stream:
        stream.seek(-len(ending), os.SEEK_END)
        if stream.read() != ending:
            message = f"{export} does not end as a generated export of one chat"
            raise ValueError(message)
        stream.seek(-len(ending), os.SEEK_END)
        body = json.dumps(MESSAGE, indent=1).replace("\n", "\n  ")
        stream.write(b",\n  " + body.encode() + ending)


def runs(folder: Path, megabytes: float, rounds: int) -> Iterator[tuple[Measured, str]]:
    """Yield each measurement, in an order that lets drift fall on floor and runs alike."""
    export = folder / "data/raw/chats/big.json"
    export.parent.mkdir(parents=True)
    with export.open("wb") as stream:
        write_export(stream, megabytes=megabytes)
    floor = [sys.executable, str(HERE / "floor.py"), str(export)]
    resonare = [str(Path(sys.executable).with_name("resonare")), "run", "chats", "--json"]
    for _ in range(rounds):
        yield timed(FLOOR, floor, folder)
        for made in ("artifacts", "output", ".dagster"):
            shutil.rmtree(folder / "data" / made, ignore_errors=True)
        yield timed("cold", resonare, folder)
    yield timed(FLOOR, floor, folder)
    yield timed("warm, all hits", resonare, folder)
    yield timed(f"`{CHANGED}`", [*resonare, "--set", CHANGED], folder)
    append_message(export)
    yield timed("one message appended", resonare, folder)
    yield timed(FLOOR, floor, folder)


def table(found: list[Measured]) -> str:
    """Return medians by name as Markdown, walls also as ratios to the floor."""
    by_name: dict[str, list[Measured]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    floor = statistics.median(one.wall for one in by_name[FLOOR])
    lines = ["| run | wall | CPU | peak memory | wall ÷ floor |", "|---|---|---|---|---|"]
    for name, several in by_name.items():
        wall, cpu = (
            statistics.median(getattr(one, of) for one in several) for of in ("wall", "cpu")
        )
        peak = max(one.peak_mb for one in several)
        lines.append(
            f"| {name} | {wall:.1f} s | {cpu:.1f} s | {peak:.0f} MB | {wall / floor:.2f} |"
        )
    return "\n".join(lines)


def stage_table(printed: str) -> str:
    """Return the stages of a run's report with their seconds, as Markdown."""
    seconds = {stage["asset"]: stage["seconds"] for stage in json.loads(printed)["stages"]}
    return "\n".join(
        ["| asset | seconds |", "|---|---|", *(f"| `{a}` | {s:.1f} |" for a, s in seconds.items())]
    )


def main() -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(description="Measure `resonare run chats` against the floor.")
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--rounds", type=int, default=1, help="cold runs; the median counts")
    given = parser.parse_args()
    found: list[Measured] = []
    stages = ""
    with tempfile.TemporaryDirectory(prefix="resonare-speed-") as folder:
        for measured, printed in runs(Path(folder), given.megabytes, given.rounds):
            sys.stderr.write(f"{measured}\n")
            found.append(measured)
            if measured.name == "cold":
                stages = stage_table(printed)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{table(found)}\n\nThe cold run, by stage:\n\n{stages}\n\n")
    sys.stdout.write(f"{os.cpu_count()} CPUs; load averages at the end: {load}.\n")


if __name__ == "__main__":
    main()
