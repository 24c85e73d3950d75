"""What an answer changes in a record, apart from the record: so that the rest is never rewritten.

JSON has no bytes, times, decimals or NaN. A row of Parquet that went through it whole would lose
them; only what differs between two texts of a record is taken from JSON.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from resonare_pipeline.records.arrow_types import is_any_list, require_fit
from resonare_pipeline.records.reasons import DropReason, UnusableRecordError
from resonare_pipeline.records.spans import Path


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One change of plain data.

    Attributes:
        path: Keys and indices of what is replaced.
        value: What stands there then; if `stop` is set, a list of elements.
        stop: The elements from the index that ends the path up to this one are replaced.
    """

    path: tuple[str | int, ...]
    value: Any
    stop: int | None = None


def changes(before: Any, after: Any, path: Path = ()) -> Iterator[Change]:
    """Yield what makes one value of another, the smallest parts that differ."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() <= after.keys():
        for key, value in after.items():
            yield from changes(before.get(key), value, (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, path)
    else:
        yield Change(tuple(path), after)


def _list_changes(before: list[Any], after: list[Any], path: Path) -> Iterator[Change]:
    if len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, (*path, index))
        return
    first = _common(before, after)
    behind = _common(before[first:][::-1], after[first:][::-1])
    new = after[first : len(after) - behind]
    yield Change((*path, first), new, len(before) - behind)


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return how many elements are equal from the beginning on."""
    shorter = min(len(one), len(other))
    return next((n for n in range(shorter) if one[n] != other[n]), shorter)


def patched(value: Any, change: Change) -> Any:
    """Return a value with a change made in it; the value itself may change."""
    if not change.path:
        return change.value
    *outer, last = change.path
    inner = value
    for step in outer:
        inner = inner[step]
    if change.stop is None:
        inner[last] = change.value
    else:
        inner[last : change.stop] = change.value
    return value


def require_place(name: str, change: Change, kind: pa.DataType) -> None:
    """Make sure that a column of a type can take a change of one of its values.

    Raises:
        UnusableRecordError: If it cannot.
    """
    if _has_extension(kind):
        raise UnusableRecordError(DropReason.DOES_NOT_FIT, f"column {name} holds an extension type")
    for step in change.path[:-1]:
        kind = _inner(name, kind, step)
    if change.stop is not None and pa.types.is_fixed_size_list(kind):
        raise UnusableRecordError(DropReason.DOES_NOT_FIT, f"lists of {name} have a fixed length")
    if change.path:
        kind = _inner(name, kind, change.path[-1])
    for value in [change.value] if change.stop is None else change.value:
        require_fit(name, value, kind)


def _inner(name: str, kind: pa.DataType, step: str | int) -> pa.DataType:
    if isinstance(step, int) and is_any_list(kind):
        return kind.value_type
    if isinstance(step, str) and pa.types.is_struct(kind) and kind.get_field_index(step) >= 0:
        return kind.field(step).type
    raise UnusableRecordError(DropReason.DOES_NOT_FIT, f"column {name} cannot hold the answer")


def _has_extension(kind: pa.DataType) -> bool:
    inner = (kind.field(index).type for index in range(kind.num_fields))
    return isinstance(kind, pa.BaseExtensionType) or any(map(_has_extension, inner))
