"""Which examples stand on the page: a few of each split, spread over sources and over roots.

The choice is by hash of the ids alone, so that it depends neither on the order of rows nor on
chance, and changes little from one version of a dataset to the next. Few rows are held at a time.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, zip_longest
from typing import NamedTuple

import pyarrow as pa

SAMPLE_COLUMNS = [
    "example_id",
    "messages",
    "tools",
    "source",
    "root_id",
    "turns",
    "tokens",
    "trained_tokens",
    "language",
    "started_at",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTurn:
    """One turn; `weight` is 0 for an assistant's turn that is not trained on."""

    role: str
    content: str
    weight: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One example to read.

    Attributes:
        started_at: Microseconds since 1970, if its time is known.
    """

    example_id: str
    split: str
    source: str
    turns: int
    tokens: int
    trained_tokens: int
    language: str | None
    started_at: int | None
    tools: str | None
    messages: tuple[SampleTurn, ...]


class _Held(NamedTuple):
    rank: bytes
    sample: Sample


class _Source:
    """What is held of one source: the first example by hash of a few roots, and the first of all.

    The latter fill up where a source has few roots.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._roots: dict[bytes, _Held] = {}  # by the hash of the root
        self._first: dict[bytes, Sample] = {}  # by the hash of the example

    def wants(self, root: bytes, rank: bytes) -> bool:
        """Tell whether an example would be held."""
        if len(self._first) < self._most or rank < max(self._first):
            return True
        if root in self._roots:
            return rank < self._roots[root].rank
        return len(self._roots) < self._most or root < max(self._roots)

    def hold(self, root: bytes, rank: bytes, sample: Sample) -> None:
        """Hold an example, and let go of those that come too late by hash."""
        self._first[rank] = sample
        if root not in self._roots or rank < self._roots[root].rank:
            self._roots[root] = _Held(rank, sample)
        if len(self._first) > self._most:
            del self._first[max(self._first)]
        if len(self._roots) > self._most:
            del self._roots[max(self._roots)]

    def in_turn(self) -> list[Sample]:
        """Return one example of each root, then others."""
        by_root = [self._roots[root] for root in sorted(self._roots)]
        used = {held.rank for held in by_root}
        others = [self._first[rank] for rank in sorted(self._first) if rank not in used]
        return [held.sample for held in by_root] + others


class Samples:
    """Draws examples while rows go by."""

    def __init__(self, per_split: int, seed: int) -> None:
        self._per_split = per_split
        self._seed = seed
        self._held: dict[str, dict[str, _Source]] = {}  # split → source → what is held of it

    def add(self, split: str, batch: pa.RecordBatch) -> None:
        """Look at some rows of a split; copies by weight, which have one id, count once."""
        if not self._per_split:
            return
        held = self._held.setdefault(split, {})
        names = ("example_id", "source", "root_id")
        columns = [batch.column(name).to_pylist() for name in names]
        for row, (example_id, name, root_id) in enumerate(zip(*columns, strict=True)):
            source = self._source(held, name)
            if source is None:
                continue
            root = _name_rank(self._seed, root_id)
            rank = _rank(self._seed, example_id)
            if source.wants(root, rank):
                source.hold(root, rank, _sample(batch, row, split))

    def _source(self, held: dict[str, _Source], name: str) -> _Source | None:
        """Return what is held of a source; None if enough others come before it by hash."""
        if name not in held:
            held[name] = _Source(self._per_split)
            if len(held) > self._per_split:
                del held[max(held, key=lambda other: _name_rank(self._seed, other))]
        return held.get(name)

    def chosen(self) -> dict[str, list[Sample]]:
        """Return split → its samples: one of each source in turn, until there are enough."""
        return {split: self._choose(held) for split, held in self._held.items()}

    def _choose(self, held: dict[str, _Source]) -> list[Sample]:
        queues = [source.in_turn() for _, source in sorted(held.items())]
        in_turn = (sample for turn in zip_longest(*queues) for sample in turn if sample)
        return list(islice(in_turn, self._per_split))


def _rank(seed: int, name: str) -> bytes:
    return blake2b(f"{seed}\x1f{name}".encode(), digest_size=8).digest()


@lru_cache(maxsize=4_096)
def _name_rank(seed: int, name: str) -> bytes:
    """Return the rank of a name that many rows share."""
    return _rank(seed, name)


def _sample(batch: pa.RecordBatch, row: int, split: str) -> Sample:
    # A time is taken as a number: the first one that Arrow makes an object of imports pandas.
    started = batch.column("started_at").cast(pa.int64())[row].as_py()
    own = {name: batch.column(name)[row].as_py() for name in SAMPLE_COLUMNS if name != "started_at"}
    return Sample(
        example_id=own["example_id"],
        split=split,
        source=own["source"],
        turns=own["turns"],
        tokens=own["tokens"],
        trained_tokens=own["trained_tokens"],
        language=own["language"],
        started_at=started,
        tools=own["tools"],
        messages=tuple(SampleTurn(**turn) for turn in own["messages"]),
    )
