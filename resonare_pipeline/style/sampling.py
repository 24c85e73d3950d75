"""The choice of some examples among all: drawn by hash, so that it depends on no order."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from resonare_pipeline.errors import InputError

Item = TypeVar("Item")


def fair_shares(counts: Sequence[int], most: int) -> list[int]:
    """Share `most` among kinds as evenly as their counts allow; the first get what is left over."""
    shares = [0] * len(counts)
    rest = min(most, sum(counts))
    while rest:
        hungry = [at for at, count in enumerate(counts) if shares[at] < count]
        each = rest // len(hungry)
        for at in hungry if each else hungry[:rest]:
            given = min(counts[at] - shares[at], max(each, 1))
            shares[at] += given
            rest -= given
    return shares


def rank(seed: int, text: str) -> bytes:
    """Return what items are ordered by before the first so many are taken."""
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=8, salt=str(seed).encode()[:16]
    ).digest()


def choose(
    groups: Sequence[Sequence[Item]],
    most: int | None,
    *,
    identity: Callable[[Item], str],
    balance: bool,
    seed: int,
) -> list[Item]:
    """Return at most so many items, in their order.

    Args:
        groups: Items of one kind each.
        identity: The text that an item is drawn by.
        balance: Every kind gets as many as any other, as far as it has them; else all items are
            alike. With `most` unset nothing is left out.
        seed: Decides the draw.
    """
    if most is None or sum(map(len, groups)) <= most:
        return [item for group in groups for item in group]
    if most < 0:
        raise InputError(f"max_examples is {most}", expected="None, or 0 or more")
    if not balance:
        groups = [[item for group in groups for item in group]]
    shares = fair_shares([len(group) for group in groups], most)
    chosen: list[Item] = []
    for group, share in zip(groups, shares, strict=True):
        ranked = sorted((rank(seed, identity(item)), at) for at, item in enumerate(group))
        chosen += [group[at] for at in sorted(at for _, at in ranked[:share])]
    return chosen
