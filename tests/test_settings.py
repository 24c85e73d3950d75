from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, model_validator

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.settings import (
    EXECUTION,
    Places,
    Section,
    Settings,
    load_settings,
    parse_assignments,
)


class CutSettings(Section):
    section: ClassVar[str] = "cut"

    shortest: int = 1
    """Shortest piece, in characters."""

    longest: int = 9
    """Longest piece, in characters."""

    people: tuple[str, ...] = ()
    """Names."""

    note: str = ""
    """Free text."""

    workers: Annotated[int, EXECUTION] = 0
    """Processes."""

    @model_validator(mode="after")
    def _ordered(self) -> "CutSettings":
        if self.shortest > self.longest:
            raise ValueError("shortest is above longest")
        return self


def load(
    folder: Path,
    toml: str = "",
    environ: dict[str, str] | None = None,
    overrides: dict[str, str] | None = None,
) -> Settings:
    if toml:
        (folder / "resonare.toml").write_text(toml, encoding="utf-8")
    return load_settings(
        [CutSettings], folder=folder, environ=environ or {}, overrides=overrides or {}
    )


def test_settings_without_any_source_are_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path).section(CutSettings) == CutSettings()


def test_settings_precedence_is_file_partition_environment_override(tmp_path: Path) -> None:
    toml = '[cut]\nlongest = 20\nnote = "file"\n[partition."chats/alice".cut]\nlongest = 30\n'
    settings = load(tmp_path, toml)
    assert settings.section(CutSettings).longest == 20
    assert settings.section(CutSettings, "chats/alice").longest == 30
    assert settings.section(CutSettings, "chats/alice").note == "file"
    assert settings.section(CutSettings, "chats/bob").longest == 20
    settings = load(tmp_path, toml, {"RESONARE_CUT__LONGEST": "40", "RESONARE_STORE": "x"})
    assert settings.section(CutSettings, "chats/alice").longest == 40
    settings = load(tmp_path, toml, {"RESONARE_CUT__LONGEST": "40"}, {"cut.longest": "50"})
    assert settings.section(CutSettings, "chats/alice").longest == 50


def test_settings_given_as_text_are_read_by_their_type(tmp_path: Path) -> None:
    overrides = {"cut.note": "7", "cut.people": "Ann, Bob", "cut.shortest": "3"}
    section = load(tmp_path, overrides=overrides).section(CutSettings)
    assert (section.note, section.people, section.shortest) == ("7", ("Ann", "Bob"), 3)
    section = load(tmp_path, overrides={"cut.people": '["A, B"]'}).section(CutSettings)
    assert section.people == ("A, B",)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[cut]\nlongst = 3\n", r"resonare.toml: unknown setting cut.longst; expected one of .*"),
        ("[cutt]\nlongest = 3\n", r"unknown section \[cutt\].*Did you mean cut\?"),
        ('[cut]\nlongest = "many"\n', r"resonare.toml: cut.longest = 'many' cannot be used"),
        ("[cut]\nlongest = 3\nshortest = 4\n", "shortest is above longest"),
        ('[partition."chats/a".cut]\nlongst = 3\n', r'partition."chats/a".*unknown setting'),
        ("longest = 3\n", "unknown section"),
        ("[cut\n", "not TOML"),
        ("cut = 3\n", "cut is no table"),
        ("partition = 3\n", "partition is no table"),
        ('[partition]\n"chats/a" = 3\n', "not a table"),
    ],
)
def test_settings_wrong_file_names_key_place_and_allowed(
    tmp_path: Path, toml: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, toml)


def test_settings_wrong_environment_or_override_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"environment: unknown setting cut\.nope"):
        load(tmp_path, environ={"RESONARE_CUT__NOPE": "1"})
    with pytest.raises(SettingsError, match="RESONARE_NOPE__X names no section"):
        load(tmp_path, environ={"RESONARE_NOPE__X": "1"})
    with pytest.raises(SettingsError, match=r"--set: unknown setting cut\.nope"):
        load(tmp_path, overrides={"cut.nope": "1"})
    with pytest.raises(SettingsError, match="'cut' names no setting"):
        load(tmp_path, overrides={"cut": "1"})
    with pytest.raises(SettingsError, match=r"'cut\.note' sets nothing"):
        parse_assignments(["cut.note"])


def test_settings_file_that_is_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "resonare.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)


def test_section_identity_leaves_out_execution() -> None:
    assert CutSettings(workers=8).identity() == CutSettings().identity()
    assert CutSettings(note="x").identity() != CutSettings().identity()


def test_places_empty_variable_means_the_default() -> None:
    places = Places.from_environment({"RESONARE_RAW": "", "RESONARE_STORE": "elsewhere"})
    assert (places.raw, places.store, places.output) == ("data/raw", "elsewhere", "data/output")


class OpenSettings(Section):
    section: ClassVar[str] = "open"
    entries: ClassVar[str] = "things"

    things: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Name → numbers."""


def test_a_table_of_entries_takes_any_key_from_everywhere(tmp_path: Path) -> None:
    (tmp_path / "resonare.toml").write_text(
        '[open.a]\nx = 1\n[open."b c"]\nx = 2\n[partition."chats/y".open.d]\nx = 4\n'
    )

    def things(partition: str = "", **overrides: str) -> dict[str, dict[str, int]]:
        named = {f"open.{name}": value for name, value in overrides.items()}
        found = load_settings([OpenSettings], folder=tmp_path, environ={}, overrides=named)
        return found.section(OpenSettings, partition).things

    assert things() == {"a": {"x": 1}, "b c": {"x": 2}}
    assert things("chats/y") == {"a": {"x": 1}, "b c": {"x": 2}, "d": {"x": 4}}
    assert things("chats/y", d='{"x": 5}')["d"] == {"x": 5}
    with pytest.raises(SettingsError, match=r"--set: open\.e = 'five' cannot be used"):
        things(e="five")
