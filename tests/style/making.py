"""Small frames of messages, as Signal's flat files and as this project's table."""

import datetime as dt
from typing import Any

import pandas as pd

YOU = 2
ALICE = 7
BOB = 8
START = dt.datetime(2023, 6, 2, 18, 0, tzinfo=dt.UTC)  # a Friday
SENT = 0xA00017
RECEIVED = 0xA00014

Rows = list[dict[str, Any]]
Line = tuple[float, int, str | None]
"""Seconds after the message before, who wrote it, and what."""


def signal(
    *lines: Line, thread: int = 1, first_id: int = 1, at: dt.datetime = START
) -> pd.DataFrame:
    """Return one thread as rows of Signal's table."""
    rows: list[dict[str, Any]] = []
    for number, (after, sender, text) in enumerate(lines):
        at += dt.timedelta(seconds=after)
        rows.append(
            {
                "_id": first_id + number,
                "date_sent": round(at.timestamp() * 1000),
                "thread_id": thread,
                "from_recipient_id": sender,
                "to_recipient_id": YOU if sender != YOU else 40 + thread,
                "type": SENT if sender == YOU else RECEIVED,
                "body": text,
            }
        )
    columns = [
        "_id",
        "date_sent",
        "thread_id",
        "from_recipient_id",
        "to_recipient_id",
        "type",
        "body",
    ]
    return pd.DataFrame(rows, columns=columns)


def rows_of(frame: pd.DataFrame) -> Rows:
    """Return the rows of a frame."""
    rows: Any = frame.to_dict("records")
    return list(rows)


def project(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same messages as this project's table has them."""
    return pd.DataFrame(
        {
            "message_id": [
                f"signal:{t}:{i}" for t, i in zip(frame.thread_id, frame._id, strict=True)
            ],
            "chat_id": [f"signal:{thread}" for thread in frame.thread_id],
            "sender_id": [f"signal:{sender}" for sender in frame.from_recipient_id],
            "sender_name": frame.from_recipient_id.map({YOU: "Me", ALICE: "Alice", BOB: "Bob"}),
            "is_owner": frame.from_recipient_id == YOU,
            "sent_at": pd.to_datetime(frame.date_sent, unit="ms", utc=True),
            "text": frame.body.fillna(""),
        }
    )


def recipients(*, blocked: int | None = None) -> pd.DataFrame:
    """Return Signal's table of recipients; a name stands where Signal looks for it."""
    return pd.DataFrame(
        {
            "_id": [YOU, ALICE, BOB],
            "profile_joined_name": ["Me", "Alice A.", "Bob"],
            "nickname_joined_name": [None, "Alice", None],
            "e164": [None, "+12025550123", None],
            "blocked": [int(one == blocked) for one in (YOU, ALICE, BOB)],
        }
    )


def months(conversations: int = 60, *, long_partner: bool = True) -> pd.DataFrame:
    """Return two chats of many conversations: Alice writes at length, Bob hardly anything."""
    frames = []
    for number in range(conversations):
        at = START + dt.timedelta(days=number % 30, hours=number % 5, minutes=number)
        long = (
            "I have been thinking about our discussion of yesterday, and there is much to say. " * 2
        )
        said = long if long_partner else "Did you see it?"
        frames.append(
            signal(
                (0, ALICE, f"{said}Number {number}?"),
                (40, YOU, f"That is a really interesting way to look at number {number} for me"),
                (10, YOU, "I would like to think about it a little longer 😂"),
                (90, ALICE, "Take your time, we can talk tomorrow at 18:30"),
                (30, YOU, "yes, tomorrow it is"),
                first_id=1_000 + number * 10,
                at=at,
            )
        )
        frames.append(
            signal(
                (0, BOB, "hi"),
                (20, YOU, f"hey there, number {number}"),
                (5, YOU, "what is up?"),
                (30, BOB, "nothing"),
                (700, YOU, "ok then 👍🏽"),
                thread=2,
                first_id=50_000 + number * 10,
                at=at + dt.timedelta(hours=7),
            )
        )
    return pd.concat(frames, ignore_index=True)
