"""Which examples are taken, how often, in which split and order.

Every choice is drawn from hashes of ids and the seed, so it depends on what there is and never on
the order in which it came.
"""

from collections.abc import Iterable, Sequence
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
    places = {id(note): draw("order", settings.seed, note.example_id) for note in notes}
    dropped: list[tuple[Note, str]] = []
    kept: list[Note] = []
    seen: dict[bytes | str, Note] = {}
    for note in sorted(notes, key=lambda note: (places[id(note)], note.example_id, note.source)):
        reason = note.reason
        split = root_splits[note.root]
        if not reason and border_us is not None:
            outside = not in_time(split, note.started_us, note.ended_us, border_us)
            reason = DropReason.OUTSIDE_TIME if outside else ""
        if not reason and _stands_already(note, seen):
            reason = DropReason.DUPLICATE
        if reason:
            dropped.append((note, reason))
        else:
            kept.append(note)
    kept = _limited(kept, sources, dropped)
    splits: dict[str, list[Taken]] = {split: [] for split in SPLITS}
    for note in kept:
        split = root_splits[note.root]
        copies = _copies(note, sources[note.source].weight, settings.seed, train=split == TRAIN)
        if not copies:
            dropped.append((note, DropReason.UNWEIGHTED))
        splits[split] += [Taken(note, repeat) for repeat in range(copies)]
    for rows in splits.values():
        rows.sort(key=lambda taken: _place(taken, settings.seed))
    return Mixture(splits, dropped)


def _stands_already(note: Note, seen: dict[bytes | str, Note]) -> bool:
    # One id with two contents: two exports of a chat, whose people have other names in each.
    if note.content in seen or note.example_id in seen:
        return True
    seen[note.content] = seen[note.example_id] = note
    return False


def _limited(
    notes: Iterable[Note],
    sources: Sequence[MixtureSettings],
    dropped: list[tuple[Note, str]],
) -> list[Note]:
    counts = [0] * len(sources)
    kept: list[Note] = []
    for note in notes:
        limit = sources[note.source].max_examples
        if limit is not None and counts[note.source] >= limit:
            dropped.append((note, DropReason.OVER_LIMIT))
            continue
        counts[note.source] += 1
        kept.append(note)
    return kept


def _copies(note: Note, weight: float, seed: int, *, train: bool) -> int:
    if not train:
        weight = min(weight, 1.0)
    whole = int(weight)
    return whole + (draw("weight", seed, note.example_id) < weight - whole)


def _place(taken: Taken, seed: int) -> tuple[float, str, int]:
    example_id = taken.note.example_id
    return draw("row", seed, example_id, taken.repeat), example_id, taken.repeat
