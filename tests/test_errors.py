import pickle

import pytest

from resonare_pipeline import errors
from resonare_pipeline.errors import (
    DamagedArtifactError,
    InputChangedError,
    ResonareError,
    SettingsError,
    StoreError,
    UnknownPartitionError,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ResonareError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_error_of_every_kind_says_place_expectation_and_remedy(kind: type[ResonareError]) -> None:
    error = kind("no rows", where="a.json", expected="one row", remedy="Export it again")
    assert str(error) == "a.json: no rows; expected one row. Export it again"


@pytest.mark.parametrize("kind", KINDS)
def test_error_of_every_kind_crosses_a_process_border_whole(kind: type[ResonareError]) -> None:
    error = kind("no rows", where="a.json", expected="one row", remedy="Export it again")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # made here
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.found, copy.where, copy.expected, copy.remedy) == (
        error.found,
        error.where,
        error.expected,
        error.remedy,
    )


def test_error_without_particulars_says_only_what_was_found() -> None:
    assert str(SettingsError("unknown key 'x'")) == "unknown key 'x'"


@pytest.mark.parametrize(
    ("kind", "standard"),
    [
        (SettingsError, ValueError),
        (UnknownPartitionError, KeyError),
        (InputChangedError, ValueError),
        (DamagedArtifactError, OSError),
    ],
)
def test_error_is_also_the_standard_one_that_callers_expect(
    kind: type[ResonareError], standard: type[Exception]
) -> None:
    with pytest.raises(standard):
        raise kind("wrong")


def test_store_error_with_particulars_is_no_numbered_system_error() -> None:
    error = StoreError("full", where="disk", expected="room", remedy="Free some")
    assert error.errno is None
    assert error.filename is None
