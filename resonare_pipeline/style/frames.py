"""Data frames of messages as plain columns: those of Signal, and those of this project.

Signal's columns are those of its flat files (`_id`, `thread_id`, `from_recipient_id`, `body`,
`date_sent`), by any name that they had over the years; the project's are those of `messages`
(`message_id`, `chat_id`, `sender_id`, `is_owner`, `sent_at`, `text`). Which one a frame is, its
columns say. Rows may stand in any order and more than once. What may not live here: what is made of
messages.
"""

from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.errors import InputError, MissingColumnsError, UnknownPersonError
from resonare_pipeline.signal_columns import MESSAGE_COLUMNS, name_in
from resonare_pipeline.style.lines import BoolArray, IntArray, Messages
from resonare_pipeline.style.recipients import names_of
from resonare_pipeline.style.signal_rows import is_sent, left_out

LISTED_IDS = 20  # of the known ones, in a message
SECONDS_BELOW = 100_000_000_000  # as milliseconds it would be 1973, before there was any such app


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of a kind of frame's columns.

    Attributes:
        direction: What tells by its bits which messages you sent. Empty where `sender` does: before
            version 185 of Signal's database the one recipient of a row that was sent is whom it
            was sent to.
    """

    message: str
    chat: str
    sender: str
    text: str
    time: str
    is_signal: bool = False
    direction: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """Those that there must be."""
        needed = (self.message, self.chat, self.sender, self.text, self.time, self.direction)
        return tuple(filter(None, needed))


def _of_signal(given: Collection[str]) -> Columns:
    """Return Signal's columns by the names that a frame has; by the newest where it has none."""

    def called(what: str) -> str:
        names = MESSAGE_COLUMNS[what]
        return name_in(given, names) or names[0]

    names_authors = called("sender") == MESSAGE_COLUMNS["sender"][0]
    return Columns(
        message=called("id"),
        chat=called("thread"),
        sender=called("sender"),
        text=called("body"),
        time=called("sent"),
        is_signal=True,
        direction="" if names_authors else called("kind"),
    )


SIGNAL = _of_signal(())
PROJECT = Columns(
    message="message_id",
    chat="chat_id",
    sender="sender_id",
    text="text",
    time="sent_at",
)


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


def columns_of(frame: pd.DataFrame) -> Columns:
    """Return which columns a frame has.

    Raises:
        MissingColumnsError: If it lacks some of its kind.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"messages are {type(frame).__name__}", expected="a pandas DataFrame")
    given = set(frame.columns)
    kinds = (_of_signal(given), PROJECT)
    kind = max(kinds, key=lambda columns: len(given & set(columns.required)))
    required = (*kind.required, *(("is_owner",) if kind is PROJECT else ()))
    missing = [name for name in required if name not in given]
    if missing:
        raise MissingColumnsError(
            f"missing columns: {', '.join(missing)}",
            where="messages_df",
            expected=f"{', '.join(SIGNAL.required)} (or the names that they had before), or "
            f"{', '.join(PROJECT.required)}, is_owner",
            remedy="Read the export's messages (signal.csv or message.csv), or load('messages')",
        )
    return kind


def read_frame(frame: pd.DataFrame, recipients: pd.DataFrame | None, reading: Reading) -> Messages:
    """Return a frame's messages by chat and time, each once.

    Raises:
        MissingColumnsError: If columns are missing.
        UnknownPersonError: If nobody in it has your recipient id.
    """
    columns = columns_of(frame)
    frame = frame.reset_index(drop=True)
    if columns.is_signal:
        frame = left_out(frame, reading.dropped, include_system=reading.include_system)
    frame = _without(frame, frame[columns.chat].isna(), "no_chat", reading)
    frame = _without(frame, _repeated(frame, columns), "duplicate", reading)
    at, known = microseconds(frame[columns.time])
    frame, at = _without(frame, pd.Series(~known, frame.index), "no_time", reading), at[known]
    chats, chat_ids = _numbers(frame[columns.chat])
    ids = plain(frame[columns.message])
    order = _order(chats, at, frame[columns.message], in_order=reading.in_order)
    senders, sender_ids = _numbers(authors(frame, columns, reading.your_recipient_id))
    owner = _owner(frame, columns, reading, recipients, senders, sender_ids)
    texts = frame[columns.text]
    filled = np.where(texts.notna(), texts.astype(object), "")
    return Messages(
        chats=chats[order],
        senders=senders[order],
        is_owner=owner[order],
        at=at[order],
        media=_media(frame)[order],
        texts=[str(text) for text in filled[order].tolist()],
        ids=[ids[row] for row in order.tolist()],
        chat_ids=chat_ids,
        sender_ids=sender_ids,
        names=names_of(sender_ids, senders, frame, recipients),
    )


def authors(frame: pd.DataFrame, columns: Columns, yours: object) -> "pd.Series[Any]":
    """Return who wrote each message, by recipient id.

    Args:
        frame: The messages.
        columns: Its columns.
        yours: Your recipient id, for rows that tell that they were sent, and not by whom.
    """
    said = frame[columns.sender]
    if not columns.direction:
        return said
    number = int(str(yours)) if str(yours).isdecimal() else yours
    return said.where(~is_sent(frame[columns.direction]), number)


def _without(
    frame: pd.DataFrame, mask: "pd.Series[bool]", reason: str, reading: Reading
) -> pd.DataFrame:
    count = int(mask.sum())
    if not count:
        return frame
    reading.dropped[reason] += count
    return frame[~mask]


def _repeated(frame: pd.DataFrame, columns: Columns) -> "pd.Series[bool]":
    keys = [columns.chat, columns.message]
    return frame.duplicated(keys) & frame[columns.message].notna()


def plain(values: "pd.Series[Any]") -> list[Any]:
    """Return ids as Python values; whole numbers that pandas holds as floats are numbers again."""
    if values.dtype.kind in "iu":
        return values.tolist()
    if values.dtype.kind == "f":
        return [None if v != v else int(v) if v.is_integer() else v for v in values.tolist()]  # NaN
    return [None if pd.isna(value) else value for value in values.tolist()]


def _numbers(values: "pd.Series[Any]") -> tuple[IntArray, list[Any]]:
    """Number ids in their own order; None comes last."""
    codes, found = pd.factorize(values, use_na_sentinel=True)
    ids: list[Any] = plain(pd.Series(found))
    ranked = sorted(range(len(ids)), key=lambda at: _sort_key(ids[at]))
    places = np.empty(len(ids) + 1, np.int64)
    places[ranked] = np.arange(len(ids))
    places[-1] = len(ids)  # of what has none: code -1
    names = [ids[at] for at in ranked]
    return places[codes], [*names, None] if (codes < 0).any() else names


def _sort_key(value: Hashable) -> tuple[bool, Any]:
    return (
        not isinstance(value, (int, float)),
        value if isinstance(value, (int, float)) else str(value),
    )


def _order(chats: IntArray, at: IntArray, ids: "pd.Series[Any]", *, in_order: bool) -> IntArray:
    if not in_order:
        return np.argsort(chats, kind="stable")
    ranks = ids.to_numpy() if ids.dtype.kind in "iuf" else _numbers(ids)[0]
    order: IntArray = np.lexsort((ranks, at, chats))
    return order


def microseconds(values: "pd.Series[Any]") -> tuple[IntArray, BoolArray]:
    """Return times in microseconds since 1970, and which of them are known.

    Numbers are milliseconds, as Signal writes them, or seconds if all are too small for that.
    Times without a zone are UTC.
    """
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    numbers = None
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce")
    if numbers is not None and numbers.notna().any():
        known = numbers.notna().to_numpy()
        scale = 1_000_000 if numbers.abs().max() < SECONDS_BELOW else 1_000
        return np.round(numbers.fillna(0).to_numpy(np.float64) * scale).astype(np.int64), known
    times = pd.to_datetime(values, utc=True, errors="coerce")
    known = times.notna().to_numpy()
    at = times.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    return np.where(known, at, 0), known


def _owner(
    frame: pd.DataFrame,
    columns: Columns,
    reading: Reading,
    recipients: pd.DataFrame | None,
    senders: IntArray,
    sender_ids: list[Any],
) -> BoolArray:
    """Tell which messages are yours."""
    yours = reading.your_recipient_id
    if columns is PROJECT and not isinstance(yours, str):
        flags: BoolArray = frame["is_owner"].fillna(value=False).to_numpy(np.bool_)
        return flags
    matching = [str(one) == str(yours) for one in sender_ids]
    if not any(matching) and len(frame) and not columns.direction:
        _refuse_unknown(frame, yours, recipients, sender_ids)
    return np.array([*matching, False], np.bool_)[senders]


def _refuse_unknown(
    frame: pd.DataFrame, yours: object, recipients: pd.DataFrame | None, senders: list[Any]
) -> None:
    """Refuse an id that neither wrote nor got a message and is no recipient either."""
    known = {one for one in senders if one is not None}
    if "to_recipient_id" in frame:
        known.update(
            one for one in plain(frame["to_recipient_id"].drop_duplicates()) if one is not None
        )
    others = set() if recipients is None else set(plain(recipients["_id"]))
    if str(yours) in {str(one) for one in known | others}:
        return
    listed = sorted(known, key=_sort_key)
    more = f" and {len(listed) - LISTED_IDS} more" if listed[LISTED_IDS:] else ""
    raise UnknownPersonError(
        f"nobody has the recipient id {yours}",
        where="your_recipient_id",
        expected=f"one of {', '.join(map(str, listed[:LISTED_IDS]))}{more}",
        remedy="Yours is the one that wrote the messages that were sent",
    )


def _media(frame: pd.DataFrame) -> BoolArray:
    """Tell which messages have something attached, by the columns that say so."""
    media = np.zeros(len(frame), np.bool_)
    for name in ("media_kind", "media_path"):
        if name in frame:
            media |= frame[name].notna().to_numpy()
    for name in ("has_media", "has_attachments", "attachment_count"):
        if name in frame:
            media |= (pd.to_numeric(frame[name], errors="coerce").fillna(0) > 0).to_numpy()
    return media
