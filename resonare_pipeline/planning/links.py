"""Where resonare.toml links somebody's ids, and whether it says the same everywhere.

Reads settings and the file; changes nothing.
"""

import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.rule_file import quoted
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.settings import PARTITION_TABLE, SETTINGS_FILE

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def named_place(folder: Path, *path: str) -> str:
    """Return what finds a table of resonare.toml: its header, and its line if it has one."""
    shown = ".".join(key if _BARE_KEY.fullmatch(key) else quoted(key) for key in path)
    line = _line_of(folder / SETTINGS_FILE, path)
    where = "" if line is None else f", line {line}"
    return f"[{shown}] in {folder / SETTINGS_FILE}{where}"


def _line_of(file: Path, path: tuple[str, ...]) -> int | None:
    if not file.exists():
        return None
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if line.lstrip().startswith("[") and _header(line) == path:
            return number
    return None


def _header(line: str) -> tuple[str, ...]:
    try:
        found: Any = tomllib.loads(line.strip())
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(found, dict) and len(found) == 1:
        [(key, found)] = found.items()
        path.append(key)
    return tuple(path)


def refuse_other_links(workspace: Workspace, ids: Collection[str]) -> None:
    """Refuse a person of whose ids a partition's own links make somebody else.

    A rule holds for an id in all exports.

    Raises:
        SettingsError: If some partition links any of the ids otherwise.
    """
    for partition in workspace.settings.partitions:
        own = workspace.settings.section(PeopleSettings, partition)
        for key, person in own.people.items():
            if set(ids).isdisjoint(person.ids) or set(ids) == set(person.ids):
                continue
            place = named_place(
                workspace.folder, PARTITION_TABLE, partition, PeopleSettings.section, key
            )
            common = workspace.settings.section(PeopleSettings)
            other = next((name for one in ids if (name := common.key_of(one)) is not None), None)
            also = (
                ""
                if other is None
                else f", and {named_place(workspace.folder, PeopleSettings.section, other)}"
            )
            raise SettingsError(
                f"in {partition} the person's ids are others: {', '.join(person.ids)}",
                where=place,
                expected=f"the same ids everywhere: {', '.join(ids)}",
                remedy=f"Take out {place}{also}; then forget each id by itself",
            )
