"""Names of the people in messages. Phone numbers are never one."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.errors import InputError, MissingColumnsError
from resonare_pipeline.signal_columns import RECIPIENT_COLUMNS
from resonare_pipeline.style.ids import MISSING, coded_ids, plain_id, plain_ids, truths, whole_text
from resonare_pipeline.style.lines import IntArray

NAME_COLUMNS = (  # in Signal's own order of precedence, up to what is no name any more
    *RECIPIENT_COLUMNS["nickname"],
    *RECIPIENT_COLUMNS["system"],
    *RECIPIENT_COLUMNS["profile"],
    *RECIPIENT_COLUMNS["given"],
    "name",
    *RECIPIENT_COLUMNS["username"],
)

_SIGNAL_PERSON = re.compile(r"signal:(?:user)?([0-9]+)")  # in frames of this project


def key_of(one: object) -> str:
    """Return what people are compared by: a recipient's number as text, however it is held."""
    found = _SIGNAL_PERSON.fullmatch(one) if isinstance(one, str) else None
    return found[1] if found else str(plain_id(one))


def names_of(
    sender_ids: Sequence[Any],
    senders: IntArray,
    messages: pd.DataFrame,
    rows: IntArray,
    recipients: pd.DataFrame | None,
) -> list[str]:
    """Return a name for each sender: the recipient's, else the last beside a message, else the id.

    Args:
        senders: Number of each message's sender.
        rows: Where the messages stand in the frame.
    """
    known = recipient_names(recipients)
    beside: dict[int, str] = {}
    if "sender_name" in messages:
        codes, names = coded_ids(messages["sender_name"].iloc[rows], counted=False)
        given = [whole_text(str(name)).strip() for name in names]
        named = np.array([*map(bool, given), False], np.bool_)[codes]
        last = np.full(len(sender_ids), MISSING)
        last[senders[named]] = codes[named]  # of equal places the last one counts
        beside = {at: given[code] for at, code in enumerate(last.tolist()) if code != MISSING}
    return [
        (one is not None and known.get(key_of(one))) or beside.get(number) or _unnamed(one)
        for number, one in enumerate(sender_ids)
    ]


def _unnamed(sender_id: object) -> str:
    if sender_id is None:
        return "Unknown"
    return f"Recipient {sender_id}" if isinstance(sender_id, (int, float)) else str(sender_id)


def recipient_names(recipients: pd.DataFrame | None) -> dict[str, str]:
    """Return id → name, for recipients that have one.

    Raises:
        MissingColumnsError: If the table has no ids.
    """
    if recipients is None:
        return {}
    require_recipients(recipients)
    names: list[str] = [""] * len(recipients)
    for column in NAME_COLUMNS:
        if column in recipients:
            given = recipients[column].astype(object).tolist()
            names = [
                name or ("" if pd.isna(other) else whole_text(str(other)).strip())
                for name, other in zip(names, given, strict=True)
            ]
    pairs = zip(recipient_keys(recipients), names, strict=True)
    return {key: name for key, name in pairs if key and name}


def recipient_keys(recipients: pd.DataFrame) -> list[str]:
    """Return the ids of recipients as they are compared; empty where one is missing."""
    return ["" if one is None else key_of(one) for one in plain_ids(recipients["_id"])]


def require_recipients(recipients: pd.DataFrame, *columns: str) -> None:
    """Refuse a table of recipients that has no ids, or lacks other columns.

    Raises:
        MissingColumnsError: With the columns that are missing.
        InputError: If it is no table, or has a column twice.
    """
    if not isinstance(recipients, pd.DataFrame):
        raise InputError(
            f"recipients are {type(recipients).__name__}", expected="a pandas DataFrame, or None"
        )
    require_sole_columns(recipients, "recipients_df")
    missing = [name for name in ("_id", *columns) if name not in recipients]
    if missing:
        raise MissingColumnsError(
            f"missing columns: {', '.join(missing)}",
            where="recipients_df",
            expected=f"{', '.join(('_id', *columns))}, and columns of names",
        )


def require_sole_columns(frame: pd.DataFrame, where: str) -> None:
    """Refuse a frame that has a column twice: nobody could say which of them counts.

    Raises:
        InputError: With the columns.
    """
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(
            f"columns that stand there twice: {', '.join(sorted({str(name) for name in twice}))}",
            where=where,
            expected="each column once",
        )


def blocked_keys(recipients: pd.DataFrame | None) -> set[str]:
    """Return the ids of blocked recipients, as they are compared.

    Raises:
        MissingColumnsError: If nothing tells who is blocked.
    """
    if recipients is None:
        raise MissingColumnsError(
            "there are no recipients, so nothing tells who is blocked",
            where="filters: exclude_blocked",
            expected="recipients_df (recipient.csv) with the columns _id, blocked",
        )
    require_recipients(recipients, "blocked")
    blocked = truths(recipients["blocked"])
    return {
        key for key, is_set in zip(recipient_keys(recipients), blocked, strict=True) if is_set
    } - {""}
