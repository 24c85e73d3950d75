"""The ways in which examples are made, by name."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from resonare_pipeline.errors import InputError


class Strategy(StrEnum):
    """The ways in which examples are made."""

    CONVERSATIONAL = "conversational"
    BURST = "burst"
    ADAPTIVE = "adaptive"
    COMPLETION = "completion"
    QA = "qa"


TYPES: Mapping[str, Strategy] = {
    "conversational": Strategy.CONVERSATIONAL,
    "burst_sequence": Strategy.BURST,
    "adaptive": Strategy.ADAPTIVE,
    "completion": Strategy.COMPLETION,
    "qa": Strategy.QA,
}
"""Type in an example's metadata → the strategy that made it."""


def known_strategies(names: object) -> list[Strategy]:
    """Return strategies by name, each once.

    Raises:
        InputError: If one is unknown, or there are none.
    """
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, (list, tuple, set, frozenset)) or not names:
        raise InputError(
            f"strategies is {names!r}", expected=f"a list of some of {', '.join(Strategy)}"
        )
    given = sorted(names, key=str) if isinstance(names, (set, frozenset)) else list(names)
    unknown = [
        str(name) for name in given if not isinstance(name, str) or name not in set(Strategy)
    ]
    if unknown:
        raise InputError(
            f"unknown strategy {', '.join(unknown)}", expected=f"some of {', '.join(Strategy)}"
        )
    return list(dict.fromkeys(Strategy(name) for name in given))


def count_by_strategy(examples: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count examples by the strategy that made them, in the order of strategies."""
    counts: dict[str, int] = {}
    for example in examples:
        kind = str(example.get("metadata", {}).get("type", "unknown"))
        name = str(TYPES.get(kind, kind))
        counts[name] = counts.get(name, 0) + 1
    order = [*map(str, Strategy)]
    return dict(
        sorted(counts.items(), key=lambda item: order.index(item[0]) if item[0] in order else 99)
    )
