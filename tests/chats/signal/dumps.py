"""Dumps of invented chats, written as signalbackup-tools writes tables, in several versions."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
START = int(dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
INCOMING, SENT = 0xA00014, 0xA00017
ME, BEA, CYD, GROUP = 2, 3, 4, 5


def field_of(value: object) -> str:
    """One field, quoted as `exportcsv.cc` does: a carriage return alone is not."""
    text = "" if value is None else str(value)
    blank = bool(text) and not text.strip()
    if blank or any(sign in text for sign in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_of(rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None) -> bytes:
    """A table; its columns are those of the first row if they are not given."""
    columns = list(columns or rows[0])
    lines = [",".join(columns)]
    lines += [",".join(field_of(row.get(column)) for column in columns) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def row(number: int, text: str | None = "hi", *, sender: int = BEA, **more: object) -> Row:
    """A row of `message` as of 2025: thread 1, with Bea, `number` minutes after the start of 2024.

    What Bea or another wrote came in; what the owner wrote went to Bea.
    """
    mine = sender == ME
    return {
        "_id": number,
        "date_sent": START + number * 60_000,
        "date_received": START + number * 60_000 + 500,
        "date_server": -1,
        "thread_id": 1,
        "from_recipient_id": sender,
        "to_recipient_id": BEA if mine else ME,
        "type": SENT if mine else INCOMING,
        "body": text,
        "quote_id": 0,
        "quote_author": 0,
        "shared_contacts": None,
        "view_once": 0,
        "remote_deleted": 0,
        "story_type": 0,
        "parent_story_id": 0,
        "scheduled_date": -1,
        "latest_revision_id": None,
        "original_message_id": None,
        "revision_number": 0,
        "message_ranges": None,
        "message_extras": None,
    } | more


def recipient(number: int, **names: object) -> Row:
    return {
        "_id": number,
        "type": 0,
        "e164": f"+1202555010{number}",
        "aci": f"00000000-0000-4000-8000-00000000000{number}",
        "username": None,
        "group_id": None,
        "blocked": 0,
        "profile_key": "c2VjcmV0",
        "profile_given_name": None,
        "profile_joined_name": None,
        "system_joined_name": None,
        "nickname_joined_name": None,
        "note": "a private note",
    } | names


PEOPLE = [
    recipient(ME, profile_joined_name="Ann Tan"),
    recipient(BEA, profile_joined_name="Bea"),
    recipient(CYD, profile_joined_name="Cyd"),
    recipient(GROUP, group_id="__signal_group__v2__!01"),
]
THREADS: list[Row] = [{"_id": 1, "recipient_id": BEA}, {"_id": 2, "recipient_id": GROUP}]
GROUPS: list[Row] = [
    {"_id": 1, "group_id": "__signal_group__v2__!01", "recipient_id": GROUP, "title": "Hikers"}
]


@dataclass(frozen=True, kw_only=True)
class Version:
    """How one version of Signal's database names things: new name → old name; None drops it."""

    renames: Mapping[str, str | None] = field(default_factory=dict)
    recipients: Mapping[str, str | None] = field(default_factory=dict)
    thread: str = "recipient_id"
    names_authors: bool = True
    table: str = "message"


V200 = {"profile_given_name": "signal_profile_name", "system_joined_name": "system_display_name"}
NO_REVISIONS = dict.fromkeys(("latest_revision_id", "original_message_id", "revision_number"))
VERSIONS = {
    "pinned_order": Version(renames={"remote_deleted": "deleted_by"}),
    "current": Version(),
    "185": Version(recipients={**V200, "aci": "uuid", "e164": "phone"}),
    "166-184": Version(
        renames={
            "from_recipient_id": "recipient_id",
            "to_recipient_id": None,
            **NO_REVISIONS,
            "scheduled_date": None,
        },
        recipients=V200,
        names_authors=False,
    ),
    "before 166": Version(
        renames={
            "from_recipient_id": "address",
            "to_recipient_id": None,
            "type": "msg_box",
            "date_sent": "date",
            **NO_REVISIONS,
            "scheduled_date": None,
            "story_type": None,
            "parent_story_id": None,
            "view_once": "reveal_duration",
            "message_extras": None,
            "message_ranges": "ranges",
        },
        recipients={**V200, "nickname_joined_name": None, "username": None},
        thread="thread_recipient_id",
        names_authors=False,
        table="mms",
    ),
}


def renamed(rows: Sequence[Row], names: Mapping[str, str | None]) -> list[Row]:
    return [
        {names.get(key, key) or key: value for key, value in row.items() if names.get(key, key)}
        for row in rows
    ]


def old_authors(rows: Sequence[Row]) -> list[Row]:
    """Rows before version 185: the one recipient of what the owner sent is whom it went to."""
    return [
        row | {"from_recipient_id": row["to_recipient_id"]} if row["type"] & 0x1F > 20 else row
        for row in rows
    ]


def dump(
    rows: Sequence[Row], version: Version = VERSIONS["current"], **tables: Sequence[Row]
) -> dict[str, bytes]:
    """The files of a dump by name; tables that are given replace those that there always are."""
    written = rows if version.names_authors else old_authors(rows)
    people = tables.pop("recipient", PEOPLE)
    threads = renamed(tables.pop("thread", THREADS), {"recipient_id": version.thread})
    files = {
        f"{version.table}.csv": csv_of(renamed(written, version.renames)),
        "recipient.csv": csv_of(renamed(people, version.recipients)),
        "thread.csv": csv_of(threads),
        "groups.csv": csv_of(tables.pop("groups", GROUPS)),
    }
    return files | {f"{name}.csv": csv_of(found) for name, found in tables.items() if found}
