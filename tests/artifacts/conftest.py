from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import Files, LocalFiles
from resonare_pipeline.artifacts.store import Store


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
