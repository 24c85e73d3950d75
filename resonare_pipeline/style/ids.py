"""Ids of messages, chats and people as they are meant, whatever pandas holds them as.

Signal counts with whole numbers, so 7, 7.0, "7" and "7.0" are one id in its frames. In frames of
this project ids are texts, and stand for themselves. Nothing here knows what ids are of.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.errors import InputError
from resonare_pipeline.style.lines import BoolArray, IntArray

MISSING = -1
FALSE = ("", "0", "0.0", "false", "nan", "none", "<na>")

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")


def plain_id(value: Any, *, counted: bool = True) -> Any:
    """Return one id as a whole number or a text; None if it is missing.

    Args:
        counted: Whether a text of a whole number is that number.

    Raises:
        InputError: If it is neither.
    """
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value) if counted else None
        return int(whole[1]) if whole else value or None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (float, np.floating)):
        if value != value:  # NaN
            return None
        if float(value).is_integer():
            return int(value)
    elif isinstance(value, (int, np.integer)):
        return int(value)
    shown = f" {value}" if isinstance(value, (float, np.floating)) else ""
    raise InputError(
        f"an id is {type(value).__name__}{shown}", expected="a whole number, or a text"
    )


def plain_ids(values: "pd.Series[Any]", *, counted: bool = True) -> list[Any]:
    """Return ids as Python values, None where one is missing.

    Raises:
        InputError: If one is neither a number nor a text; it names the column.
    """
    if values.dtype.kind in "iu" and not values.hasnans:
        return values.tolist()
    try:
        return [plain_id(value, counted=counted) for value in values.tolist()]
    except InputError as error:
        raise InputError(error.found, where=str(values.name), expected=error.expected) from None


def numbered_ids(values: "pd.Series[Any]", *, counted: bool = True) -> tuple[IntArray, list[Any]]:
    """Return a number for each id, in the order of ids, and the ids by number.

    Missing ones have the last number, and None there.
    """
    codes, found = coded_ids(values, counted=counted)
    ranked = sorted(range(len(found)), key=lambda at: sort_key(found[at]))
    places = np.empty(len(found) + 1, np.int64)
    places[ranked] = np.arange(len(found))
    places[MISSING] = len(found)
    names = [found[at] for at in ranked]
    return places[codes], [*names, None] if (codes == MISSING).any() else names


def coded_ids(values: "pd.Series[Any]", *, counted: bool = True) -> tuple[IntArray, list[Any]]:
    """Return a number for each id by its first appearance, -1 for missing ones, and the ids."""
    codes, given = _factorized(values)
    plain = plain_ids(given, counted=counted)
    if len(set(plain)) == len(plain) and None not in plain:
        return codes, plain
    known: dict[Any, int] = {}
    merged = [MISSING if one is None else known.setdefault(one, len(known)) for one in plain]
    return np.array([*merged, MISSING], np.int64)[codes], list(known)


def id_codes(values: "pd.Series[Any]", *, counted: bool = True) -> IntArray:
    """Return numbers that are equal where ids are, -1 for missing ones."""
    if values.dtype.kind not in "iu" and counted:
        return coded_ids(values)[0]
    return _factorized(values)[0]


def _factorized(values: "pd.Series[Any]") -> tuple[IntArray, "pd.Series[Any]"]:
    try:
        codes, given = pd.factorize(values, use_na_sentinel=True)
    except TypeError:  # not hashable, so no id; say which
        plain_ids(values)
        raise
    return codes.astype(np.int64, copy=False), pd.Series(given, name=values.name)


def sort_key(one: Any) -> tuple[bool, Any]:
    """Order ids: numbers first, then texts."""
    return (not isinstance(one, int), one if isinstance(one, int) else str(one))


def truths(values: "pd.Series[Any]") -> BoolArray:
    """Tell which flags are set: of Signal 1, of pandas True, of a text either; missing is not."""
    codes, given = _factorized(values)
    is_set = [str(one).strip().lower() not in FALSE for one in given.tolist()]
    return np.array([*is_set, False], np.bool_)[codes]


def whole_text(text: str) -> str:
    """Return a text in which halves of surrogate pairs are joined, or U+FFFD if they are alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
