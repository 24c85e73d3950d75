from pathlib import Path

import pytest

from tests.datasets.exports import DatasetProject


@pytest.fixture
def project(tmp_path: Path) -> DatasetProject:
    return DatasetProject(tmp_path)
