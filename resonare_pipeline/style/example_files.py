"""The stage that makes training examples of windows, episodes and your style.

Examples come in a fixed order, so they may be made twice: once to draw which are taken, where there
is a limit, and once to be written.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.style.examples import (
    Adaptation,
    Example,
    adaptive_examples,
    burst_examples,
    completion_examples,
    conversational_examples,
    qa_examples,
)
from resonare_pipeline.style.known_partners import read_partners
from resonare_pipeline.style.making import identity_of
from resonare_pipeline.style.partners import Partner
from resonare_pipeline.style.sampling import fair_shares, rank
from resonare_pipeline.style.settings import StyleExamplesSettings
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.tables import read_episodes, read_windows

EXAMPLES_FILE = "examples.jsonl"
TRAIN_FILE = "train.jsonl"
OVER_LIMIT = "over_limit"
ID_DIGITS = 24
PROGRESS_EXAMPLES = 4_096

_encode = msgspec.json.Encoder().encode


def write_style_examples(
    windows: Artifact,
    episodes: Artifact,
    style: Artifact,
    out: OutputDraft,
    settings: StyleExamplesSettings,
    *,
    progress: Progress = silent,
) -> None:
    """Write examples as instruction, input and output, and as conversations for trainers.

    Args:
        windows: Give conversational and adaptive examples.
        episodes: Give bursts, completions, and questions with their answers.
        style: Says to whom you adapt.
        out: Gets examples.jsonl and train.jsonl.
    """
    source = _Source(windows, episodes, read_partners(style), settings)
    taken = _taken(source, settings)
    counts: Counter[str] = Counter()
    with (
        out.open(EXAMPLES_FILE) as plain,
        out.open(TRAIN_FILE) as train,
        out.dropped() as dropped,
    ):
        for strategy in settings.strategies:
            for at, example in enumerate(source.examples(strategy)):
                if taken is not None and not taken[strategy][at]:
                    _leave_out(example, dropped)
                    continue
                counts[str(strategy)] += 1
                _write(example, plain, train)
                if counts.total() % PROGRESS_EXAMPLES == 0:
                    progress(counts.total(), 0, "examples")
    out.report(rows=counts.total(), metadata=dict(counts))


class _Source:
    """Where the examples of each strategy come from; they may be asked for again."""

    def __init__(
        self,
        windows: Artifact,
        episodes: Artifact,
        partners: dict[object, Partner],
        settings: StyleExamplesSettings,
    ) -> None:
        self._windows = windows
        self._episodes = episodes
        self._partners = partners
        self._settings = settings
        self._adaptation = Adaptation(
            min_style_difference=settings.min_style_difference,
            min_conversations=settings.min_conversations_per_partner,
            min_level=settings.min_adaptation_level,
        )

    def examples(self, strategy: Strategy) -> Iterator[Example]:
        """Yield all examples of a strategy."""
        makers: dict[Strategy, Callable[[], Iterator[Example]]] = {
            Strategy.CONVERSATIONAL: self._conversational,
            Strategy.BURST: self._bursts,
            Strategy.ADAPTIVE: self._adaptive,
            Strategy.COMPLETION: self._completions,
            Strategy.QA: self._answers,
        }
        return makers[strategy]()

    def _conversational(self) -> Iterator[Example]:
        least = self._settings.min_message_length
        for lines, windows in read_windows(self._windows):
            fits = lines.lengths[windows.responses] >= least
            yield from conversational_examples(lines, windows.taken(fits))

    def _adaptive(self) -> Iterator[Example]:
        least = self._settings.min_message_length
        for lines, windows in read_windows(self._windows):
            fits = windows.taken(lines.lengths[windows.responses] >= least)
            yield from adaptive_examples(lines, fits, self._partners, self._adaptation)

    def _bursts(self) -> Iterator[Example]:
        settings = self._settings
        for lines in read_episodes(self._episodes):
            yield from burst_examples(
                lines,
                max_gap_seconds=settings.max_time_between_messages,
                least=settings.min_burst_size,
                most=settings.max_burst_size,
                least_characters=settings.min_message_length,
            )

    def _completions(self) -> Iterator[Example]:
        settings = self._settings
        for lines in read_episodes(self._episodes):
            yield from completion_examples(
                lines, seed=settings.seed, least_characters=settings.min_message_length
            )

    def _answers(self) -> Iterator[Example]:
        for lines in read_episodes(self._episodes):
            yield from qa_examples(lines, least_characters=self._settings.min_message_length)


def _taken(source: _Source, settings: StyleExamplesSettings) -> dict[Strategy, np.ndarray] | None:
    """Draw which examples are taken, by strategy; None: all."""
    if settings.max_examples is None:
        return None
    ranks = {
        strategy: np.frombuffer(
            b"".join(
                rank(settings.seed, identity_of(example)) for example in source.examples(strategy)
            ),
            dtype=">u8",
        )
        for strategy in settings.strategies
    }
    every = np.concatenate(list(ranks.values()))
    if len(every) <= settings.max_examples:
        return None
    if not settings.balance_examples:
        chosen = _least(every, settings.max_examples)
        borders = np.cumsum([len(own) for own in ranks.values()])[:-1]
        return dict(zip(ranks, np.split(chosen, borders), strict=True))
    shares = fair_shares([len(own) for own in ranks.values()], settings.max_examples)
    return {
        strategy: _least(own, share)
        for (strategy, own), share in zip(ranks.items(), shares, strict=True)
    }


def _least(ranks: np.ndarray, count: int) -> np.ndarray:
    chosen = np.zeros(len(ranks), np.bool_)
    chosen[np.argsort(ranks, kind="stable")[:count]] = True
    return chosen


def example_id(example: Example) -> str:
    """Return the hash of an example, its chat and its message."""
    metadata = example["metadata"]
    text = f"{identity_of(example)}\0{metadata['thread_id']}\0{metadata['message_id']}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def _leave_out(example: Example, dropped: DroppedRows) -> None:
    dropped.add(example_id(example), OVER_LIMIT)


def _write(example: Example, plain: BinaryIO, train: BinaryIO) -> None:
    own_id = example_id(example)
    metadata: dict[str, Any] = example["metadata"]
    plain.write(_encode({**example, "metadata": {"example_id": own_id, **metadata}}) + b"\n")
    line = _encode(
        {
            "messages": [
                {"role": "system", "content": example["instruction"]},
                {"role": "user", "content": example["input"]},
                {"role": "assistant", "content": example["output"]},
            ],
            "metadata": {
                "example_id": own_id,
                "chat_id": metadata["thread_id"],
                "type": metadata["type"],
                "started_at": _iso(metadata["started_at"]),
                "ended_at": _iso(metadata["timestamp"]),
            },
        }
    )
    train.write(line + b"\n")


def _iso(seconds: int) -> str:
    return f"{np.datetime64(seconds, 's')}Z"
