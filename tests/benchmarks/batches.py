"""The batch engine's own cost: CPU of the client for each request, by phase, and its peak memory.

`python -m tests.benchmarks.batches --requests 12000 120000`. Each count runs in a process of its
own against the fake server in another. Phases: keys and lines (what any client does to make its
files), staging (these files, claims and token counts), submitting, waiting and collecting. Linux.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.benchmarks.completions import MODEL, request, say
from tests.fake_openai.running import serving_apart

LINES = 5_000  # in a batch, so that there are several
MOST_LOOKS = 1_000


def measured(work: Callable[[], None]) -> float:
    """Return the CPU seconds of this process, all its threads, that some work takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def made(count: int) -> Iterator[CompletionRequest]:
    """Yield requests, which are made as they are wanted."""
    return (request(number) for number in range(count))


def child(url: str, count: int) -> None:
    """Take requests through batches, and print the CPU of each phase and the peak memory."""
    settings = CompletionsSettings(
        model=MODEL, base_url=url, batch_lines=LINES, batch_poll_seconds=0.1
    )

    def lines() -> None:
        for item in made(count):
            item.batch_line(item.key("openai", "here"))

    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "cache.db")
        opened = open_batches(
            settings, {"API_KEY": "none"}, campaign="benchmark", default_db=database
        )
        with opened as driver:
            took = {"keys and lines": measured(lines)}
            took["staging"] = measured(lambda: say_nothing(driver.stage(made(count))))
            took["submitting"] = measured(lambda: say_nothing(driver.advance()))

            def rest() -> None:
                for _ in range(MOST_LOOKS):
                    if not driver.advance():
                        return
                    time.sleep(settings.batch_poll_seconds)

            took["collecting"] = measured(rest)
            answered = driver.ledger.cache.count()
    status = Path(f"/proc/{psutil.Process().pid}/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    say(json.dumps({"answered": answered, "peak_mb": peak_kb / 1024, "seconds": took}))


def say_nothing(_: object) -> None:
    """Take what is of no interest here."""


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, nargs="+", default=[12_000, 120_000])
    parser.add_argument("--child", metavar="URL", default="")
    given = parser.parse_args()
    if given.child:
        child(given.child, given.requests[0])
        return
    say("| requests | answered | keys and lines | staging | submitting | collecting | peak |")
    say("|---|---|---|---|---|---|---|")
    for count in given.requests:
        with serving_apart(None, "--forget") as server:
            command = [sys.executable, "-m", "tests.benchmarks.batches", "--child", server.url]
            done = subprocess.run(
                [*command, "--requests", str(count)], check=True, stdout=subprocess.PIPE
            )
        told = json.loads(done.stdout)
        cells = [f"{seconds / count * 1e6:.0f} µs" for seconds in told["seconds"].values()]
        peak = f"{told['peak_mb']:.0f} MB"
        say(f"| {count} | {told['answered']} | {' | '.join(cells)} | {peak} |")


if __name__ == "__main__":
    main()
