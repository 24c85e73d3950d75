"""Data frames of messages as plain columns: those of Signal, and those of this project.

Rows may stand in any order and more than once. What may not live here: how columns are named, and
what is made of messages.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from resonare_pipeline.errors import InputError, UnknownPersonError
from resonare_pipeline.runs import gap_limit
from resonare_pipeline.style.columns import PROJECT, Columns, columns_of
from resonare_pipeline.style.ids import (
    MISSING,
    coded_ids,
    id_codes,
    numbered_ids,
    plain_id,
    plain_ids,
    sort_key,
    truths,
    whole_text,
)
from resonare_pipeline.style.lines import BoolArray, IntArray, Messages
from resonare_pipeline.style.recipients import (
    key_of,
    names_of,
    recipient_keys,
    require_recipients,
)
from resonare_pipeline.style.signal_rows import counting_rows, is_sent
from resonare_pipeline.style.times import microseconds

LISTED_IDS = 20  # of the known ones, in a message
PIECE_ROWS = 16_384  # from so many on a piece ends with the next run; some 5 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a frame is read.

    Attributes:
        your_recipient_id: Who you are. In the project's frames a number plays no part: `is_owner`
            tells.
        include_system: Keep what Signal wrote itself, as far as it has a text.
        in_order: Put the messages of a chat in the order of time; else they stay as they stand.
        dropped: Reason → rows left out; filled while reading.
    """

    your_recipient_id: object
    include_system: bool = False
    in_order: bool = True
    dropped: Counter[str] = field(default_factory=Counter)

    def without(self, rows: IntArray, mask: BoolArray, reason: str) -> IntArray:
        """Return rows without some of them, which are counted."""
        count = int(mask.sum())
        if not count:
            return rows
        self.dropped[reason] += count
        return rows[~mask]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMessages:
    """The messages of a frame by chat and time, each once, as numbers; texts come in pieces.

    Attributes:
        columns: Which columns the frame has.
        rows: The row of each message.
        chats: Number of each message's chat.
        senders: Number of each message's sender.
        is_owner: Whether you wrote it.
        at: Microseconds since 1970, UTC.
        media: Whether something is attached.
        chat_ids: By number.
        sender_ids: By number.
        names: Of senders, by number.
    """

    frame: pd.DataFrame
    columns: Columns
    rows: IntArray
    chats: IntArray
    senders: IntArray
    is_owner: BoolArray
    at: IntArray
    media: BoolArray
    chat_ids: list[Any]
    sender_ids: list[Any]
    names: list[str]

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self, *, max_gap_seconds: float) -> Iterator[Messages]:
        """Yield the messages in pieces of whole runs, so that no list of all texts is ever held.

        Args:
            max_gap_seconds: The longest silence that anything made of a piece reaches over.
        """
        begins = np.diff(self.chats) != 0
        begins |= np.diff(self.at) > gap_limit(max_gap_seconds)
        borders = np.append(np.flatnonzero(begins) + 1, len(self))
        start = 0
        while start < len(self):
            end = int(borders[np.searchsorted(borders, min(start + PIECE_ROWS, len(self)))])
            yield self._piece(slice(start, end))
            start = end

    def _piece(self, part: slice) -> Messages:
        rows = self.rows[part]
        ids = part_of(self.frame[self.columns.message], rows)
        return Messages(
            chats=self.chats[part],
            senders=self.senders[part],
            is_owner=self.is_owner[part],
            at=self.at[part],
            media=self.media[part],
            texts=texts_of(self.frame[self.columns.text], rows),
            ids=plain_ids(ids, counted=self.columns.is_signal),
            chat_ids=self.chat_ids,
            sender_ids=self.sender_ids,
            names=self.names,
        )


def read_frame(
    frame: pd.DataFrame, recipients: pd.DataFrame | None, reading: Reading
) -> FrameMessages:
    """Return a frame's messages by chat and time, each once.

    Raises:
        MissingColumnsError: If columns are missing.
        UnknownPersonError: If nobody in it has your recipient id.
        InputError: If a value is none that its column can hold; of texts it is told later.
    """
    columns = columns_of(frame)
    if recipients is not None:
        require_recipients(recipients)
    counted = columns.is_signal
    rows = np.arange(len(frame))
    if counted:
        rows = counting_rows(frame, reading.dropped, include_system=reading.include_system)
    rows = reading.without(rows, frame[columns.chat].isna().to_numpy(np.bool_)[rows], "no_chat")
    rows = reading.without(rows, _repeated(frame, columns, rows), "duplicate")
    at, known = microseconds(part_of(frame[columns.time], rows), rows)
    rows, at = reading.without(rows, ~known, "no_time"), at[known]
    chats, chat_ids = numbered_ids(part_of(frame[columns.chat], rows), counted=counted)
    order = _order(chats, at, part_of(frame[columns.message], rows), reading)
    rows, chats, at = rows[order], chats[order], at[order]
    senders, sender_ids = numbered_ids(
        authors(frame, rows, reading.your_recipient_id), counted=counted
    )
    pa.default_memory_pool().release_unused()  # it keeps what reading took, a third of a frame
    return FrameMessages(
        frame=frame,
        columns=columns,
        rows=rows,
        chats=chats,
        senders=senders,
        is_owner=_owner(frame, rows, reading, recipients, senders, sender_ids),
        at=at,
        media=_media(frame, rows),
        chat_ids=chat_ids,
        sender_ids=sender_ids,
        names=names_of(sender_ids, senders, frame, rows, recipients),
    )


def part_of(values: "pd.Series[Any]", rows: IntArray) -> "pd.Series[Any]":
    """Return the values of some rows; a stretch of rows is not copied."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return values.iloc[int(rows[0]) : int(rows[-1]) + 1]
    return values.iloc[rows]


def authors(frame: pd.DataFrame, rows: IntArray, yours: object) -> "pd.Series[Any]":
    """Return who wrote the messages of some rows, by recipient id.

    Args:
        frame: The messages.
        rows: Where they stand.
        yours: Your recipient id, for rows that tell that they were sent, and not by whom.

    Raises:
        InputError: If an id of such a frame is neither a number nor a text.
    """
    columns = columns_of(frame)
    said = part_of(frame[columns.sender], rows)
    if not columns.direction:
        return said
    codes, ids = coded_ids(said)
    sent = is_sent(part_of(frame[columns.direction], rows))
    named = np.array([*ids, plain_id(key_of(yours)), None], object)  # None for the code -1
    return pd.Series(named[np.where(sent, len(ids), codes)], name=columns.sender, dtype=object)


def _repeated(frame: pd.DataFrame, columns: Columns, rows: IntArray) -> BoolArray:
    """Tell which rows have the message id of one before them in their chat."""
    counted = columns.is_signal
    ids = id_codes(part_of(frame[columns.message], rows), counted=counted)
    chats = id_codes(part_of(frame[columns.chat], rows), counted=counted)
    again: BoolArray = pd.DataFrame({"chat": chats, "id": ids}).duplicated().to_numpy()
    repeated: BoolArray = again & (ids != MISSING)
    return repeated


def _order(chats: IntArray, at: IntArray, ids: "pd.Series[Any]", reading: Reading) -> IntArray:
    """Order messages by chat and time, those of one time by their ids."""
    if not reading.in_order:
        return np.argsort(chats, kind="stable")
    order: IntArray = np.lexsort((at, chats))
    same = (np.diff(chats[order]) == 0) & (np.diff(at[order]) == 0)
    if not same.any():
        return order
    tied = order[np.concatenate((same, [False])) | np.concatenate(([False], same))]
    ranks = np.zeros(len(at), np.int64)
    ranks[tied] = numbered_ids(ids.iloc[tied])[0]
    return np.lexsort((ranks, at, chats))


def texts_of(values: "pd.Series[Any]", rows: IntArray) -> list[str]:
    """Return texts, empty where there is none; what UTF-8 cannot hold becomes U+FFFD.

    Raises:
        InputError: If one is neither a text nor a number.
    """
    name = str(values.name)
    return [
        value if type(value) is str and value.isascii() else _text(value, name, int(rows[place]))
        for place, value in enumerate(values_of(values, rows))
    ]


def values_of(values: "pd.Series[Any]", rows: IntArray | None = None) -> Iterator[Any]:
    """Yield values of some rows, or of all, without a list of them all."""
    rows = np.arange(len(values)) if rows is None else rows
    for start in range(0, len(rows), PIECE_ROWS):
        yield from part_of(values, rows[start : start + PIECE_ROWS]).tolist()


def _text(value: Any, column: str, row: int) -> str:
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, (int, float, np.number)):
        return "" if value != value else str(value)  # NaN
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    raise InputError(
        f"{column} is {type(value).__name__}",
        where=f"messages_df, row {row} (the first is 0)",
        expected="a text, or nothing",
    )


def _owner(
    frame: pd.DataFrame,
    rows: IntArray,
    reading: Reading,
    recipients: pd.DataFrame | None,
    senders: IntArray,
    sender_ids: list[Any],
) -> BoolArray:
    """Tell which messages are yours."""
    yours, columns = reading.your_recipient_id, columns_of(frame)
    if columns is PROJECT and not isinstance(yours, str):
        return truths(part_of(frame["is_owner"], rows))
    key = key_of(yours)
    matching = [key_of(one) == key for one in sender_ids]
    if not any(matching) and len(frame) and not columns.direction:
        _refuse_unknown(frame, yours, recipients, sender_ids)
    return np.array([*matching, False], np.bool_)[senders]


def _refuse_unknown(
    frame: pd.DataFrame, yours: object, recipients: pd.DataFrame | None, senders: list[Any]
) -> None:
    """Refuse an id that neither wrote nor got a message and is no recipient either."""
    known = {one for one in senders if one is not None}
    if "to_recipient_id" in frame:
        known.update(coded_ids(frame["to_recipient_id"])[1])
    others = set() if recipients is None else set(recipient_keys(recipients))
    if key_of(yours) in {key_of(one) for one in known} | others:
        return
    listed = sorted(known, key=sort_key)
    more = f" and {len(listed) - LISTED_IDS} more" if listed[LISTED_IDS:] else ""
    raise UnknownPersonError(
        f"nobody has the recipient id {yours}",
        where="your_recipient_id",
        expected=f"one of {', '.join(map(str, listed[:LISTED_IDS]))}{more}",
        remedy="Yours is the one that wrote the messages that were sent",
    )


def _media(frame: pd.DataFrame, rows: IntArray) -> BoolArray:
    """Tell which messages have something attached, by the columns that say so."""
    media = np.zeros(len(rows), np.bool_)
    for name in ("media_kind", "media_path"):
        if name in frame:
            media |= part_of(frame[name], rows).notna().to_numpy(np.bool_)
    for name in ("has_media", "has_attachments", "attachment_count"):
        if name in frame:
            media |= truths(part_of(frame[name], rows))
    return media
