"""Whether examples are fit to train on."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from resonare_pipeline.errors import ValidationError

FIELDS = ("instruction", "input", "output")
LISTED = 3  # errors in a message


def example_errors(example: object) -> Iterator[str]:
    """Yield what is wrong with one example; texts are never part of it.

    An example is a mapping with the texts `instruction`, `input` and `output`, none of them blank,
    each of them UTF-8; `metadata`, where there is any, is a mapping of what JSON can hold.
    """
    if not isinstance(example, dict):
        yield f"is {type(example).__name__}, not a dict"
        return
    for name in FIELDS:
        if problem := _text_error(example, name):
            yield problem
    metadata = example.get("metadata", {})
    if not isinstance(metadata, dict):
        yield f"metadata is {type(metadata).__name__}, not a dict"
    elif problem := _value_error(metadata):
        yield f"metadata holds {problem}, which JSON cannot"


def _text_error(example: dict[str, Any], name: str) -> str:
    if name not in example:
        return f"has no {name}"
    text = example[name]
    if not isinstance(text, str):
        return f"{name} is {type(text).__name__}, not str"
    if not text.strip():
        return f"{name} is empty"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{name} is not UTF-8: it holds half of a surrogate pair"
    return ""


def _value_error(value: object) -> str:
    match value:
        case None | bool() | int() | str():
            return ""
        case float():
            return "" if math.isfinite(value) else str(value)
        case dict():
            keys = next((f"the key {key!r}" for key in value if not isinstance(key, str)), "")
            return keys or _first_error(value.values())
        case list() | tuple():
            return _first_error(value)
        case _:
            return type(value).__name__


def _first_error(values: Iterable[object]) -> str:
    return next(filter(None, map(_value_error, values)), "")


def is_collection(training_examples: object) -> bool:
    """Tell whether something can hold examples; a text, one example or a frame cannot."""
    return (
        isinstance(training_examples, Iterable)
        and not isinstance(training_examples, (str, bytes, Mapping))
        and not hasattr(training_examples, "columns")
    )


def validate_example(example: object) -> bool:
    """Tell whether one example is valid."""
    return not any(True for _ in example_errors(example))


def validate_training_data(training_examples: Iterable[object]) -> tuple[bool, list[str]]:
    """Return whether all examples are valid, and every error with the place of its example."""
    if not is_collection(training_examples):
        kind = type(training_examples).__name__
        return False, [f"training examples are {kind}, not a list of dicts"]
    errors = [
        f"example {place}: {problem}"
        for place, example in enumerate(training_examples)
        for problem in example_errors(example)
    ]
    return not errors, errors


def require_valid(training_examples: Iterable[object]) -> None:
    """Refuse examples that are not valid.

    Raises:
        ValidationError: With every error in `errors`.
    """
    valid, errors = validate_training_data(training_examples)
    if valid:
        return
    more = f" and {len(errors) - LISTED} more" if errors[LISTED:] else ""
    error = ValidationError(
        f"{len(errors)} errors in training examples: {'; '.join(errors[:LISTED])}{more}",
        expected="instruction, input and output as texts that are not empty",
        remedy="Keep those that validate_example accepts, or pass validate=False",
    )
    error.errors = tuple(errors)
    raise error
