"""Measure the engine against a bare loop over the same SDK client, in one run, on a fast fake.

    python -m tests.benchmarks.completions --requests 4000 --rounds 3

Each round measures, one after the other and against one server in a process of its own: the SDK's
`chat.completions.create` in a bare loop; the SDK's `post`, which reads nothing, in a bare loop; the
engine, which stores every answer; and the engine again on what it has stored. `--memory` adds the
peak memory of a process for ten thousand requests and for two hundred thousand. Prints Markdown.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
from openai import AsyncOpenAI, DefaultAioHttpClient

from resonare_pipeline.completions.opening import open_engine
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.fake_openai.running import serving_apart

CONCURRENCY = 64
WINDOW = 4 * CONCURRENCY  # callers at a time, as a stage has them: some wait for the disk
PROMPT = "Tell me more about what you did on that day, and with whom. " * 8
MODEL = "gpt-4o-mini"


@dataclass(frozen=True, slots=True)
class Seconds:
    """Time by the clock, and of this process's CPU, threads included."""

    wall: float
    cpu: float

    def __sub__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall - other.wall, self.cpu - other.cpu)


def now() -> Seconds:
    """Return both times."""
    return Seconds(time.perf_counter(), time.process_time())


def request(number: int) -> CompletionRequest:
    """Return one of many different requests, of some hundred tokens."""
    messages = ({"role": "user", "content": f"{number}: {PROMPT}"},)
    return CompletionRequest(model=MODEL, messages=messages)


async def spread(
    work: Callable[[CompletionRequest], Awaitable[object]], numbers: range, callers: int
) -> Seconds:
    """Do work on many requests, so many at a time, and return the time."""
    left: Iterator[int] = iter(numbers)

    async def caller() -> None:
        for number in left:
            await work(request(number))

    begun = now()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return now() - begun


async def bare(url: str, numbers: range, *, reading: bool) -> Seconds:
    """Return the time of a bare loop, with or without the SDK's own models."""
    limits = httpx2.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with DefaultAioHttpClient(limits=limits) as http:
        client = AsyncOpenAI(base_url=url, api_key="none", http_client=http, max_retries=0)

        async def read(item: CompletionRequest) -> object:
            return await client.chat.completions.create(**item.body())

        async def post(item: CompletionRequest) -> object:
            path = "/chat/completions"
            return await client.post(path, body=item.body(), cast_to=httpx2.Response)

        return await spread(read if reading else post, numbers, CONCURRENCY)


async def engine(url: str, numbers: range, database: Path) -> Seconds:
    """Return the time of the engine, opening and closing the cache included."""
    settings = CompletionsSettings(model=MODEL, base_url=url, concurrency=CONCURRENCY)
    begun = now()
    async with open_engine(settings, {"API_KEY": "none"}, default_db=database) as opened:
        await spread(opened.complete, numbers, WINDOW)
    return now() - begun


def throughput(url: str, count: int, rounds: int) -> None:
    """Print requests a second of each way, and of each round the ratios."""
    rows: list[list[Seconds]] = []
    for _ in range(rounds):
        numbers = range(count)
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder, "cache.db")
            rows.append(
                [
                    asyncio.run(bare(url, numbers, reading=True)),
                    asyncio.run(bare(url, numbers, reading=False)),
                    asyncio.run(engine(url, numbers, database)),
                    asyncio.run(engine(url, numbers, database)),
                ]
            )
    say("Requests a second, and CPU of the client for one request:\n")
    say("| round | SDK loop | SDK post loop | engine | engine, cached | engine / SDK loop |")
    say("|---|---|---|---|---|---|")
    for number, row in enumerate(rows, 1):
        cells = [f"{count / took.wall:.0f}/s, {took.cpu / count * 1e6:.0f} µs" for took in row]
        say(f"| {number} | {' | '.join(cells)} | {row[0].wall / row[2].wall:.2f} |")
    by_clock = statistics.median(read.wall / cold.wall for read, _, cold, _ in rows)
    by_cpu = statistics.median(read.cpu / cold.cpu for read, _, cold, _ in rows)
    say(f"\nMedian of engine / SDK loop: {by_clock:.2f} by the clock, {by_cpu:.2f} by CPU")


def cached(url: str) -> None:
    """Print the seconds that ten thousand stored answers take."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "cache.db")
        asyncio.run(engine(url, range(10_000), database))
        took = [asyncio.run(engine(url, range(10_000), database)) for _ in range(3)]
    say("\n10,000 cached: " + ", ".join(f"{one.wall:.2f} s" for one in took))


def memory(url: str) -> None:
    """Print the peak memory of a process that asks few and one that asks many."""
    for count in (10_000, 200_000):
        command = [sys.executable, "-m", "tests.benchmarks.completions", "--child", url]
        done = subprocess.run(
            [*command, "--requests", str(count)], check=True, stdout=subprocess.PIPE
        )
        say(f"{count} requests: {json.loads(done.stdout)['peak_mb']:.0f} MB at most")


def child(url: str, count: int) -> None:
    """Ask, and print the process's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(engine(url, range(count), Path(folder, "cache.db")))
    status = Path(f"/proc/{psutil.Process().pid}/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    say(json.dumps({"peak_mb": peak_kb / 1024}))


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201  # what a benchmark is for


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--child", metavar="URL", default="")
    given = parser.parse_args()
    if given.child:
        child(given.child, given.requests)
        return
    with serving_apart(None, "--forget") as server:
        throughput(server.url, given.requests, given.rounds)
        cached(server.url)
        if given.memory:
            memory(server.url)


if __name__ == "__main__":
    main()
