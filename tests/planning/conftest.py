from pathlib import Path

import pytest

from tests.planning.toy import Toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    project = Toy(tmp_path)
    project.write("a.txt", "one two  three")
    return project
