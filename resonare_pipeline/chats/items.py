"""Messages that may enter blocks, as columns, and how they are parted into groups of whole runs.

An item is a message or a piece of one. Knows nothing of tokens but that each item has some.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resonare_pipeline.runs import gap_limit

GROUP_ITEMS = 4_096  # items cut together: enough that calls, not items, cost little

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
WHOLE = -1  # the start and end of a message that is not split


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Items in the order of their table.

    Attributes:
        ids: Message ids and chat ids.
        rows: Number of the message in its table.
        runs: Number of the run that each is of; never falls.
        times: Microseconds since 1970.
        answers: Whether each is the assistant's.
        alone: Tokens of the line by itself.
        joined: Tokens of the line with the separator behind it.
        starts: First code point of a piece, or `WHOLE`.
        ends: Code point behind the last of a piece, or `WHOLE`.
        lines: Rendered lines; None where nothing will read them again.
    """

    ids: pa.RecordBatch
    rows: IntArray
    runs: IntArray
    times: IntArray
    answers: BoolArray
    alone: IntArray
    joined: IntArray
    starts: IntArray
    ends: IntArray
    lines: list[str] | None

    def __len__(self) -> int:
        return len(self.runs)

    def part(self, start: int, end: int) -> "Items":
        """Return items [start, end)."""
        return Items(
            ids=self.ids.slice(start, end - start),
            lines=None if self.lines is None else self.lines[start:end],
            **{name: getattr(self, name)[start:end] for name in _ARRAYS},
        )

    def take(self, places: IntArray, **changed: IntArray) -> "Items":
        """Return the items at some places, with some columns changed; lines are left out."""
        arrays = {name: getattr(self, name)[places] for name in _ARRAYS}
        return Items(ids=self.ids.take(pa.array(places)), lines=None, **(arrays | changed))


_ARRAYS = tuple(field.name for field in fields(Items) if field.name not in ("ids", "lines"))


def _together(parts: list[Items]) -> Items:
    if len(parts) == 1:
        return parts[0]
    lines: list[str] = []
    for part in parts:
        lines += part.lines or []
    return Items(
        ids=pa.concat_batches([part.ids for part in parts]),
        lines=None if parts[0].lines is None else lines,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS},
    )


def groups(parts: Iterable[Items]) -> Iterator[tuple[Items, int | None]]:
    """Yield items in groups of whole runs, with the row at which the next run begins, if any does.

    A group ends with the run that brings it to `GROUP_ITEMS`. Lazy; what belongs to one run is
    held until its end is known.
    """
    held: list[Items] = []
    complete = size = 0  # items before the start of the last run, and in all
    for part in parts:
        if not len(part):
            continue
        begins = _begins(part.runs, held[-1].runs[-1] if held else None)
        if begins.size:
            complete = size + int(begins[-1])
        held.append(part)
        size += len(part)
        if complete >= GROUP_ITEMS:
            items = _together(held)
            done = 0
            for end in _group_ends(items.runs, complete):
                yield items.part(done, end), int(items.rows[end])
                done = end
            held, size, complete = [items.part(done, size)], size - done, complete - done
    if held:
        yield _together(held), None


def _begins(runs: IntArray, before: int | None) -> IntArray:
    """Return where runs begin, the first of all included."""
    changes: IntArray = np.flatnonzero(np.diff(runs, prepend=-1 if before is None else before))
    return changes


def _group_ends(runs: IntArray, complete: int) -> Iterator[int]:
    borders = np.append(_begins(runs[:complete], None)[1:], complete)
    done = 0
    while True:
        # The first border that makes the group large enough.
        at = int(np.searchsorted(borders, done + GROUP_ITEMS))
        if at == len(borders):
            return
        done = int(borders[at])
        yield done


class RunNumbers:
    """Numbers runs: stretches of one chat without a silence over a limit."""

    def __init__(self, max_gap_seconds: float) -> None:
        self._limit = gap_limit(max_gap_seconds)
        self._number = 0
        self._chat: str | None = None
        self._time = 0

    def of(self, chats: pa.Array, times: IntArray) -> IntArray:
        """Return the number of each row's run.

        Args:
            chats: Chat ids of the next rows; rows of one chat stand together.
            times: Microseconds, in order within a chat.
        """
        if not len(times):
            return times
        codes = chats.dictionary_encode().indices.to_numpy()
        broken = np.ones(len(times), np.bool_)
        broken[1:] = (np.diff(codes) != 0) | (np.diff(times) > self._limit)
        broken[0] = chats[0].as_py() != self._chat or int(times[0]) - self._time > self._limit
        numbers: IntArray = self._number + np.cumsum(broken)
        self._number, self._chat, self._time = (
            int(numbers[-1]),
            chats[len(times) - 1].as_py(),
            int(times[-1]),
        )
        return numbers
