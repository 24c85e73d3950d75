"""Rows of the tables of messages, field by field, in the order of the files.

Rows are numbered through all tables of a dump: these numbers name rows between the two readings,
since ids may come twice. Which rows are left out is decided here; what becomes of others is not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from resonare_pipeline import signal_columns
from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.signal import schema
from resonare_pipeline.chats.signal.csv_rows import CsvRows, open_rows
from resonare_pipeline.chats.signal.kinds import reason_to_drop
from resonare_pipeline.chats.signal.text_lines import CHUNK_BYTES
from resonare_pipeline.chats.signal.values import positive, whole

END_OF_TIME = 253_402_300_800_000  # milliseconds; the year 10000, which dates cannot express


NEEDED = ("id", "thread", "sent", "kind", "body", "sender")


class Fields(NamedTuple):
    """Fields of one row as they stand in the file, by the names of `MESSAGE_COLUMNS`."""

    id: str
    thread: str
    sent: str
    kind: str
    body: str
    sender: str
    receiver: str
    received: str
    quote_sent: str
    quote_author: str
    original: str
    newest: str
    deleted_by: str
    deleted: str
    view_once: str
    story: str
    parent_story: str
    scheduled: str
    contacts: str
    ranges: str


_MARKS = slice(Fields._fields.index("newest"), Fields._fields.index("parent_story") + 1)
_UNMARKED = frozenset({"", "0", "-1"})


class MessageRows:
    """One table of messages while it is read.

    Attributes:
        is_sms: Whether it is that of plain text messages, which counts its ids by itself.
        columns: Which columns it has.
    """

    def __init__(self, rows: CsvRows, file: ExportFile) -> None:
        self.is_sms = schema.table_of(file) == schema.SMS
        self.columns = schema.find_columns(
            rows.columns, signal_columns.MESSAGE_COLUMNS, needed=NEEDED, where=file.name
        )
        self._rows = rows

    def __iter__(self) -> Iterator[Fields]:
        """Yield rows, as many at every reading."""
        return map(Fields._make, map(self.columns.pick, self._rows))

    @property
    def warnings(self) -> list[str]:
        """What went wrong while it was read."""
        found = []
        if self._rows.broken:
            found.append(f"{self._rows.broken} broken rows were left out")
        if self._rows.is_cut_off:
            found.append("the file is cut off within a row; all complete rows were read")
        return found


@contextmanager
def open_messages(
    file: ExportFile,
    *,
    on_read: Callable[[int], None] = lambda _: None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[MessageRows]:
    """Open a table of messages.

    Raises:
        InputError: If it lacks a column, or is no CSV.
        InputChangedError: If the bytes are not those that were listed.
    """
    with open_rows(file, on_read=on_read, chunk_bytes=chunk_bytes) as rows:
        yield MessageRows(rows, file)


def sent_of(fields: Fields) -> int | None:
    """Return when a message was sent, in milliseconds; when it came if that is not known."""
    for text in (fields.sent, fields.received):
        if (time := whole(text)) is not None and 0 < time < END_OF_TIME:
            return time
    return None


def key_of(fields: Fields, *, is_sms: bool) -> int | None:
    """Return the id of a message as one number for all tables of a dump; None without one."""
    number = whole(fields.id)
    return None if number is None else number * 2 + is_sms


def source_id(key: int) -> str:
    """Return what stands for a message behind the id of its chat."""
    return f"sms{key >> 1}" if key & 1 else str(key >> 1)


def why_left_out(fields: Fields, kind: int | None, sender: int | None) -> Reason | None:
    """Return why a row is left out, whatever its time is; None if it is a message."""
    if kind is None:
        return Reason.UNREADABLE
    if reason := reason_to_drop(kind):
        return reason
    if not _UNMARKED.issuperset(fields[_MARKS]) and (reason := _mark(fields)):
        return reason
    scheduled = whole(fields.scheduled)
    if scheduled is not None and scheduled > -1:
        return Reason.SCHEDULED
    return Reason.UNREADABLE if sender is None else None


def _mark(fields: Fields) -> Reason | None:
    for reason, texts in (
        (Reason.OLD_REVISION, (fields.newest,)),
        (Reason.DELETED, (fields.deleted, fields.deleted_by)),
        (Reason.VIEW_ONCE, (fields.view_once,)),
        (Reason.STORY, (fields.story, fields.parent_story)),
    ):
        if any(map(positive, texts)):
            return reason
    return None
