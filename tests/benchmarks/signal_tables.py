"""Write a synthetic dump of Signal of any size, read it, and print speed and memory.

    python -m tests.benchmarks.signal_tables --rows 1000000 --threads 200

Threads stand mixed at random, and times are out of order by up to a minute. Every tenth row answers
the one before it in its thread, and every tenth has a reaction. Figures are those of reading alone,
as `chat_tables` does it.
"""

import argparse
import hashlib
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.reading.export import read_export
from tests.chats.signal.dumps import ME, START, Row, csv_of, field_of, recipient, row

WORDS = ("we", "could", "meet", "at", "the", "lake", "on", "sunday", "and", "bring", "bread")
OTHER_COLUMNS = 34  # that a dump has and nothing reads
FIRST_RECIPIENT = 100
SPREAD_MS = 60_000
STEP_MS = 30_000


def rows_of(count: int, threads: int) -> Iterator[Row]:
    """Yield rows; the same for the same arguments."""
    draw = random.Random(1)  # noqa: S311  # nothing secret
    last: dict[int, Row] = {}
    for number in range(1, count + 1):
        thread, mine = draw.randrange(threads), draw.random() < 0.45
        peer = FIRST_RECIPIENT + thread
        sent = START + number * STEP_MS + draw.randrange(-SPREAD_MS, SPREAD_MS)
        found = row(
            number,
            " ".join(draw.choices(WORDS, k=draw.randint(3, 14))),
            sender=ME if mine else peer,
            thread_id=thread + 1,
            to_recipient_id=peer if mine else ME,
            date_sent=sent,
        )
        if thread in last and draw.random() < 0.1:
            found["quote_id"] = last[thread]["date_sent"]
            found["quote_author"] = last[thread]["from_recipient_id"]
        last[thread] = found
        yield found


def write(folder: Path, count: int, threads: int) -> None:
    """Write the tables of a dump."""
    columns = [*row(1), *(f"other_{number}" for number in range(OTHER_COLUMNS))]
    with (folder / "message.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(columns) + "\n")
        for found in rows_of(count, threads):
            stream.write(",".join(field_of(found.get(name, 0)) for name in columns) + "\n")
    numbers = range(FIRST_RECIPIENT, FIRST_RECIPIENT + threads)
    reactions = ({"_id": n, "message_id": n, "emoji": "👍"} for n in range(1, count + 1, 10))
    for name, table in (
        ("reaction", reactions),
        ("thread", ({"_id": n - FIRST_RECIPIENT + 1, "recipient_id": n} for n in numbers)),
        ("recipient", (recipient(n, profile_joined_name=f"P {n}") for n in (ME, *numbers))),
    ):
        (folder / f"{name}.csv").write_bytes(csv_of(list(table)))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def read(folder: Path) -> None:
    """Read the dump, and print what that took."""
    prepare_arrow()
    files = []
    for path in sorted(folder.glob("*.csv")):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
        files.append(
            ExportFile(name=path.name, size=size, sha256=digest, open=partial(_opened, path))
        )
    store = Store(LocalFiles(folder / "store"))
    attempt = store.attempt("messages", "x", "f")
    chats, messages = store.output(attempt, "chats"), store.output(attempt, "messages")
    wall, cpu = time.perf_counter(), time.process_time()
    read_export(files, chats, messages, MessagesSettings())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows = messages.entry().rows or 0
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    size_mb = sum(file.size for file in files) / 1e6
    sys.stdout.write(
        f"{rows:,} messages, {size_mb:.0f} MB: {wall:.1f} s, {cpu:.1f} s of CPU, "
        f"{rows / cpu:,.0f} rows a second of CPU, {peak_mb:.0f} MB at most\n"
    )


def main() -> None:
    """Write and read what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), arguments.rows, arguments.threads)
        read(Path(folder))


if __name__ == "__main__":
    main()
