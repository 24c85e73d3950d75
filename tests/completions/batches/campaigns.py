"""Campaigns of batches against the fake server, taken to their end in this process.

A look moves the ledger's clock and the server's by a minute, so nothing is waited for; and there
are only so many looks, so nothing hangs.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches.batch import Batch
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.opening import batch_endpoint
from resonare_pipeline.completions.batches.remote import Remote
from resonare_pipeline.completions.batches.rounds import Rounds, Standing, Walk
from resonare_pipeline.completions.batches.setbacks import SettledCache
from resonare_pipeline.completions.lookup import LookUp, looking_up
from resonare_pipeline.completions.requests import CompletionRequest, Failure
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.completions.asking import KEY
from tests.fake_openai.answers import canonical
from tests.fake_openai.running import Running

MOST_LOOKS = 200
POLL_SECONDS = 60.0
SHOWN_DIGITS = 16  # of a body's hash, in the fake server's answers

WalkOf = Callable[[LookUp], Walk]


class Clock:
    """The ledger's clock, which tests move."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


@dataclass
class Desk:
    """One process's way to batches: a ledger, a driver and its rounds.

    Attributes:
        standings: What each look told.
    """

    server: Running
    driver: Driver
    rounds: Rounds
    clock: Clock
    look_up: LookUp
    standings: list[Standing] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        return self.driver.ledger

    def look(self, seconds: float = POLL_SECONDS) -> Standing:
        """Look once, and let time go on."""
        standing = self.rounds.look()
        self.standings.append(standing)
        self.clock.ahead_seconds += seconds
        self.server.advance(seconds)
        return standing

    def run(self, seconds: float = POLL_SECONDS) -> Standing:
        """Look until all is done."""
        for _ in range(MOST_LOOKS):
            standing = self.look(seconds)
            if standing.is_done:
                return standing
        raise AssertionError(f"not done after {MOST_LOOKS} looks: {self.standings[-1]}")

    def came(self, requests: Sequence[CompletionRequest]) -> list[str | Failure | None]:
        """Return what came of requests: a text, why there is none, or None for nothing."""
        return [
            None if outcome is None else outcome.failure or content(outcome.completion)
            for outcome in self.look_up(requests)
        ]

    def details(self, requests: Sequence[CompletionRequest]) -> list[str]:
        """Return what is said of requests."""
        keys = [key_of(request, self.ledger) for request in requests]
        found = self.ledger.cache.find(keys)
        return [found[key].detail if key in found else "" for key in keys]

    def batches(self) -> list[Batch]:
        return self.ledger.batches()


def key_of(request: CompletionRequest, ledger: Ledger) -> str:
    return request.key("openai", ledger.endpoint)


def content(completion: Any) -> str:
    return str(completion.message.get("content"))


def answer_to(request: CompletionRequest) -> str:
    """Return the fake server's answer."""
    return f"answer {hash_of(request)[:SHOWN_DIGITS]}"


def hash_of(request: CompletionRequest) -> str:
    return hashlib.sha256(canonical(request.body())).hexdigest()


def answers_to(requests: Sequence[CompletionRequest]) -> list[str]:
    return [answer_to(request) for request in requests]


def walk_of(requests: Sequence[CompletionRequest]) -> WalkOf:
    """Return a walk through requests that do not hang together."""

    def of(look_up: LookUp) -> Walk:
        def walk() -> Iterator[CompletionRequest]:
            found = look_up(requests)
            return iter([r for r, o in zip(requests, found, strict=True) if o is None])

        return walk

    return of


@contextmanager
def desk(
    server: Running,
    database: URL,
    folder: Path,
    wanted: Sequence[CompletionRequest] | WalkOf,
    *,
    campaign: str = "c",
    clock: Clock | None = None,
    since: float = 0.0,
    **given: Any,
) -> Iterator[Desk]:
    """Open what `open_batches` opens, with a clock that can be moved."""
    settings = CompletionsSettings(
        base_url=server.url, **{"batch_poll_seconds": POLL_SECONDS, **given}
    )
    endpoint = batch_endpoint(settings, {"API_KEY": KEY})
    clock = clock or Clock()
    cache = SettledCache(database, campaign=campaign, since=since)
    try:
        ledger = Ledger(cache, endpoint.name, clock=clock)
        look_up = looking_up(cache, settings)
        walk = wanted if callable(wanted) else walk_of(wanted)
        with Driver(ledger, Remote(endpoint, settings), settings, endpoint, folder) as driver:
            rounds = Rounds(driver, walk(look_up), settings)
            yield Desk(server, driver, rounds, clock, look_up)
    finally:
        cache.close()


def ran(server: Running) -> Counter[str]:
    """Return how often each body was run as a line, by its hash."""
    return Counter(entry.body for entry in server.journal() if entry.kind == "line")


def times(server: Running, requests: Sequence[CompletionRequest]) -> list[int]:
    """Return how often each request was run as a line."""
    counts = ran(server)
    return [counts[hash_of(request)] for request in requests]


def leftovers(server: Running, folder: Path) -> list[str]:
    """Return files that are left: at the provider, and on this machine."""
    here = [path.name for path in folder.iterdir()] if folder.exists() else []
    return [file["filename"] for file in server.files()] + here
