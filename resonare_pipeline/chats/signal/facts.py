"""What other rows say of a message, brought beside it: quotes, edits, reactions, mentions, media.

Keys of messages and of what points at them are sorted together on disk, so that what belongs
together stands together; what was found is then sorted by row, for the second reading. Memory
grows with neither, but with the number of different reactions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from pathlib import Path

import numpy as np

from resonare_pipeline import signal_columns
from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.reading.sorting import Limits, Records, Sorter
from resonare_pipeline.chats.signal import schema, survey
from resonare_pipeline.chats.signal.csv_rows import open_rows, shown
from resonare_pipeline.chats.signal.ids import recipient_of
from resonare_pipeline.chats.signal.media import media_code
from resonare_pipeline.chats.signal.values import positive, whole

OnRead = Callable[[int], None]
CHUNK_ROWS = 1 << 13


class Fact(IntEnum):
    """What is said of a message. The values order what is said of one."""

    MESSAGE = 0  # the message itself, among what points at it
    QUOTE = 1  # key of the message that is quoted
    FIRST_SENT = 2  # time of the first version of a message that was edited
    REACTION = 3  # number of the reaction
    MENTION = 4  # start, length, recipient
    MEDIA = 5  # id of the attachment, kind


ROW, FACT, FIRST, SECOND, THIRD = range(5)
_KEY, _FACT, _A, _B, _C, _SERIAL = range(6)  # of what is sorted by message


class Facts:
    """Gathers facts, then gives them by row.

    Attributes:
        reactions: The different reactions; facts hold numbers of them.
    """

    def __init__(self, new_path: Callable[[], Path], limits: Limits) -> None:
        self.reactions: list[str] = []
        self._numbers: dict[str, int] = {}
        self._new_path = new_path
        self._limits = limits
        self._by_key = Sorter(new_path, range(6), limits)
        self._by_row = Sorter(new_path, range(6), limits)
        self._serial = 0

    def read(self, tables: Mapping[str, ExportFile], on_read: OnRead) -> None:
        """Take in the tables of a dump that point at messages.

        Raises:
            InputError: If one lacks a column, or is broken.
        """
        attachments = tables.get("attachment") or tables.get("part")
        for file, known, needed, look in (
            (
                tables.get("reaction"),
                signal_columns.REACTION_COLUMNS,
                ("message", "emoji"),
                self._reaction,
            ),
            (
                tables.get("mention"),
                signal_columns.MENTION_COLUMNS,
                ("message", "recipient", "start", "length"),
                _mention,
            ),
            (attachments, signal_columns.ATTACHMENT_COLUMNS, ("message", "type"), _medium),
        ):
            if file is None:
                continue
            with open_rows(file, on_read=on_read) as rows:
                columns = schema.find_columns(rows.columns, known, needed=needed, where=file.name)
                self._add(filter(None, (look(columns.pick(row)) for row in rows)))

    def _reaction(self, fields: tuple[str, ...]) -> tuple[int, ...] | None:
        said, _, text, is_mms = fields
        message, emoji = whole(said), shown(text).strip()
        if message is None or not emoji:
            return None
        number = self._numbers.setdefault(emoji, len(self.reactions))
        if number == len(self.reactions):
            self.reactions.append(emoji)
        # Only dumps with a table of plain text messages say which of the two is meant.
        is_sms = is_mms != "" and whole(is_mms) == 0
        return message * 2 + is_sms, Fact.REACTION, number, 0, 0

    def _add(self, found: Iterable[tuple[int, ...]]) -> None:
        held: list[tuple[int, ...]] = []
        for record in found:
            held.append((*record, self._serial))
            self._serial += 1
            if len(held) >= CHUNK_ROWS:
                self._by_key.add(_records(held))
                held.clear()
        if held:
            self._by_key.add(_records(held))

    def join(self, keys: Sorter, quotes: Sorter, owner: int | None) -> None:
        """Bring together messages and what points at them.

        Args:
            keys: What the survey noted of rows.
            quotes: What it noted of rows that quote.
            owner: The recipient that is the owner.
        """
        quoted = Sorter(self._new_path, range(6), self._limits)
        for chunk in quotes.sorted():
            author = chunk[survey.QUOTE_AUTHOR].copy()
            author[author == (survey.NOBODY if owner is None else owner)] = survey.OWNER
            place = (chunk[survey.QUOTE_THREAD], chunk[survey.QUOTE_SENT], author)
            quoted.add(_stacked(*place, Fact.QUOTE, chunk[survey.QUOTE_ROW], 0))
        for chunk in keys.sorted():
            row, key = chunk[survey.ROW], chunk[survey.KEY]
            author = chunk[survey.AUTHOR].copy()
            author[author == (survey.NOBODY if owner is None else owner)] = survey.OWNER
            newest, original = chunk[survey.NEWEST], chunk[survey.ORIGINAL]
            # An old version of a message stands for the newest one.
            target = np.where(newest > 0, newest * 2, key)
            place = (chunk[survey.THREAD], chunk[survey.SENT], author)
            quoted.add(_stacked(*place, Fact.MESSAGE, target, row))
            self._by_key.add(_stacked(key, Fact.MESSAGE, row, chunk[survey.SENT], 0, row))
            edited = (original > 0) & (newest == 0)
            first = _stacked(original * 2, Fact.FIRST_SENT, row, 0, 0, row)
            self._by_key.add(first[:, edited])
        for chunk, targets in _beside(quoted.sorted(), (0, 1, 2), 3):
            quotes_ = chunk[3] == Fact.QUOTE
            found = _stacked(chunk[4], Fact.QUOTE, targets[4], 0, 0, 0)
            self._by_row.add(found[:, quotes_])
        for chunk, messages in _beside(self._by_key.sorted(), (_KEY,), _FACT):
            fact = chunk[_FACT]
            edits = fact == Fact.FIRST_SENT
            rows = np.where(edits, chunk[_A], messages[_A])
            said = np.where(edits, messages[_B], chunk[_A])
            found = np.stack([rows, fact, said, chunk[_B], chunk[_C], chunk[_SERIAL]])
            self._by_row.add(found[:, fact != Fact.MESSAGE])

    def by_row(self) -> "FactsByRow":
        """Return what was found, once."""
        return FactsByRow(self._by_row.sorted())


class FactsByRow:
    """Facts in the order of rows."""

    def __init__(self, chunks: Iterator[Records]) -> None:
        self._chunks = chunks
        self._held: Records = np.empty((6, 0), np.int64)

    def before(self, end: int) -> dict[int, list[list[int]]]:
        """Take what is said of rows before one, by row: lists of fact, first, second, third."""
        taken: dict[int, list[list[int]]] = {}
        while True:
            cut = int(np.searchsorted(self._held[ROW], end))
            for row, *fact in self._held[: THIRD + 1, :cut].T.tolist():
                taken.setdefault(row, []).append(fact)
            self._held = self._held[:, cut:]
            if self._held.shape[1] or (chunk := next(self._chunks, None)) is None:
                return taken
            self._held = chunk


def _mention(fields: tuple[str, ...]) -> tuple[int, ...] | None:
    message, recipient = whole(fields[0]), recipient_of(fields[1])
    start, length = whole(fields[2]), whole(fields[3])
    if message is None or recipient is None or start is None or not length:
        return None
    return message * 2, Fact.MENTION, start, length, recipient


def _medium(fields: tuple[str, ...]) -> tuple[int, ...] | None:
    said_id, said, kind, voice, gif, sticker, quote = fields
    message = whole(said)
    if message is None or positive(quote):
        return None
    code = media_code(kind, voice=positive(voice), gif=positive(gif), sticker=bool(sticker))
    return None if code is None else (message * 2, Fact.MEDIA, whole(said_id) or 0, code, 0)


def _records(rows: list[tuple[int, ...]]) -> Records:
    return np.array(rows, np.int64).T.copy()


def _stacked(*columns: int | Records) -> Records:
    size = next(len(column) for column in columns if isinstance(column, np.ndarray))
    return np.stack([np.broadcast_to(np.asarray(column, np.int64), size) for column in columns])


def _beside(
    chunks: Iterable[Records], by: tuple[int, ...], fact: int
) -> Iterator[tuple[Records, Records]]:
    """Yield records that have a message of the same key before them, and those messages.

    Messages come first among the records of a key, the last of them counts; they are yielded with
    themselves.
    """
    before: Records | None = None  # the last message
    for chunk in chunks:
        known = chunk if before is None else np.concatenate([before, chunk], axis=1)
        places = np.where(known[fact] == Fact.MESSAGE, np.arange(known.shape[1]), -1)
        last = np.maximum.accumulate(places)
        messages = known[:, np.maximum(last, 0)]
        same = (last >= 0) & (known[list(by)] == messages[list(by)]).all(axis=0)
        if before is not None:
            same[0] = False  # it was yielded already
        if last[-1] >= 0:
            before = known[:, last[-1:]]
        yield known[:, same], messages[:, same]
