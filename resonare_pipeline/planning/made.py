"""What became of a stage, who is told of it, and who may have begun it before it was asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from resonare_pipeline.artifacts.manifest import Manifest
from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.progress import Progress


class Cache(StrEnum):
    """Whether an artifact was there already."""

    HIT = "hit"
    MISS = "miss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of one stage and partition.

    Attributes:
        seconds: What it took now; the manifest tells what the making took.
        reasons: Why it was made, for people.
    """

    stage: Stage
    partition: str | None
    cache: Cache
    seconds: float
    manifest: Manifest
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who is told how the making goes, within one process."""

    started: Callable[[Stage, str | None], Progress]
    made: Callable[[Made], None]


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell a listener of everything that is made inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def current_listener() -> Listener | None:
    """Return who is listening."""
    return _listener.get()


class Ahead(Protocol):
    """Who may have begun a stage before it was asked for."""

    def take(self, stage: Stage, partition: str | None) -> Made | None:
        """Return a stage that was begun, when it is made; None if it was not begun."""
        ...


_ahead: ContextVar[Ahead | None] = ContextVar("ahead", default=None)


@contextmanager
def with_ahead(ahead: Ahead) -> Iterator[None]:
    """Take from `ahead` what it has begun of the stages that are made inside the block."""
    token = _ahead.set(ahead)
    try:
        yield
    finally:
        _ahead.reset(token)


def begun_ahead(stage: Stage, partition: str | None) -> Made | None:
    """Return a stage that was made ahead; None if it was not begun.

    Raises:
        ResonareError: As the stage says.
    """
    ahead = _ahead.get()
    return None if ahead is None else ahead.take(stage, partition)
