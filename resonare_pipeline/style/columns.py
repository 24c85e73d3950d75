"""The names of columns in frames of messages: those of Signal, and those of this project.

Signal's columns are those of its flat files (`_id`, `thread_id`, `from_recipient_id`, `body`,
`date_sent`), by any name that they had over the years; the project's are those of `messages`
(`message_id`, `chat_id`, `sender_id`, `is_owner`, `sent_at`, `text`). Which one a frame is, its
columns say. What may not live here: what the columns hold.
"""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from resonare_pipeline.errors import InputError, MissingColumnsError
from resonare_pipeline.signal_columns import MESSAGE_COLUMNS, name_in
from resonare_pipeline.style.recipients import require_sole_columns


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


def columns_of(frame: pd.DataFrame) -> Columns:
    """Return which columns a frame has.

    Raises:
        InputError: If it is no table, or has a column twice.
        MissingColumnsError: If it lacks some of its kind.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"messages are {type(frame).__name__}", expected="a pandas DataFrame")
    require_sole_columns(frame, "messages_df")
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
