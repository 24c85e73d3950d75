"""The settings file of the project itself sets nothing: who runs a checkout gets the defaults."""

import tomllib
from pathlib import Path

FILE = Path(__file__).parents[1] / "resonare.toml"


def test_the_settings_file_that_comes_with_the_project_switches_nothing_on() -> None:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert tables
    assert not any(tables.values())
