"""The order of a chat's messages, decided when all of an export has been read.

Rows stay in the spool. For a chat that is in order from the start nothing is looked at; of others
only keys are read, and what they decide is kept on disk. How rows are then brought into that order
is not known here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from resonare_pipeline.chats.reading.gathering import Rows, Visits, stretch_rows_of
from resonare_pipeline.chats.reading.parsed import Tallies, add_tallies, tally
from resonare_pipeline.chats.reading.picks import PickFile
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits, Records
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.reading.versions import IntArray, Kept, Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlan:
    """One chat as it will be written.

    Attributes:
        peer: Sender id of whom the chat is with, if that is one person; else empty, or the id of
            no sender.
        tallies: Messages by sender; the last rows count through `rows`.
        duplicates: Rows that are other versions of rows that are kept.
    """

    chat_id: str
    name: str | None
    kind: str | None
    peer: str
    spans: tuple[Span, ...]
    rows: Rows
    duplicates: Rows | None
    count: int
    first_sent: int | None
    last_sent: int | None
    tallies: Tallies


@dataclass(slots=True, kw_only=True)
class _Found:
    """What is known of a chat's rows once they are in order."""

    rows: Rows
    duplicates: Rows | None = None
    count: int = 0
    first_sent: int | None = None
    last_sent: int | None = None
    tallies: Tallies = field(default_factory=dict)


class Ordering:
    """Decides the order of chats, one after the other.

    Args:
        spool: Holds the rows; all are there.
        limits: How much is held in memory.
    """

    def __init__(self, spool: Spool, limits: Limits = LIMITS) -> None:
        self._spool = spool
        self._limits = limits
        self._picks = PickFile(spool.new_path())
        self._same_senders = _same_senders(spool)

    def plan(self, spans: list[Span]) -> ChatPlan:
        """Decide order and duplicates of one chat.

        Args:
            spans: Everything that was read of the chat and is taken.

        Raises:
            StoreError: If a temporary file cannot be written.
        """
        spans = sorted(spans, key=lambda span: span.place)
        found = self._found([span for span in spans if span.rows])
        return ChatPlan(
            chat_id=spans[0].chat_id,
            name=next((span.name for span in reversed(spans) if span.name), None),
            kind=next((span.kind for span in reversed(spans) if span.kind), None),
            peer=next((span.peer for span in reversed(spans) if span.peer), ""),
            spans=tuple(spans),
            rows=found.rows,
            duplicates=found.duplicates,
            count=found.count,
            first_sent=found.first_sent,
            last_sent=found.last_sent,
            tallies=found.tallies,
        )

    def without(self, rows: Rows, left_out: npt.NDArray[np.bool_]) -> Rows:
        """Return rows in the same order, without some of them.

        Args:
            left_out: For each row of all the batches, whether it goes.

        Raises:
            StoreError: If a temporary file cannot be written.
        """
        stretch_rows = stretch_rows_of(self._spool, rows.batches, self._limits)
        picks = self._picks.write(_picked(rows, ~left_out), stretch_rows)
        return Rows(batches=rows.batches, picks=picks, scattered=rows.scattered)

    def close(self) -> None:
        """Forget the order of all chats."""
        self._picks.close()

    def _found(self, spans: list[Span]) -> _Found:
        batches = tuple(number for span in spans for number in span.batches)
        if len(spans) == 1 and spans[0].ordered:
            span = spans[0]
            return _Found(
                rows=Rows(batches=batches),
                count=span.rows,
                first_sent=span.first_sent,
                last_sent=span.last_sent,
                tallies=span.tallies,
            )
        return self._ordered(spans, batches) if spans else _Found(rows=Rows(batches=()))

    def _ordered(self, spans: list[Span], batches: tuple[int, ...]) -> _Found:
        versions = Versions(self._spool.new_path, self._same_senders, self._limits)
        for number, span in enumerate(spans):
            for batch in span.batches:
                versions.add(self._spool.keys(batch), number)
        found = _Found(rows=Rows(batches=batches))
        stretch_rows = stretch_rows_of(self._spool, batches, self._limits)
        visits = Visits(self._spool, batches, stretch_rows, self._limits)
        noted = visits.counted(_noted(versions.kept(), found))
        picks = self._picks.write(noted, stretch_rows)
        found.rows = Rows(batches=batches, picks=picks, scattered=visits.are_many)
        others = self._picks.write(versions.left_out(), stretch_rows)
        if others.count:
            found.duplicates = Rows(batches=batches, picks=others)
        return found


def _picked(rows: Rows, wanted: npt.NDArray[np.bool_]) -> Iterator[Records]:
    """Yield picks of the rows that are wanted, in their order."""
    if rows.picks is None:
        found = np.flatnonzero(wanted)
        nothing = np.zeros_like(found)
        yield np.stack([found, nothing, nothing])
        return
    for stretch in rows.picks.stretches():
        own = wanted[stretch.rows]
        yield np.stack([stretch.rows[own], stretch.repeats[own], stretch.clashing[own]])


def _noted(kept: Iterable[Kept], found: _Found) -> Iterator[Records]:
    """Yield picks of rows, and note what the rows say of their chat."""
    for rows in kept:
        if found.first_sent is None:
            found.first_sent = int(rows.sent[0])
        found.last_sent = int(rows.sent[-1])
        add_tallies(found.tallies, tally(rows.codes.astype(np.int32), found.count))
        found.count += len(rows.sent)
        yield rows.picks


def _same_senders(spool: Spool) -> IntArray:
    """Return one number for all senders of one id: people change their names."""
    index: dict[str | None, int] = {}
    return np.array([index.setdefault(sender.id, len(index)) for sender in spool.senders], np.int64)
