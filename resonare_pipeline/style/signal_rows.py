"""Which rows of Signal's table of messages are messages that people wrote and sent.

Source of the type bits: Signal's MessageTypes; docs/style.md lists the rules.
"""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.signal_columns import MESSAGE_COLUMNS, name_in
from resonare_pipeline.style.ids import truths
from resonare_pipeline.style.lines import BoolArray, FloatArray, IntArray

BASE_TYPE = 0x1F
WRITTEN = (20, 21, 22, 23)  # received; in the outbox, being sent, sent
UNSENT = (24, 25, 26, 27)  # failed, waiting for a decision, a draft
OUTGOING = range(21, 27)  # from the outbox to what waits for a decision
STATUS_BITS = 0x10000 | 0x20000 | 0x40000 | 0x400000 | 0xDF00  # groups, timers, sessions, keys
SPECIAL_SHIFT = 32  # stories, gifts, payments, polls, pins


def counting_rows(frame: pd.DataFrame, dropped: Counter[str], *, include_system: bool) -> IntArray:
    """Return where the rows stand that count, and count the others by reason.

    Args:
        include_system: Keep calls, group updates and the like.
    """
    reasons: dict[str, BoolArray] = {
        "deleted": _flagged(frame, "deleted") | _over(frame, "deleted_by"),
        "old_revision": _over(frame, "newest"),
        "view_once": _flagged(frame, "view_once"),
        "story": _over(frame, "story"),
        "scheduled": _over(frame, "scheduled"),
        **_by_type(frame, include_system=include_system),
    }
    leave = np.zeros(len(frame), np.bool_)
    for reason, mask in reasons.items():
        if count := int((mask & ~leave).sum()):
            dropped[reason] += count
        leave |= mask
    return np.flatnonzero(~leave)


def is_sent(types: "pd.Series[Any]") -> BoolArray:
    """Tell by their types which rows are on their way out, or were."""
    sent: BoolArray = np.isin(_types(types)[0] & BASE_TYPE, OUTGOING)
    return sent


def numbers_of(values: "pd.Series[Any]") -> FloatArray:
    """Return a column as numbers, NaN where there is none."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _column(frame: pd.DataFrame, what: str) -> "pd.Series[Any] | None":
    """Return a column by any name that it had; None if there is none."""
    name = name_in(frame.columns, MESSAGE_COLUMNS[what])
    return None if name is None else frame[name]


def _over(frame: pd.DataFrame, what: str) -> BoolArray:
    """Tell where a column holds more than 0."""
    values = _column(frame, what)
    return np.zeros(len(frame), np.bool_) if values is None else numbers_of(values) > 0


def _flagged(frame: pd.DataFrame, what: str) -> BoolArray:
    values = _column(frame, what)
    return np.zeros(len(frame), np.bool_) if values is None else truths(values)


def _types(values: "pd.Series[Any]") -> tuple[IntArray, BoolArray]:
    """Return types, 0 where there is none, and which are known."""
    numbers = numbers_of(values)
    known = ~np.isnan(numbers)
    return np.where(known, numbers, 0).astype(np.int64), known


def _by_type(frame: pd.DataFrame, *, include_system: bool) -> dict[str, BoolArray]:
    """Tell by `type` what was not sent and what nobody wrote; without a type it is a message."""
    values = _column(frame, "kind")
    if values is None:
        return {}
    types, known = _types(values)
    base = types & BASE_TYPE
    status = ((types & STATUS_BITS) != 0) | ((types >> SPECIAL_SHIFT) != 0)
    system = known & ~np.isin(base, UNSENT) & (~np.isin(base, WRITTEN) | status)
    masks: dict[str, BoolArray] = {"not_sent": known & np.isin(base, UNSENT)}
    return masks if include_system else masks | {"system": system}
