"""What every chart is made of: named bars, and round numbers along an axis."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A named bar."""

    label: str
    value: int
    kind: str


def ticks(greatest: int, *, most: int = 5) -> tuple[int, ...]:
    """Return round numbers from 0 to the first that is not below the greatest value.

    Steps are 1, 2 or 5 times a power of ten.
    """
    step = 1
    while step * most < greatest:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return tuple(range(0, max(greatest, 1) + step, step))
