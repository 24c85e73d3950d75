"""What is drawn while it is made is what would be drawn from all of it."""

from itertools import chain

import pytest

from resonare_pipeline.style.sampling import Draw, choose, fair_shares, rank

KINDS = [[f"{kind} {number}" for number in range(count)] for kind, count in (("a", 4000), ("b", 9))]


def draws(most: int | None, seed: int = 3) -> list[Draw[str]]:
    made = []
    for items in KINDS:
        draw = Draw[str](most, identity=str, seed=seed)
        for start in range(0, len(items), 700):  # as it comes, in pieces
            draw.add(items[start : start + 700])
        made.append(draw)
    return made


@pytest.mark.parametrize("most", [0, 1, 15, 200, 4008])
def test_each_kind_gives_its_share_of_the_lowest_ranks_in_order(most: int) -> None:
    shares = fair_shares([len(items) for items in KINDS], most)
    expected = []
    for items, share in zip(KINDS, shares, strict=True):
        lowest = set(sorted(items, key=lambda item: rank(3, item))[:share])
        expected += [item for item in items if item in lowest]
    assert choose(draws(most), most, balance=True) == expected


@pytest.mark.parametrize("most", [0, 1, 15, 200, 4008])
def test_without_balance_the_lowest_ranks_of_all_kinds_are_taken(most: int) -> None:
    every = [*chain.from_iterable(KINDS)]
    lowest = set(sorted(every, key=lambda item: rank(3, item))[:most])
    chosen = choose(draws(most), most, balance=False)
    assert chosen == [item for item in every if item in lowest]


@pytest.mark.parametrize("most", [None, 4009, 10_000])
def test_all_are_taken_where_there_are_no_more_than_asked_for(most: int | None) -> None:
    assert choose(draws(most), most, balance=True) == [*chain.from_iterable(KINDS)]
