"""Rows of chats that stand mixed in their source, brought together chat by chat.

A batch for each chat in each piece of the source would be as many batches as rows where chats are
many, and each costs as much as a thousand rows. So rows are kept piece by piece as they come, and
brought into the order of chats when all are there, by sorted runs on disk; short chats then share a
batch. Nothing about one format.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing

import numpy as np
import numpy.typing as npt

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.reading.gathering import Rows, gather, stretch_rows_of
from resonare_pipeline.chats.reading.parsed import ParsedRun, keep_runs, keep_together
from resonare_pipeline.chats.reading.picks import PickFile
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits, Records, Sorter
from resonare_pipeline.chats.reading.spool import Span, Spool

_CHAT, _ROW = range(2)


class Regrouping:
    """Takes rows of many chats in any order, then gives each chat its own, once.

    Chats go by numbers, which are in the order in which chats are read later: neighbours share
    batches. Within a chat rows stay in the order in which they came.

    Args:
        spool: Where rows go.
        limits: How much is held in memory.
    """

    def __init__(self, spool: Spool, limits: Limits = LIMITS) -> None:
        self._spool = spool
        self._limits = limits
        self._loose: list[int] = []
        self._counts: Counter[int] = Counter()
        self._rows = 0
        self._order = Sorter(spool.new_path, (_CHAT, _ROW), limits)

    def add(self, run: ParsedRun, chats: npt.NDArray[np.int64]) -> None:
        """Take in the next rows.

        Args:
            run: The rows; what it leaves out is not looked at.
            chats: The number of each row's chat.

        Raises:
            StoreError: If they cannot be written.
        """
        if not run.rows.num_rows:
            return
        [kept] = keep_runs([run], self._spool.new_path())
        self._loose.append(self._spool.add_loose(kept))
        rows = np.arange(self._rows, self._rows + kept.rows)
        self._order.add(np.stack([chats, rows]))
        self._rows += kept.rows
        numbers, counts = np.unique(chats, return_counts=True)
        self._counts.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))

    def finish(self, spans: Mapping[int, Span]) -> None:
        """Add all rows to the spans of their chats.

        Raises:
            StoreError: If a temporary file cannot be written.
        """
        if not self._loose:
            return
        spool, path = self._spool, self._spool.new_path()
        with closing(PickFile(path)) as file:
            stretch_rows = stretch_rows_of(spool, self._loose, self._limits)
            picks = file.write(map(_picks, self._order.sorted()), stretch_rows)
            rows = Rows(batches=tuple(self._loose), picks=picks, scattered=len(self._loose) > 1)
            sizes = _Sizes(self._counts)
            for batch, _ in gather(spool, rows, self._limits):
                parts = list(sizes.of(batch.num_rows))
                runs = keep_together(
                    batch, (size for _, size in parts), spool.senders, spool.new_path()
                )
                for (chat, _), run in zip(parts, runs, strict=True):
                    spool.add(spans[chat], run)
        spool.remove(self._loose)
        with storage_errors(f"temporary file {path}"):
            path.unlink()


class _Sizes:
    """How many rows in a row are of which chat, taken some rows at a time."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._left = sorted(counts.items(), reverse=True)

    def of(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yield chats and numbers of rows for the next rows."""
        while rows:
            chat, count = self._left.pop()
            taken = min(count, rows)
            if count > taken:
                self._left.append((chat, count - taken))
            rows -= taken
            yield chat, taken


def _picks(chunk: Records) -> Records:
    rows = chunk[_ROW]
    nothing = np.zeros_like(rows)
    return np.stack([rows, nothing, nothing])
