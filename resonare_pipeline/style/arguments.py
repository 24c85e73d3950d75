"""What the arguments of the Python interface may be, and the one place that refuses others.

What a window's sizes are to each other `windows.WindowBounds` says, for the graph as well.
"""

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from resonare_pipeline.errors import InputError
from resonare_pipeline.style.ids import plain_id

Path_ = str | os.PathLike[str]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What a number may be.

    Attributes:
        least: The smallest.
        above: It must be greater than this.
        most: The greatest.
        whole: Whether it counts something.
        optional: Whether it may be None.
    """

    least: float | None = None
    above: float | None = None
    most: float | None = None
    whole: bool = True
    optional: bool = False

    def allows(self, value: object) -> bool:
        """Tell whether an argument may be this."""
        if value is None:
            return self.optional
        kinds = (int, np.integer) if self.whole else (int, float, np.integer, np.floating)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, kinds):
            return False
        number = float(value)
        return (
            (self.whole or bool(np.isfinite(number)))
            and (self.least is None or number >= self.least)
            and (self.above is None or number > self.above)
            and (self.most is None or number <= self.most)
        )

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.most is not None:
            kind += f" from {self.least} to {self.most}"
        elif self.above is not None:
            kind += f" above {self.above}"
        elif self.least is not None:
            kind += f", {self.least} or more"
        return f"None, or {kind}" if self.optional else kind


_COUNT = Number(least=1)
_MINIMUM = Number(least=0)  # 0: no minimum
_SHARE = Number(least=0, most=1, whole=False)
_BURST = Number(least=2)
_LENGTH_OF_TIME = Number(above=0, whole=False)

NUMBERS: Mapping[str, Number] = {
    "min_message_length": _MINIMUM,
    "window_size": _COUNT,
    "stride": _COUNT,
    "min_window_messages": _COUNT,
    "min_context_messages": _MINIMUM,
    "min_episode_length": _COUNT,
    "max_episode_length": _COUNT,
    "min_burst_size": _BURST,
    "max_burst_size": _BURST,
    "min_style_difference": _SHARE,
    "min_adaptation_level": _SHARE,
    "min_conversations_per_partner": _MINIMUM,
    "max_examples": Number(least=0, optional=True),
    "seed": Number(),
    "time_gap_minutes": _LENGTH_OF_TIME,
    "max_gap_seconds": _LENGTH_OF_TIME,
    "max_time_between_messages": _LENGTH_OF_TIME,
}


FLAGS = frozenset(
    {
        "include_system_messages",
        "preserve_message_order",
        "debug",
        "include_word_frequency",
        "analyze_time_patterns",
        "include_twitter_content",
        "balance_examples",
        "include_metadata",
        "validate",
        "compress",
        "enhance_with_twitter",
        "include_twitter",
        "include_images",
        "exclude_blocked",
    }
)
BOUNDS = (("min_episode_length", "max_episode_length"), ("min_burst_size", "max_burst_size"))


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function be called only with arguments that may be what they are, by their names."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        check(bound.arguments)
        return function(*args, **kwargs)

    return call


def check(given: Mapping[str, Any], where: str = "") -> None:
    """Refuse arguments that cannot be what they are; names that are not known here may be anything.

    Raises:
        InputError: With what is allowed.
    """
    for name, value in given.items():
        if expected := _expected(name, value):
            raise InputError(f"{name} is {value!r}", where=where, expected=expected)
    for least, most in BOUNDS:
        if least in given and given[least] > given[most]:
            raise InputError(
                f"{least} is {given[least]} and {most} {given[most]}",
                expected="a maximum that is not below the minimum",
            )


def _expected(name: str, value: object) -> str:
    """Return what an argument may be, if it is not that."""
    if name in NUMBERS:
        return "" if NUMBERS[name].allows(value) else str(NUMBERS[name])
    if name in FLAGS:  # the text "no" would mean yes
        return "" if _is_flag(value) else "True or False"
    if name == "your_recipient_id":
        whose = "the _id of a recipient, as a whole number, or a sender_id as a text"
        return "" if _is_person(value) else whose
    if name == "describe_image" and value is not None and not callable(value):
        return "None, or a function from the path of an image to a text"
    return ""


def _is_flag(value: object) -> bool:
    return isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1))


def _is_person(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return plain_id(value) is not None
    except InputError:
        return False


def file_path(value: object, name: str) -> Path:
    """Return the path of a file.

    Raises:
        InputError: If it is no path, or that of a folder.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise InputError(f"{name} is {value!r}", expected="the path of a file")
    path = Path(value)
    if path.is_dir():
        raise InputError("is a folder", where=f"{name} {path}", expected="the path of a file")
    return path
