from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.reading.sorting import Limits, Records, Sorter
from resonare_pipeline.errors import StoreError

LARGEST = 2**63 - 1
NUMBERS = st.integers(-2, 2) | st.sampled_from([-LARGEST - 1, LARGEST])


@pytest.fixture
def new_path(tmp_path: Path) -> Callable[[], Path]:
    numbers = iter(range(1_000_000))
    return lambda: tmp_path / f"{next(numbers)}.records"


def chunked(records: Records, sizes: list[int]) -> Iterator[Records]:
    start = 0
    for size in sizes:
        yield records[:, start : start + size]
        start += size
    yield records[:, start:]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pairs=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=40),
    sizes=st.lists(st.integers(0, 7), max_size=8),
    run=st.integers(1, 9),
    block=st.integers(1, 4),
    fan_in=st.integers(2, 4),
)
def test_any_records_in_any_chunks_and_runs_come_back_sorted(
    pairs: list[tuple[int, int]],
    sizes: list[int],
    run: int,
    block: int,
    fan_in: int,
    new_path: Any,
    tmp_path: Path,
) -> None:
    rows = [(second, place, first) for place, (first, second) in enumerate(pairs)]
    records = np.array(rows, np.int64).reshape(-1, 3).T
    limits = Limits(run_records=run, block_records=block, fan_in=fan_in)
    sorter = Sorter(new_path, (2, 0, 1), limits)
    for chunk in chunked(records, sizes):
        sorter.add(chunk)

    chunks = list(sorter.sorted())

    found = [tuple(record) for chunk in chunks for record in chunk.T.tolist()]
    assert found == sorted(rows, key=lambda row: (row[2], row[0], row[1]))
    assert all(chunk.shape[1] for chunk in chunks)
    assert list(tmp_path.iterdir()) == []


def test_few_records_need_no_file() -> None:
    def refused() -> Path:
        raise AssertionError

    sorter = Sorter(refused, (0,))
    sorter.add(np.array([[3, 1]]))
    sorter.add(np.array([[2]]))

    assert np.concatenate(list(sorter.sorted()), axis=1).tolist() == [[1, 2, 3]]


def test_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "records"
    sorter = Sorter(lambda: path, (0,), Limits(run_records=1))

    with pytest.raises(StoreError, match=r"temporary file .*absent"):
        sorter.add(np.array([[1]]))
