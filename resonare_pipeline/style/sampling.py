"""The choice of some examples among all: drawn by hash, so that it depends on no order."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

Item = TypeVar("Item")

SPARE_ITEMS = 1_024  # held beyond what may be chosen, so that they are seldom sorted


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


class Draw(Generic[Item]):
    """Items of one kind as they come, of which no more are held than may be chosen.

    Args:
        most: Most items that are ever chosen; None: all.
        identity: The text that an item is drawn by.
        seed: Decides the draw.

    Attributes:
        count: Items that came.
    """

    def __init__(self, most: int | None, *, identity: Callable[[Item], str], seed: int) -> None:
        self.count = 0
        self._most = most
        self._identity = identity
        self._seed = seed
        self._all: list[Item] = []
        self._ranked: list[tuple[bytes, int, Item]] = []

    def add(self, items: Iterable[Item]) -> None:
        """Take more items into account."""
        if self._most is None:
            self._all.extend(items)
            self.count = len(self._all)
            return
        for item in items:
            self._ranked.append((rank(self._seed, self._identity(item)), self.count, item))
            self.count += 1
            if len(self._ranked) > 2 * self._most + SPARE_ITEMS:
                self._ranked = self.first(self._most)

    def first(self, count: int) -> list[tuple[bytes, int, Item]]:
        """Return what is drawn first: rank, place among all items of the kind, item."""
        return sorted(self._ranked, key=itemgetter(0, 1))[:count]

    def taken(self, count: int) -> list[Item]:
        """Return so many items, or all where no limit was set, in the order in which they came."""
        if self._most is None:
            return self._all
        return [item for _, _, item in sorted(self.first(count), key=itemgetter(1))]


def choose(draws: Sequence[Draw[Item]], most: int | None, *, balance: bool) -> list[Item]:
    """Return at most so many items, in their order, those of one kind together.

    Args:
        balance: Every kind gets as many as any other, as far as it has them; else all items are
            alike. With `most` unset nothing is left out.
    """
    counts = [draw.count for draw in draws]
    if most is None or sum(counts) <= most:
        return [item for draw in draws for item in draw.taken(draw.count)]
    if balance:
        shares = fair_shares(counts, most)
    else:
        ranked = [(*one[:2], kind) for kind, draw in enumerate(draws) for one in draw.first(most)]
        ranked.sort(key=itemgetter(0, 2, 1))
        of_kind = Counter(kind for _, _, kind in ranked[:most])
        shares = [of_kind[kind] for kind in range(len(draws))]
    return [item for draw, share in zip(draws, shares, strict=True) for item in draw.taken(share)]
