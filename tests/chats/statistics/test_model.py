import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.chats.statistics.model import (
    distribution,
    even_bins,
    power_of_two_bins,
)

SIZES = st.lists(st.integers(min_value=0, max_value=2**31 - 1), min_size=1, max_size=200)


@given(SIZES)
def test_percentiles_are_the_smallest_values_that_cover_their_part(values: list[int]) -> None:
    found = distribution(np.array(values, dtype=np.int32))
    for percentile, value in ((10, found.p10), (50, found.median), (99, found.p99)):
        assert value is not None
        needed = math.ceil(percentile * len(values) / 100)
        assert sum(other <= value for other in values) >= needed
        assert sum(other < value for other in values) < needed
    assert (found.min, found.max) == (min(values), max(values))
    assert found.mean == round(sum(values) / len(values), 2)


@given(SIZES)
def test_bins_cover_every_value_once_without_a_hole(values: list[int]) -> None:
    bins = power_of_two_bins(np.array(values, dtype=np.int32))
    for entry in bins:
        assert entry.count == sum(entry.at_least <= value < entry.below for value in values)
        assert entry.below in (1, max(1, 2 * entry.at_least))
    assert sum(entry.count for entry in bins) == len(values)
    for lower, upper in itertools.pairwise(bins):
        assert lower.below == upper.at_least
    assert bins[0].count
    assert bins[-1].count


@given(SIZES, st.integers(1, 100))
def test_even_bins_cover_every_value_once_with_few_bins_of_one_width(
    values: list[int], at_most: int
) -> None:
    positive = [max(1, value) for value in values]
    bins = even_bins(np.array(positive, dtype=np.int32), at_most=at_most)
    assert len(bins) <= at_most
    assert bins[0].at_least == 1
    assert len({entry.below - entry.at_least for entry in bins}) == 1
    for entry in bins:
        assert entry.count == sum(entry.at_least <= value < entry.below for value in positive)
    assert sum(entry.count for entry in bins) == len(positive)
    assert bins[-1].count


def test_even_bins_of_lengths_up_to_a_bound_end_with_it() -> None:
    bins = even_bins(np.array([64, 2_048, 2_048]), at_most=80)
    assert bins[-1].below == 2_049
    assert bins[-1].count == 2
    assert even_bins(np.zeros(0, dtype=np.int32), at_most=80) == ()
