"""Names of the people in messages. Phone numbers are never one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.errors import InputError, MissingColumnsError
from resonare_pipeline.signal_columns import RECIPIENT_COLUMNS
from resonare_pipeline.style.lines import IntArray

NAME_COLUMNS = (  # in Signal's own order of precedence, up to what is no name any more
    *RECIPIENT_COLUMNS["nickname"],
    *RECIPIENT_COLUMNS["system"],
    *RECIPIENT_COLUMNS["profile"],
    *RECIPIENT_COLUMNS["given"],
    "name",
    *RECIPIENT_COLUMNS["username"],
)

NOT_BLOCKED = ("", "0", "0.0", "false")


def names_of(
    sender_ids: Sequence[Any],
    senders: IntArray,
    messages: pd.DataFrame,
    recipients: pd.DataFrame | None,
) -> list[str]:
    """Return a name for each sender: the recipient's, else that beside a message, else the id."""
    known = recipient_names(recipients)
    beside: dict[int, str] = {}
    if "sender_name" in messages:
        rows = np.flatnonzero(messages["sender_name"].notna().to_numpy())
        numbers, first = np.unique(senders[rows], return_index=True)
        given = messages["sender_name"].iloc[rows[first]].astype(str).str.strip().tolist()
        beside = {
            number: name for number, name in zip(numbers.tolist(), given, strict=True) if name
        }
    return [
        known.get(str(one)) or beside.get(number) or _unnamed(one)
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
    names = pd.Series(None, index=recipients.index, dtype=object)
    for column in NAME_COLUMNS:
        if column in recipients:
            given = recipients[column].where(recipients[column].notna(), "").astype(str).str.strip()
            names = names.where(names.notna(), given.where(given != "", None))
    keys = recipient_keys(recipients)
    return {
        key: name for key, name in zip(keys, names.tolist(), strict=True) if isinstance(name, str)
    }


def recipient_keys(recipients: pd.DataFrame) -> list[str]:
    """Return the ids of recipients as text; 7.0 is 7."""
    ids = recipients["_id"]
    if ids.dtype.kind == "f":
        ids = ids.astype("Int64")
    return [str(one) for one in ids.tolist()]


def require_recipients(recipients: pd.DataFrame) -> None:
    """Refuse a table of recipients that has no ids."""
    if not isinstance(recipients, pd.DataFrame):
        raise InputError(
            f"recipients are {type(recipients).__name__}", expected="a pandas DataFrame, or None"
        )
    if "_id" not in recipients:
        raise MissingColumnsError(
            "missing columns: _id", where="recipients_df", expected="_id, and columns of names"
        )


def blocked_keys(recipients: pd.DataFrame | None) -> set[str]:
    """Return the ids of blocked recipients, as text."""
    if recipients is None:
        return set()
    require_recipients(recipients)
    if "blocked" not in recipients:
        return set()
    flags = recipients["blocked"].astype(object).where(recipients["blocked"].notna(), "")
    blocked = ~flags.astype(str).str.lower().isin(NOT_BLOCKED)
    return set(recipient_keys(recipients[blocked]))
