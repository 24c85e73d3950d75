"""What the arguments of the Python interface may be, and the one place that refuses others.

What a window's sizes are to each other `windows.WindowBounds` says, for the graph as well.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonare_pipeline.errors import InputError
from resonare_pipeline.style.ids import plain_id


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


def check_numbers(where: str = "", **given: object) -> None:
    """Refuse numbers that an argument of that name cannot be.

    Raises:
        InputError: With what is allowed.
    """
    for name, value in given.items():
        if not NUMBERS[name].allows(value):
            raise InputError(f"{name} is {value!r}", where=where, expected=str(NUMBERS[name]))


def check_order(**given: int) -> None:
    """Refuse a minimum, given first, that is over its maximum.

    Raises:
        InputError: With both.
    """
    (least, smallest), (most, greatest) = given.items()
    if smallest > greatest:
        raise InputError(
            f"{least} is {smallest} and {most} {greatest}",
            expected="a maximum that is not below the minimum",
        )


def check_flags(where: str = "", **given: object) -> None:
    """Refuse what is neither True nor False: the text "no" would mean yes.

    Raises:
        InputError: With what is allowed.
    """
    for name, value in given.items():
        is_flag = isinstance(value, (bool, np.bool_)) or (
            isinstance(value, int) and value in (0, 1)
        )
        if not is_flag:
            raise InputError(f"{name} is {value!r}", where=where, expected="True or False")


def check_person(your_recipient_id: object) -> None:
    """Refuse what can be nobody's id.

    Raises:
        InputError: With what is allowed.
    """
    is_flag = isinstance(your_recipient_id, bool)
    try:
        found = None if is_flag else plain_id(your_recipient_id)
    except InputError:
        found = None
    if found is None:
        raise InputError(
            f"your_recipient_id is {your_recipient_id!r}",
            expected="the _id of a recipient, as a whole number, or a sender_id as a text",
        )


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
