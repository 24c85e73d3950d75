from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import Files, LocalFiles
from resonare_pipeline.artifacts.store import Store
from tests.artifacts.places import BucketPlace, DiskPlace, Place


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty root on each storage in turn."""
    if request.param == "disk":
        return DiskPlace(tmp_path / "store")
    return BucketPlace(request.getfixturevalue("bucket"), "deep/store")


@pytest.fixture
def files(place: Place) -> Files:
    return place.files


@pytest.fixture
def store(files: Files) -> Store:
    return Store(files)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root on disk, for what is about disks alone."""
    return tmp_path / "store"


@pytest.fixture
def disk_store(root: Path) -> Store:
    return Store(LocalFiles(root))
