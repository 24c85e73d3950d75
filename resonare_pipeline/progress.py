"""How long work says how far it is. Nothing is shown from here."""

from typing import Protocol


class Progress(Protocol):
    """Called now and then by work that may take more than a moment."""

    def __call__(self, done: int, total: int, unit: str) -> None:
        """Say that `done` of `total` units are finished; a total of 0 means unknown."""
        ...


def silent(done: int, total: int, unit: str) -> None:
    """Report to nobody."""
