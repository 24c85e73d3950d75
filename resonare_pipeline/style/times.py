"""Times of messages, in whatever form a frame has them, as microseconds since 1970 in UTC."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resonare_pipeline.errors import InputError
from resonare_pipeline.runs import MICROSECONDS
from resonare_pipeline.style.lines import BoolArray, IntArray

SECONDS_BELOW = 100_000_000_000  # as milliseconds it would be 1973, before there was any such app
MILLISECOND = 1_000
LATEST = 9_214_646_400_000_000  # 2262-01-01: what pandas can hold in any of its units
EXPECTED = (
    "milliseconds since 1970 as Signal writes them, seconds, or dates in ISO 8601, each from 1970 "
    "to 2261"
)


def microseconds(
    values: "pd.Series[Any]", rows: IntArray | None = None
) -> tuple[IntArray, BoolArray]:
    """Return times in microseconds since 1970, and which of them are known.

    Numbers are milliseconds, or seconds if all are too small for that. Times without a zone are
    UTC.

    Args:
        rows: Where the values stand in the caller's frame; None: in this order.

    Raises:
        InputError: If one is no time that a message can have; it names the row.
    """
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    at, missing = _read(values)
    with np.errstate(invalid="ignore"):
        fits = (at >= 0) & (at < LATEST)
    wrong = np.flatnonzero(~fits & ~missing)
    if len(wrong):
        _refuse(values, int(wrong[0]), rows)
    return np.where(fits, at, 0).round().astype(np.int64), fits


def _read(values: "pd.Series[Any]") -> tuple[npt.NDArray[np.float64], BoolArray]:
    """Return microseconds, NaN for what is no time, and which values are missing."""
    missing = values.isna().to_numpy(np.bool_)
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if not pd.api.types.is_numeric_dtype(values):
            missing = missing | _blank(values)
        if not np.isnan(numbers).all():
            usual = numbers[np.isfinite(numbers)]
            is_seconds = bool((np.abs(usual) < SECONDS_BELOW).all())
            return numbers * (MICROSECONDS if is_seconds else MILLISECOND), missing
    return _read_dates(values), missing


def _blank(values: "pd.Series[Any]") -> BoolArray:
    return np.fromiter(
        (isinstance(one, str) and not one.strip() for one in values), np.bool_, len(values)
    )


def _read_dates(values: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    dates = pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
    at = dates.dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(at), np.nan, at.astype(np.int64).astype(np.float64))


def _refuse(values: "pd.Series[Any]", place: int, rows: IntArray | None) -> None:
    """Refuse a value; a text that is no number is not shown, since it may be a message."""
    value = values.iloc[place]
    shown = repr(value) if isinstance(value, str) else str(value)
    is_text = isinstance(value, str) and pd.isna(pd.to_numeric(value, errors="coerce"))
    row = place if rows is None else int(rows[place])
    raise InputError(
        f"{values.name} is {'a text that is no time' if is_text else shown}",
        where=f"messages_df, row {row} (the first is 0)",
        expected=EXPECTED,
        remedy="Take such rows out, or give them no time: then they are left out and counted",
    )
