"""The rule about forgotten people in resonare.toml, written as text: all else stays as it is.

Comments and layout of the file are the person's own. A change is taken only if the file, read
again, says exactly what it said before, and the rule.
"""

import json
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.forgetting import ForgetSettings, ForgottenPerson
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.settings import SETTINGS_FILE

_HEAD = "# People who are left out of everything; written by: resonare forget"


def write_rule(folder: Path, person_id: str, person: ForgottenPerson) -> bool:
    """Put a person into the rule, or what changed about one, and tell whether anything did.

    Raises:
        SettingsError: If the file says it in a way that cannot be edited as text.
        StoreError: If it cannot be written.
    """
    path = folder / SETTINGS_FILE
    before = path.read_bytes().decode() if path.exists() else ""
    old = tomllib.loads(before)
    wanted = _with_rule(old, person_id, person)
    if wanted == old:
        return False
    after = _edited(before, person_id, _table(person_id, person))
    try:
        unchanged = tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        unchanged = False
    if not unchanged:
        raise SettingsError(
            f"the rule about {person_id} cannot be edited as it is written there",
            where=str(path),
            expected=f"a table of its own, [{_name(person_id)}]",
            remedy="Take the person out of the file, and run this again",
        )
    _replace(path, after)
    return True


def _with_rule(settings: dict[str, Any], person_id: str, person: ForgottenPerson) -> dict[str, Any]:
    section = settings.get(ForgetSettings.section, {})
    table = {name: list(value) for name, value in person.model_dump().items()}
    people = {**section.get("people", {}), person_id: table}
    return {**settings, ForgetSettings.section: {**section, "people": people}}


def _edited(text: str, person_id: str, table: str) -> str:
    """Return the file with a person's table put in place of the old one, or at the end."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)  # other line ends may stand within a name
    header = re.compile(rf"\s*\[\s*{re.escape(_name(person_id))}\s*\]\s*(#.*)?$")
    start = next((at for at, line in enumerate(lines) if header.match(line)), None)
    if start is None:
        head = "" if _HEAD in text else f"{_HEAD}\n"
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}{head}{table}"
    following = (at for at in range(start + 1, len(lines)) if re.match(r"\s*\[[^\]]", lines[at]))
    end = next(following, len(lines))
    while lines[end - 1].strip() == "" or lines[end - 1].lstrip().startswith("#"):
        end -= 1  # what stands before the next table belongs to that
    return "".join([*lines[:start], table, *lines[end:]])


def _name(person_id: str) -> str:
    return f"{ForgetSettings.section}.people.{quoted(person_id)}"


def _table(person_id: str, person: ForgottenPerson) -> str:
    lines = [f"[{_name(person_id)}]"]
    for key, values in person.model_dump().items():
        lines += [f"{key} = [", *(f"    {quoted(value)}," for value in values), "]"]
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """Return a text as TOML's basic string."""
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(path: Path, text: str) -> None:
    target = path.resolve()  # a link stays one
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    with storage_errors(str(path)):
        aside.write_bytes(text.encode())
        if target.exists():
            shutil.copymode(target, aside)
        aside.replace(target)
