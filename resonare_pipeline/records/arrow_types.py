"""Arrow types that hold JSON values: found for new columns, widened for old ones."""

from typing import Any

import msgspec
import pyarrow as pa

from resonare_pipeline.records.reasons import DropReason, UnusableRecordError

LARGEST_INTEGER = 1 << 63


def widen(kind: pa.DataType | None, value: Any) -> pa.DataType:
    """Return a type that holds what another holds, and a value; text where nothing else does.

    Args:
        kind: The type so far; None: none yet.
    """
    if value is None:
        return kind or pa.null()
    if kind is None or pa.types.is_null(kind):
        return _type_of(value)
    if isinstance(value, dict) and pa.types.is_struct(kind):
        fields = {field.name: field.type for field in kind}
        return pa.struct([*{**fields, **_fields(value, fields)}.items()])
    if isinstance(value, list) and pa.types.is_list(kind):
        return pa.list_(_element_type(value, kind.value_type))
    own = _type_of(value)
    if own == kind:
        return kind
    if {own, kind} == {pa.int64(), pa.float64()}:
        return pa.float64()
    return pa.string()


def _fields(value: dict[str, Any], known: dict[str, pa.DataType]) -> dict[str, pa.DataType]:
    # Tools differ in their parameters: as structs, each would get the keys of all others.
    return {
        key: pa.string() if key == "tools" and item is not None else widen(known.get(key), item)
        for key, item in value.items()
    }


def _element_type(values: list[Any], kind: pa.DataType | None = None) -> pa.DataType:
    for value in values:
        kind = widen(kind, value)
    return kind or pa.null()


def _type_of(value: Any) -> pa.DataType:
    match value:
        case bool():
            return pa.bool_()
        case int():
            return pa.int64() if -LARGEST_INTEGER <= value < LARGEST_INTEGER else pa.string()
        case float():
            return pa.float64()
        case list():
            return pa.list_(_element_type(value))
        case dict() if value:
            return pa.struct([*_fields(value, {}).items()])
    return pa.string()


def finished(kind: pa.DataType) -> pa.DataType:
    """Return a type in which text stands for what was never more than null."""
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(finished(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, finished(field.type)) for field in kind])
    return kind


def extend(kind: pa.DataType, value: Any) -> pa.DataType:
    """Return a column's type with fields for the members of a value that it has no place for.

    What has a place keeps its type.
    """
    if pa.types.is_struct(kind) and isinstance(value, dict):
        fields = [pa.field(f.name, extend(f.type, value.get(f.name)), f.nullable) for f in kind]
        known = {field.name for field in fields}
        new = {k: v for k, v in value.items() if k not in known and v is not None}
        return pa.struct(fields + [(k, finished(_type_of(v))) for k, v in new.items()])
    if isinstance(value, list) and pa.types.is_list(kind):
        inner = kind.value_type
        for item in value:
            inner = extend(inner, item)
        return kind if inner == kind.value_type else pa.list_(inner)
    if pa.types.is_null(kind) and value is not None:
        return finished(_type_of(value))
    return kind


def fit(value: Any, kind: pa.DataType) -> Any:
    """Return a value as a type takes it: what is no text becomes JSON where text is asked for."""
    if value is None:
        return None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if pa.types.is_struct(kind):
        value = _parsed(value)
        if isinstance(value, dict):
            return {field.name: fit(value.get(field.name), field.type) for field in kind}
    if isinstance(value, list) and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return [fit(item, kind.value_type) for item in value]
    return value


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def require_fit(name: str, value: Any, kind: pa.DataType) -> None:
    """Make sure that a column can hold a value.

    Raises:
        UnusableRecordError: If it cannot.
    """
    try:
        pa.array([fit(value, kind)], kind)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise UnusableRecordError(
            DropReason.DOES_NOT_FIT, f"column {name} cannot hold the answer"
        ) from error
