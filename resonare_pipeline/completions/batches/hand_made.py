"""Files that somebody submitted by hand, in the ledger: which of their lines are in which batch.

The one place that reads and writes that. A submission is one file, submitted once; its batches are
the ledger's own, with `source` set, and claim no key of the cache. Which file it was is told by the
hash of its bytes; its name is for people.
"""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.parting import Part
from resonare_pipeline.completions.batches.tables import BATCHES, HAND_MADE
from resonare_pipeline.completions.cache.connecting import Lock, lock_others_out
from resonare_pipeline.completions.cache.tables import OWNERS
from resonare_pipeline.errors import StageError

CAMPAIGN = "by hand"

FAILED = "failed"


class HandMade(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of a submission, and the lines that are in it."""

    batch: Batch
    first: int
    last: int

    @property
    def part(self) -> Part:
        """Its lines."""
        batch = self.batch
        return Part(model=batch.model, url=batch.url, first=self.first, last=self.last)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.batch.state is State.ENDED or not self.batch.state.is_live

    @property
    def has_run(self) -> bool:
        """Whether a line of it ran, runs, or may run."""
        batch = self.batch
        if batch.state is State.DROPPED:
            return False
        return batch.state.is_live or batch.status != FAILED


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was submitted.

    Attributes:
        submission: Its id.
        content: SHA-256 of the file, hexadecimal.
        source: The file, by its full path.
        batches: In the order in which they were staged; of two with a line in common, the later
            one counts.
        is_written: What came of it lies on this machine.
    """

    submission: str
    content: str
    source: Path
    batches: tuple[HandMade, ...]
    is_written: bool

    @property
    def was_made(self) -> bool:
        """Whether the provider has had any of it: else it is as if it had not been submitted."""
        return any(item.batch.state is not State.DROPPED for item in self.batches)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return all(item.is_over for item in self.batches)

    @property
    def running(self) -> list[Part]:
        """The lines that ran, run, or may run."""
        return [item.part for item in self.batches if item.has_run]

    def ids(self) -> set[str]:
        """Return every id that a person may call it by."""
        ours = {item.batch.batch for item in self.batches}
        return ours | {item.batch.remote for item in self.batches if item.batch.remote}


def submissions(ledger: Ledger, *, content: str = "", written: bool = False) -> list[Submission]:
    """Return submissions to the ledger's endpoint, the oldest first.

    Args:
        ledger: Where they stand.
        content: Only of that file, by the hash of its bytes.
        written: Also those whose results lie on this machine.
    """
    query = select(HAND_MADE).join(BATCHES, BATCHES.c.batch == HAND_MADE.c.batch)
    query = query.where(BATCHES.c.endpoint == ledger.endpoint)
    if content:
        query = query.where(HAND_MADE.c.content == content)
    if not written:
        query = query.where(HAND_MADE.c.written_at.is_(None))
    rows = ledger.cache.run(lambda connection: connection.execute(query).all(), reading=True)
    by_id: dict[str, Batch] = {batch.batch: batch for batch in ledger.batches()} if rows else {}
    grouped: dict[str, list[Row[tuple[object, ...]]]] = {}
    for row in rows:
        grouped.setdefault(row.submission, []).append(row)
    found = [_submission(some, by_id) for some in grouped.values()]
    return sorted(found, key=lambda one: one.batches[0].batch.staged_at)


def _submission(rows: Sequence[Row[tuple[object, ...]]], by_id: dict[str, Batch]) -> Submission:
    batches = [
        HandMade(batch=by_id[row.batch], first=row.first_line, last=row.last_line) for row in rows
    ]
    batches.sort(key=lambda item: (item.batch.staged_at, item.first, item.last))
    return Submission(
        submission=rows[0].submission,
        content=rows[0].content,
        source=Path(batches[0].batch.source),
        batches=tuple(batches),
        is_written=all(row.written_at is not None for row in rows),
    )


def count_of(ledger: Ledger, content: str) -> int:
    """Return how many batches were ever made of a file, wherever."""
    query = select(func.count()).where(HAND_MADE.c.content == content)
    return ledger.cache.run(lambda connection: connection.execute(query).scalar_one(), reading=True)


def put_down(
    ledger: Ledger,
    content: str,
    made: Sequence[HandMade],
    *,
    goes_on: Submission | None,
    counted: int,
) -> None:
    """Write the batches of a file down, all or none.

    Args:
        ledger: Where they go.
        content: Hash of the file.
        made: New batches and their lines.
        goes_on: The submission that they belong to; None: a new one.
        counted: How many there were when it was decided that the file may be submitted.

    Raises:
        StageError: If another process has submitted the file since.
    """
    submission = goes_on.submission if goes_on else uuid.uuid4().hex

    def put(connection: Connection) -> None:
        lock_others_out(connection, Lock.BY_HAND)
        count = select(func.count()).where(HAND_MADE.c.content == content)
        if connection.execute(count).scalar_one() != counted:
            raise StageError(
                "another process is submitting the same file",
                where=made[0].batch.source,
                remedy="`resonare batch ls` shows its batches",
            )
        rows = [
            {
                "batch": item.batch.batch,
                "submission": submission,
                "content": content,
                "first_line": item.first,
                "last_line": item.last,
            }
            for item in made
        ]
        connection.execute(insert(HAND_MADE), rows)

    ledger.add(*(item.batch for item in made), beside=put)


def note_written(
    ledger: Ledger, submission: Submission, told: Mapping[str, Mapping[str, float]]
) -> bool:
    """Write down that what came of a submission lies on this machine, and that it is collected.

    All in one transaction: what is collected may be deleted at the provider by anybody.

    Args:
        ledger: Where it stands.
        submission: That is over.
        told: Our id of a batch → what its columns become (`answered`, `cost_usd`, `unpriced`).

    Returns:
        Whether it was written down now; False if another process has done so.
    """
    own = and_(HAND_MADE.c.submission == submission.submission, HAND_MADE.c.written_at.is_(None))
    ended = [item.batch.batch for item in submission.batches if item.batch.state is State.ENDED]
    every = [item.batch.batch for item in submission.batches]

    def put(connection: Connection) -> bool:
        statement = update(HAND_MADE).where(own).values(written_at=ledger.clock())
        if not connection.execute(statement).rowcount:
            return False
        for batch in ended:
            collected = update(BATCHES).where(BATCHES.c.batch == batch)
            values = {"state": State.COLLECTED, **told.get(batch, {})}
            connection.execute(collected.values(**values))
            connection.execute(delete(OWNERS).where(OWNERS.c.owner == batch))
        closed = update(BATCHES).where(BATCHES.c.batch.in_(every)).values(is_closed=True)
        connection.execute(closed)
        return True

    return ledger.cache.run(put, durable=True)
