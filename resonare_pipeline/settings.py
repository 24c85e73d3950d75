"""How settings are declared, found and checked. What each one means is declared in the domain.

A stage's settings are a `Section`: a frozen pydantic model whose fields carry unit, default and
meaning (a string below each field). Precedence: defaults ← resonare.toml ← `[partition."…"]` ←
environment ← `--set stage.key=value`. A field is part of a fingerprint unless it is annotated with
`EXECUTION`: where and how fast something runs never changes what comes out.
"""

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from resonare_pipeline.errors import SettingsError

SETTINGS_FILE = "resonare.toml"
PARTITION_TABLE = "partition"
ENVIRONMENT_PREFIX = "RESONARE_"


class Execution:
    """Marks a field that decides how a stage runs and never what it makes."""


EXECUTION = Execution()


class Section(BaseModel):
    """The settings of one stage; `section` is its name in resonare.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    section: ClassVar[str]
    entries: ClassVar[str] = ""
    """Name of the one field that takes up all keys of the table, whatever they are; empty for a
    table with keys of its own."""

    def identity(self) -> dict[str, Any]:
        """Return the values that enter fingerprints, as plain data."""
        return self.model_dump(mode="json", exclude=execution_fields(type(self)))

    def narrowed(self, inputs: Mapping[str, str]) -> Self:  # noqa: ARG002  # for sections that do
        """Return these settings without what cannot matter to a stage that reads some inputs.

        Args:
            inputs: Name of each input → its digest.
        """
        return self

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str],  # noqa: ARG003  # for sections that override it
        *,
        weaker: Mapping[str, Any],  # noqa: ARG003
        stronger: Mapping[str, Any],  # noqa: ARG003
    ) -> dict[str, str]:
        """Return key → text of values that stand in variables with names of their own.

        `RESONARE_<SECTION>__<KEY>` is stronger. None by default.

        Args:
            environ: Variables, those of `.env` included.
            weaker: What the settings file says of this section.
            stronger: What overrides the environment.
        """
        return {}


SectionT = TypeVar("SectionT", bound=Section)


def execution_fields(section: type[Section]) -> set[str]:
    """Return the names of a section's fields that never enter a fingerprint."""
    return {
        name
        for name, info in section.model_fields.items()
        if any(isinstance(mark, Execution) for mark in info.metadata)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Values by section from one place, whose name goes into messages."""

    name: str
    tables: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a run, before they are narrowed to one stage and partition.

    Attributes:
        common: What holds everywhere, weakest first, up to the partition tables.
        partitions: Tables of `[partition."<folder>/<key>"]`, by that name.
        environment: What overrides the partition tables, as it is read beside each of them; an
            empty name stands for all other partitions.
        overrides: What overrides the environment.
    """

    common: tuple[_Origin, ...]
    partitions: Mapping[str, _Origin]
    environment: Mapping[str, _Origin]
    overrides: _Origin

    def values(self) -> Iterator[tuple[str, str, Any]]:
        """Yield every value that is set anywhere, as (place, `section.key`, value)."""
        stronger = (self.environment[""], self.overrides)
        for origin in (*self.common, *self.partitions.values(), *stronger):
            for section, values in origin.tables.items():
                for key, value in values.items():
                    yield origin.name, f"{section}.{key}", value

    def section(self, kind: type[SectionT], partition: str = "") -> SectionT:
        """Return the effective settings of one section.

        Args:
            kind: The section.
            partition: `<raw folder>/<key>`, or empty for what holds everywhere.

        Raises:
            SettingsError: For a value of the wrong type, or values that contradict one another.
        """
        own = [self.partitions[partition]] if partition in self.partitions else []
        environment = self.environment[partition if own else ""]
        merged: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for origin in (*self.common, *own, environment, self.overrides):
            for key, value in origin.tables.get(kind.section, {}).items():
                is_open = key == kind.entries and isinstance(value, dict)
                merged[key] = merged.get(key, {}) | value if is_open else value
                sources[key] = origin.name
        try:
            return kind.model_validate(merged)
        except ValidationError as error:
            raise _explain(kind, error, sources) from error


def _explain(kind: type[Section], error: ValidationError, sources: dict[str, str]) -> SettingsError:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    path = first["loc"][1:] if key and key == kind.entries else first["loc"][:1]
    name = ".".join(map(str, (kind.section, *path)))
    where = sources.get(key) or ", ".join(sorted(set(sources.values())))
    message = first["msg"].removeprefix("Value error, ")
    found = f"{name} = {first['input']!r} cannot be used" if key else f"{name} cannot be used"
    return SettingsError(f"{found}: {message}", where=where)


def load_settings(
    sections: Iterable[type[Section]],
    *,
    folder: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, str],
) -> Settings:
    """Gather settings from every place, and check all of them at once.

    Args:
        sections: The sections that stages declare.
        folder: Where resonare.toml lies, if there is one.
        environ: Environment variables, those of `.env` included.
        overrides: `stage.key` → value as text.

    Raises:
        SettingsError: For an unknown key, a wrong type or a contradiction, with the place named.
    """
    known = {kind.section: kind for kind in sections}
    path = folder / SETTINGS_FILE
    named = _override_tables(overrides)
    tables = _read_toml(path)
    partitions = tables.pop(PARTITION_TABLE, {})
    if not isinstance(partitions, dict):
        raise SettingsError("partition is no table", where=str(path))
    common = _checked(known, str(path), tables)
    own = {
        name: _checked(known, f'{path} [partition."{name}"]', table)
        for name, table in partitions.items()
    }
    settings = Settings(
        common=(common,),
        partitions=own,
        environment={
            name: _checked(known, "environment", _environment_tables(environ, known, weaker, named))
            for name, weaker in _weaker_tables(common, own).items()
        },
        overrides=_checked(known, "--set", named),
    )
    for partition in ("", *settings.partitions):
        for kind in known.values():
            settings.section(kind, partition)
    return settings


def _weaker_tables(
    common: _Origin, partitions: Mapping[str, _Origin]
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Return what the settings file says of each section, everywhere and in each partition."""
    found = {"": dict(common.tables)}
    for name, origin in partitions.items():
        tables = dict(common.tables)
        for section, values in origin.tables.items():
            tables[section] = {**tables.get(section, {}), **values}
        found[name] = tables
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"not TOML: {error}", where=str(path)) from error
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _checked(known: Mapping[str, type[Section]], where: str, tables: object) -> _Origin:
    if not isinstance(tables, dict):
        raise SettingsError("not a table", where=where, expected="tables named after stages")
    shaped: dict[str, dict[str, Any]] = {}
    for section, values in tables.items():
        if section not in known:
            raise _unknown(f"unknown section [{section}]", section, known, where)
        if not isinstance(values, dict):
            raise SettingsError(f"{section} is no table", where=where, expected=f"[{section}]")
        if entries := known[section].entries:
            shaped[section] = {entries: {key: _plain(value) for key, value in values.items()}}
            continue
        fields = known[section].model_fields
        for key in values:
            if key not in fields:
                raise _unknown(f"unknown setting {section}.{key}", key, fields, where)
        shaped[section] = {
            key: _parsed(value, fields[key].annotation) if isinstance(value, str) else value
            for key, value in values.items()
        }
    return _Origin(name=where, tables=shaped)


def _plain(value: object) -> object:
    """Read an entry that is given as text, as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _unknown(found: str, name: str, allowed: Iterable[str], where: str) -> SettingsError:
    names = sorted(allowed)
    close = difflib.get_close_matches(name, names, n=1)
    remedy = f"Did you mean {close[0]}?" if close else ""
    return SettingsError(found, where=where, expected=f"one of {', '.join(names)}", remedy=remedy)


def _parsed(text: str, annotation: object) -> object:
    """Read a value given as text: a list as JSON or with commas; pydantic reads the rest."""
    if getattr(annotation, "__origin__", None) not in (tuple, list, dict):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [part.strip() for part in text.split(",") if part.strip()]


def _environment_tables(
    environ: Mapping[str, str],
    known: Mapping[str, type[Section]],
    weaker: Mapping[str, Mapping[str, Any]],
    stronger: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    own = {
        name: kind.from_environment(
            environ, weaker=weaker.get(name, {}), stronger=stronger.get(name, {})
        )
        for name, kind in known.items()
    }
    tables: dict[str, dict[str, Any]] = {name: table for name, table in own.items() if table}
    for name, value in sorted(environ.items()):
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and separator:
            if section not in known:
                raise _unknown(f"{name} names no section", section, known, "environment")
            tables.setdefault(section, {})[key] = value
    return tables


def _override_tables(overrides: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for name, value in overrides.items():
        section, dot, key = name.partition(".")
        if not dot or not key:
            raise SettingsError(
                f"{name!r} names no setting", where="--set", expected="stage.key=value"
            )
        tables.setdefault(section, {})[key] = value
    return tables


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Split `stage.key=value` texts.

    Raises:
        SettingsError: For a text without `=`.
    """
    parsed: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(f"{text!r} sets nothing", where="--set", expected="stage.key=value")
        parsed[name.strip()] = value
    return parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where raw inputs, artifacts and deliverables lie. Never part of a fingerprint."""

    raw: str = "data/raw"
    store: str = "data/artifacts"
    output: str = "data/output"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Places":
        """Read `RESONARE_RAW`, `RESONARE_STORE` and `RESONARE_OUTPUT`; empty means the default."""
        default = cls()
        return cls(
            raw=environ.get("RESONARE_RAW") or default.raw,
            store=environ.get("RESONARE_STORE") or default.store,
            output=environ.get("RESONARE_OUTPUT") or default.output,
        )
