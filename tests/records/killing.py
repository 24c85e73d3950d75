"""A filling that is killed again and again, until it is done; also a command.

`python -m tests.records.killing --records 2000 --kills 20 --seed 1`
"""

import argparse
import contextlib
import json
import random
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fake_openai.journal import Entry, read_journal
from tests.fake_openai.running import serving_apart
from tests.fake_openai.script import Script
from tests.processes import clean_environment, script, wait_for

LATENCY_SECONDS = 0.03  # so that kills find requests under way
MOST_IN_FLIGHT = 2 * 32
"""As many as the default concurrency has under way, and as many again on their way to the disk."""

SHOWN_DIGITS = 16  # of a body's hash, in the fake server's answers


@dataclass
class Findings:
    """What a series of kills came to.

    Attributes:
        kills: Requests that the server had answered at each kill.
        stored: Answers that were in the cache after each.
        asked_again: Answers that were stored at a kill, and asked for after it.
        repeated: Requests that were answered more than once.
        rows: What was written in the end.
        undisturbed: What a filling that nobody kills writes.
    """

    kills: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    asked_again: int = 0
    repeated: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    undisturbed: list[dict[str, Any]] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What must not be, in words."""
        most = len(self.kills) * MOST_IN_FLIGHT
        return [
            said
            for said, is_wrong in (
                (
                    "the output differs from that of an undisturbed run",
                    self.rows != self.undisturbed,
                ),
                ("turns are not filled", unfilled(self.rows) > 0),
                ("stored answers were asked for again", self.asked_again > 0),
                (f"more than {most} requests were repeated", self.repeated > most),
                ("files were left beside the output", bool(self.leftovers)),
            )
            if is_wrong
        ]


def records_of(count: int) -> list[dict[str, Any]]:
    """Return records, every tenth with two turns to be filled."""
    made = []
    for number in range(count):
        turns = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": ""}]
        if number % 10 == 0:
            turns += [{"role": "user", "content": "go on"}, {"role": "assistant", "content": ""}]
        made.append({"uuid": f"u{number}", "messages": turns})
    return made


def kill_and_resume(folder: Path, *, records: int, kills: int, seed: int) -> Findings:
    """Kill a filling at random moments, let it end, and look at what the server was asked."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret is drawn
    found = Findings()
    requests = records + (records + 9) // 10
    moments = sorted(chance.sample(range(requests), kills))
    lines = "".join(json.dumps(record) + "\n" for record in records_of(records))
    (folder / "in.jsonl").write_text(lines)
    journal = folder / "journal.jsonl"
    journal.touch()
    with serving_apart(
        Script(latency_seconds=LATENCY_SECONDS), "--journal", str(journal)
    ) as server:
        environ = clean_environment(BASE_URL=server.url, API_KEY="dummy", MODEL="m")
        command = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl"]
        known: set[str] = set()
        seen = 0
        for moment in moments:
            with started(command, folder, environ) as process:
                wait_for("requests", lambda m=moment: _is_past(journal, m, process))  # type: ignore[misc]
                time.sleep(chance.random() * LATENCY_SECONDS)
                process.kill()
                process.wait()
            assert not (folder / "out.jsonl").exists()
            entries = read_journal(journal)
            found.asked_again += _asked_again(entries[seen:], known)
            known, seen = _stored(folder), len(entries)
            found.kills.append(seen)
            found.stored.append(len(known))
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        entries = read_journal(journal)
        found.undisturbed = _undisturbed(command, folder, environ)
    found.asked_again += _asked_again(entries[seen:], known)
    found.repeated = sum(n - 1 for n in Counter(e.body for e in entries).values())
    found.rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    found.leftovers = [path.name for path in folder.glob(".*")]
    return found


def _undisturbed(command: list[str], folder: Path, environ: dict[str, str]) -> list[dict[str, Any]]:
    """Fill the same records with another cache; the server gives the same body the same answer."""
    other = folder / "undisturbed"
    other.mkdir()
    (other / "in.jsonl").hardlink_to(folder / "in.jsonl")
    subprocess.run(command, cwd=other, env=environ, capture_output=True, check=True)
    return [json.loads(line) for line in (other / "out.jsonl").read_text().splitlines()]


@contextlib.contextmanager
def started(
    command: list[str], folder: Path, environ: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command that is killed at the end of the block; what it says goes to `fill.log`."""
    with (folder / "fill.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _is_past(journal: Path, moment: int, process: subprocess.Popen[bytes]) -> bool:
    return journal.read_bytes().count(b"\n") >= moment or process.poll() is not None


def _stored(folder: Path) -> set[str]:
    """Return the answers in the cache, by the hash of the body that they name."""
    path = folder / "data" / "completions.sqlite"
    if not path.exists():
        return set()
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
        try:
            rows = database.execute("SELECT record FROM answers").fetchall()
        except sqlite3.OperationalError:  # killed before its tables were made
            return set()
    contents = (json.loads(row)["completion"]["message"]["content"] for (row,) in rows)
    return {content.removeprefix("answer ") for content in contents}


def _asked_again(entries: list[Entry], known: set[str]) -> int:
    return sum(entry.body[:SHOWN_DIGITS] in known for entry in entries)


def main() -> None:
    """Run a series and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_resume(
            Path(folder), records=given.records, kills=given.kills, seed=given.seed
        )
    for line in (
        f"seed {given.seed}, {time.monotonic() - started:.0f} s",
        f"answered at each kill: {found.kills}",
        f"stored at each kill: {found.stored}",
        f"stored and asked again: {found.asked_again}; in flight and repeated: {found.repeated}",
        f"records out: {len(found.rows)}, unfilled turns: {unfilled(found.rows)}",
    ):
        print(line)  # noqa: T201  # a command
    if found.problems:
        raise SystemExit("; ".join(found.problems))


def unfilled(rows: list[dict[str, Any]]) -> int:
    """Count turns that say nothing."""
    return sum(not turn["content"] for row in rows for turn in row["messages"])


if __name__ == "__main__":
    main()
