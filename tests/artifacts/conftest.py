from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return Store(LocalFiles(root))
