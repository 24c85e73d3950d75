"""Measure `resonare fill` against a bare loop over the same SDK client, in one run, on a fast fake.

    python -m tests.benchmarks.fill --records 4000 --rounds 3 --memory

Each round fills one file, at concurrency 64: the SDK's `chat.completions.create` in a bare loop
that reads the file and writes answers as lines; `resonare fill` in this process, which stores every
answer; the command itself, process and all; and the command again on what it has stored. What it
takes for a single cached record is its start. `--memory` adds its peak for ten thousand records and
for two hundred thousand. Prints Markdown.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient

from resonare_pipeline.cli.fill_options import FillOptions
from resonare_pipeline.cli.filling import run_fill
from tests.benchmarks.completions import CONCURRENCY, MODEL, PROMPT, Seconds, now, say
from tests.cli.command import peak_memory_mb
from tests.fake_openai.running import Running, serving_apart
from tests.processes import clean_environment, script


def write_records(path: Path, count: int) -> None:
    """Write records of some hundred tokens, all different."""
    with path.open("w") as stream:
        for number in range(count):
            turns = [
                {"role": "user", "content": f"{number}: {PROMPT}"},
                {"role": "assistant", "content": ""},
            ]
            record = {"uuid": f"u{number}", "messages": turns, "license": "cc-by-4.0"}
            stream.write(json.dumps(record) + "\n")


async def bare(url: str, source: Path, output: Path) -> Seconds:
    """Return the time of a loop that reads records, asks, and writes them as answers come."""
    limits = httpx2.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    begun = now()
    async with DefaultAioHttpClient(limits=limits) as http:
        client = AsyncOpenAI(base_url=url, api_key="none", http_client=http, max_retries=0)
        with source.open() as lines, output.open("w") as out:
            left: Iterator[str] = iter(lines)

            async def caller() -> None:
                for line in left:
                    record = json.loads(line)
                    messages = record["messages"][:1]
                    said = await client.chat.completions.create(model=MODEL, messages=messages)
                    record["messages"][1]["content"] = said.choices[0].message.content
                    out.write(json.dumps(record) + "\n")

            await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    return now() - begun


def inside(folder: Path) -> Seconds:
    """Return the time of a filling in this process."""
    begun = now()
    with contextlib.chdir(folder), contextlib.redirect_stderr(None):
        options = FillOptions(
            source=Path("in.jsonl"),
            output=Path("inside.jsonl"),
            overrides={
                "completions.model": MODEL,
                "completions.concurrency": str(CONCURRENCY),
            },
        )
        if run_fill(options):
            raise AssertionError("records were left out")
    return now() - begun


def command(folder: Path, environ: dict[str, str], *more: str) -> Seconds:
    """Return the time of the command, its process included."""
    given = [script("resonare"), "fill", "in.jsonl", "-o", "out.jsonl", "--model", MODEL, *more]
    before, begun = os.times(), time.perf_counter()
    subprocess.run(given, cwd=folder, env=environ, check=True, capture_output=True)
    wall, after = time.perf_counter() - begun, os.times()
    cpu = after.children_user + after.children_system - before.children_user
    return Seconds(wall, cpu - before.children_system)


def throughput(server: Running, count: int, rounds: int) -> None:
    """Print records a second of each way, and of each round the ratios."""
    environ = clean_environment(BASE_URL=server.url, API_KEY="none")
    os.environ |= {"BASE_URL": server.url, "API_KEY": "none"}
    rows: list[list[Seconds]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_records(folder / "in.jsonl", count)
            many = ("--concurrency", str(CONCURRENCY))
            row = [asyncio.run(bare(server.url, folder / "in.jsonl", folder / "bare.jsonl"))]
            row.append(inside(folder))
            (folder / "data" / "completions.sqlite").rename(folder / "aside.sqlite")
            row.append(command(folder, environ, *many))
            row.append(command(folder, environ, *many))
            row.append(command(folder, environ, "-i", "0"))
            rows.append(row)
    say(f"Records a second of {count}, and CPU of the client for one:\n")
    say("| round | SDK loop | fill | the command | cached | one cached | fill / SDK loop |")
    say("|---|---|---|---|---|---|---|")
    for number, row in enumerate(rows, 1):
        cells = [f"{count / took.wall:.0f}/s, {took.cpu / count * 1e6:.0f} µs" for took in row[:4]]
        cells.append(f"{row[4].wall:.2f} s")
        say(f"| {number} | {' | '.join(cells)} | {row[0].wall / row[1].wall:.2f} |")
    for what, at, less in (
        ("fill / SDK loop", 1, False),
        ("the command / SDK loop", 2, False),
        ("the command less its start / SDK loop", 2, True),
    ):
        wall = statistics.median(row[0].wall / (row[at].wall - row[4].wall * less) for row in rows)
        cpu = statistics.median(row[0].cpu / (row[at].cpu - row[4].cpu * less) for row in rows)
        say(f"\nMedian of {what}: {wall:.2f} by the clock, {cpu:.2f} by CPU")


def cached(server: Running) -> None:
    """Print what ten thousand stored answers take beyond the start of the command."""
    environ = clean_environment(BASE_URL=server.url, API_KEY="none")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_records(folder / "in.jsonl", 10_000)
        command(folder, environ)
        one = [command(folder, environ, "-i", "0") for _ in range(3)]
        all_ = [command(folder, environ) for _ in range(3)]
    start = statistics.median(took.wall for took in one)
    more = ", ".join(f"{took.wall - start:.2f} s" for took in all_)
    cpu = statistics.median(t.cpu for t in all_) - statistics.median(t.cpu for t in one)
    say(f"\n10,000 cached: {more} beyond the start of {start:.2f} s; {cpu:.2f} s of CPU")


def memory(server: Running) -> None:
    """Print the peak memory of the command for few records and for many."""
    os.environ |= {"BASE_URL": server.url, "API_KEY": "none"}
    for count in (10_000, 200_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_records(folder / "in.jsonl", count)
            arguments = ("in.jsonl", "-o", "out.jsonl", "--concurrency", str(CONCURRENCY))
            said, peak_mb = peak_memory_mb(folder, "fill", *arguments)
        say(f"{count:,} records: {peak_mb:.0f} MB at most; {said}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    with serving_apart(None, "--forget") as server:
        throughput(server, given.records, given.rounds)
        cached(server)
        if given.memory:
            memory(server)


if __name__ == "__main__":
    main()
