"""Arrow types that hold JSON values: found for new columns, widened for old ones."""

from typing import Any

import msgspec
import pyarrow as pa

from resonare_pipeline.records.reasons import DropReason, UnusableRecordError

LARGEST_INTEGER = 1 << 63


def is_any_list(kind: pa.DataType) -> bool:
    """Tell whether a type is a list of any kind: Arrow has five."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def _list_like(kind: pa.DataType, inner: pa.DataType) -> pa.DataType:
    """Return the kind of list that another is, of other elements."""
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(inner, kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(inner)
    if pa.types.is_list_view(kind):
        return pa.list_view(inner)
    if pa.types.is_large_list_view(kind):
        return pa.large_list_view(inner)
    return pa.list_(inner)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


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
    if isinstance(value, list) and is_any_list(kind):
        return _list_like(kind, _element_type(value, kind.value_type))
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
    if is_any_list(kind):
        return _list_like(kind, finished(kind.value_type))
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
    if isinstance(value, list) and is_any_list(kind):
        inner = kind.value_type
        for item in value:
            inner = extend(inner, item)
        return kind if inner == kind.value_type else _list_like(kind, inner)
    if pa.types.is_null(kind) and value is not None:
        return finished(_type_of(value))
    return kind


def fit(value: Any, kind: pa.DataType) -> Any:
    """Return a value as a type takes it: what is no text becomes JSON where text is asked for.

    Raises:
        UnusableRecordError: If a struct has no field for a member that is not null.
    """
    if value is None:
        return None
    if _is_text(kind):
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if pa.types.is_struct(kind):
        value = _parsed(value)
        if isinstance(value, dict):
            return _fit_members(value, kind)
    if isinstance(value, list) and is_any_list(kind):
        return [fit(item, kind.value_type) for item in value]
    return value


def _fit_members(value: dict[str, Any], kind: pa.DataType) -> dict[str, Any]:
    fields = {field.name: field.type for field in kind}
    if any(item is not None and name not in fields for name, item in value.items()):
        raise UnusableRecordError(DropReason.DOES_NOT_FIT, "a member has no field")
    return {name: fit(value.get(name), inner) for name, inner in fields.items()}


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
