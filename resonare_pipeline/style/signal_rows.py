"""Which rows of Signal's table of messages are messages that people wrote and sent.

Source of the type bits: Signal's MessageTypes; docs/style.md lists the rules.
"""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.signal_columns import MESSAGE_COLUMNS, name_in
from resonare_pipeline.style.lines import BoolArray

BASE_TYPE = 0x1F
WRITTEN = (20, 21, 22, 23)  # received; in the outbox, being sent, sent
UNSENT = (24, 25, 26, 27)  # failed, waiting for a decision, a draft
OUTGOING = range(21, 27)  # from the outbox to what waits for a decision
STATUS_BITS = 0x10000 | 0x20000 | 0x40000 | 0x400000 | 0xDF00  # groups, timers, sessions, keys
SPECIAL_SHIFT = 32  # stories, gifts, payments, polls, pins

_UNSET = 0  # of flags and ids


def left_out(frame: pd.DataFrame, dropped: Counter[str], *, include_system: bool) -> pd.DataFrame:
    """Return the rows that count, and count the others by reason.

    Args:
        include_system: Keep calls, group updates and the like.
    """
    reasons: dict[str, BoolArray] = {
        "deleted": _over(frame, "deleted", _UNSET) | _over(frame, "deleted_by", _UNSET),
        "old_revision": _over(frame, "newest", _UNSET),
        "view_once": _over(frame, "view_once", _UNSET),
        "story": _over(frame, "story", _UNSET),
        "scheduled": _over(frame, "scheduled", _UNSET),
        **_by_type(frame, include_system=include_system),
    }
    leave = np.zeros(len(frame), np.bool_)
    for reason, mask in reasons.items():
        if count := int((mask & ~leave).sum()):
            dropped[reason] += count
        leave |= mask
    return frame[~leave] if leave.any() else frame


def is_sent(types: "pd.Series[Any]") -> BoolArray:
    """Tell by their types which rows are on their way out, or were."""
    values = pd.to_numeric(types, errors="coerce").fillna(0).to_numpy().astype(np.int64)
    return np.isin(values & BASE_TYPE, OUTGOING)


def _numeric(frame: pd.DataFrame, what: str) -> "pd.Series[Any] | None":
    name = name_in(frame.columns, MESSAGE_COLUMNS[what])
    return None if name is None else pd.to_numeric(frame[name], errors="coerce")


def _over(frame: pd.DataFrame, what: str, bound: int) -> BoolArray:
    values = _numeric(frame, what)
    if values is None:
        return np.zeros(len(frame), np.bool_)
    over: BoolArray = (values.fillna(bound) > bound).to_numpy()
    return over


def _by_type(frame: pd.DataFrame, *, include_system: bool) -> dict[str, BoolArray]:
    """Tell by `type` what was not sent and what nobody wrote; without a type it is a message."""
    values = _numeric(frame, "kind")
    if values is None:
        return {}
    known = values.notna().to_numpy()
    types = values.fillna(0).to_numpy().astype(np.int64)
    base = types & BASE_TYPE
    status = ((types & STATUS_BITS) != 0) | ((types >> SPECIAL_SHIFT) != 0)
    system = known & ~np.isin(base, UNSENT) & (~np.isin(base, WRITTEN) | status)
    masks: dict[str, BoolArray] = {"not_sent": known & np.isin(base, UNSENT)}
    return masks if include_system else masks | {"system": system}
