"""A filling by batches that is killed again and again, until it is done; also a command.

`python -m tests.records.killing_batches --records 60 --kills 20 --seed 1`
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fake_openai.journal import Entry, read_journal
from tests.fake_openai.running import Running, serving_apart
from tests.fake_openai.script import BatchScript, Fate, FateRule, Script
from tests.processes import PATIENCE_SECONDS, clean_environment, script
from tests.records.killing import records_of, started, unfilled

BATCHES = 3
POLL_SECONDS = 0.05
MOST_STEPS = 2  # of a run, before it is killed: uploads, creations, lines that run, deletions
LONGEST_STEP_SECONDS = 20.0  # a run that does nothing more is killed as well
LONGEST_MOMENT_SECONDS = 0.2

DANGEROUS = (
    FateRule(fate=Fate.UPLOAD_UNANSWERED, times=2),
    FateRule(fate=Fate.CREATE_BROKEN, nth=2),
    FateRule(fate=Fate.CREATE_FAILED_MADE, nth=3),
    FateRule(fate=Fate.LISTED_LATE, count=1),
    FateRule(fate=Fate.OUTPUT_LATE, count=2),
    FateRule(fate=Fate.DOWNLOAD_BROKEN, times=2),
    FateRule(fate=Fate.RETRIEVE_FAILS, nth=1, count=2),
)
"""What makes it matter between which two steps a process dies; no result is lost by any."""


@dataclass
class Findings:
    """What a series of kills came to.

    Attributes:
        kills: Lines that had run and answers that were stored at each kill.
        repeated: Lines that were run more than once.
    """

    kills: list[tuple[int, int]] = field(default_factory=list)
    repeated: int = 0
    made: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    open_rows: int = 0


def kill_and_resume(
    folder: Path, *, records: int, kills: int, seed: int, fates: tuple[FateRule, ...] = ()
) -> Findings:
    """Kill a filling at random moments, let it end, and look at what the server was asked."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret is drawn
    found = Findings()
    lines = "".join(json.dumps(record) + "\n" for record in records_of(records))
    (folder / "in.jsonl").write_text(lines)
    journal = folder / "journal.jsonl"
    journal.touch()
    batches = BatchScript(fates=fates, validating_seconds=0.2, running_seconds=0.4)
    with serving_apart(Script(batches=batches), "--journal", str(journal)) as server:
        environ = clean_environment(
            BASE_URL=server.url,
            API_KEY="dummy",
            MODEL="m",
            RESONARE_BATCH_POLL_SECONDS=str(POLL_SECONDS),
            RESONARE_COMPLETIONS__BATCH_LINES=str(-(-records // BATCHES)),
        )
        command = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl", "--batch"]
        while len(found.kills) < kills and not (folder / "out.jsonl").exists():
            with started(command, folder, environ) as process:
                _live(process, journal, chance)
                if process.poll() is None:
                    process.kill()
                    process.wait()
                    found.kills.append((_run(journal), _stored(folder)))
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            capture_output=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr.decode() + (folder / "fill.log").read_text()
        _look(found, folder, journal, server)
    return found


def _live(process: subprocess.Popen[bytes], journal: Path, chance: random.Random) -> None:
    """Wait until a run has asked the server for some things, and a moment more."""
    size = journal.stat().st_size
    for _ in range(chance.randint(1, MOST_STEPS)):
        until = time.monotonic() + LONGEST_STEP_SECONDS
        while process.poll() is None and time.monotonic() < until:
            if journal.stat().st_size != size:
                break
            time.sleep(0.001)
        size = journal.stat().st_size
        time.sleep(chance.random() ** 3 * LONGEST_MOMENT_SECONDS)


def _run(journal: Path) -> int:
    return journal.read_bytes().count(b'"kind":"line"')


def _stored(folder: Path) -> int:
    """Count the answers in the cache, and call all processes dead."""
    path = folder / "data" / "completions.sqlite"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
        try:
            database.execute("UPDATE owners SET alive_until = 0 WHERE alive_until < 1e11")
            database.commit()
            return int(database.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:  # killed before its tables were made
            return 0


def _look(found: Findings, folder: Path, journal: Path, server: Running) -> None:
    entries: list[Entry] = [entry for entry in read_journal(journal) if entry.kind == "line"]
    found.repeated = sum(n - 1 for n in Counter(entry.body for entry in entries).values())
    found.made = server.state()["batches"]
    found.rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    found.here = [path.name for path in (folder / "data" / "batches").glob("*")]
    found.there = [file["filename"] for file in server.files()]
    with contextlib.closing(sqlite3.connect(folder / "data" / "completions.sqlite")) as database:
        query = "SELECT count(*) FROM batches WHERE state NOT IN ('settled', 'dropped')"
        found.open_rows = database.execute(query).fetchone()[0]


def main() -> None:
    """Run a series and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dangerous", action="store_true")
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_resume(
            Path(folder),
            records=given.records,
            kills=given.kills,
            seed=given.seed,
            fates=DANGEROUS if given.dangerous else (),
        )
    for line in (
        f"seed {given.seed}, {time.monotonic() - begun:.0f} s, {len(found.kills)} kills",
        f"lines run, answers stored at each kill: {found.kills}",
        f"batches made: {found.made}; lines run again: {found.repeated}",
        f"records out: {len(found.rows)}, unfilled turns: {unfilled(found.rows)}",
        f"left here: {found.here}; there: {found.there}; open rows: {found.open_rows}",
    ):
        print(line)  # noqa: T201  # a command


if __name__ == "__main__":
    main()
