"""Which examples are taken, how often, in which split and order.

Every choice is drawn from hashes of ids and the seed, so it depends on what there is and never on
the order in which it came.
"""

from collections.abc import Sequence
from typing import NamedTuple

from resonare_pipeline.datasets.candidates import DropReason, Note
from resonare_pipeline.datasets.settings import DatasetSettings, MixtureSettings
from resonare_pipeline.datasets.splits import TRAIN, draw, in_time, splitter
from resonare_pipeline.datasets.summary import SPLITS


class Taken(NamedTuple):
    """One row of the dataset: an example, and which of its copies."""

    note: Note
    repeat: int


class Mixture(NamedTuple):
    """What is taken, by split in the order of its rows, and what is not."""

    splits: dict[str, list[Taken]]
    dropped: list[tuple[Note, str]]


def mix(
    notes: Sequence[Note],
    roots: Sequence[str],
    sources: Sequence[MixtureSettings],
    settings: DatasetSettings,
    *,
    border_us: int | None,
) -> Mixture:
    """Choose rows.

    Args:
        notes: All examples.
        roots: Root ids by number.
        sources: Settings by number of source.
        border_us: `train_before`, in µs since 1970.
    """
    split_of = splitter(settings)
    root_splits = [split_of(root) for root in roots]
    dropped: list[tuple[Note, str]] = []
    splits: dict[str, list[Taken]] = {split: [] for split in SPLITS}
    taken_of = [0] * len(sources)
    seen: set[bytes] = set()
    for note in sorted(notes, key=lambda note: _turn(note, settings.seed)):
        split = root_splits[note.root]
        mixture = sources[note.source]
        copies = _copies(note, mixture.weight, settings.seed, train=split == TRAIN)
        limit = mixture.max_examples
        if note.reason:
            reason = note.reason
        elif border_us is not None and not in_time(
            split, note.started_us, note.ended_us, border_us
        ):
            reason = DropReason.OUTSIDE_TIME
        elif not copies:
            reason = DropReason.UNWEIGHTED
        elif limit is not None and taken_of[note.source] >= limit:
            reason = DropReason.OVER_LIMIT
        elif note.content in seen:  # only what is taken keeps an equal one out
            reason = DropReason.DUPLICATE
        else:
            seen.add(note.content)
            taken_of[note.source] += 1
            splits[split] += [Taken(note, repeat) for repeat in range(copies)]
            continue
        dropped.append((note, reason))
    for rows in splits.values():
        rows.sort(key=lambda taken: _place(taken, settings.seed))
    return Mixture(splits, dropped)


def _turn(note: Note, seed: int) -> tuple[float, str, int]:
    return draw("order", seed, note.example_id), note.example_id, note.source


def _copies(note: Note, weight: float, seed: int, *, train: bool) -> int:
    if not train:
        weight = min(weight, 1.0)
    whole = int(weight)
    return whole + (draw("weight", seed, note.example_id) < weight - whole)


def _place(taken: Taken, seed: int) -> tuple[float, str, int]:
    public_id = taken.note.public_id  # no order by what stood there before redaction
    return draw("row", seed, public_id, taken.repeat), public_id, taken.repeat
