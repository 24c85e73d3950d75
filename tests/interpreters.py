"""Other Python interpreters of this machine, to compare what they compute."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("python3.11", "python3.12", "python3.13")
USUAL_PLACES = (
    "~/.pyenv/versions/*/bin",
    "~/.local/share/uv/python/cpython-*/bin",
)
"""Where pyenv and uv keep interpreters that need not be on the PATH."""


@cache
def interpreters() -> tuple[str, ...]:
    """Return one interpreter that starts for each supported version found."""
    return tuple(path for path in map(_find, NAMES) if path)


def require_two() -> tuple[str, ...]:
    """Return the interpreters of at least two versions, or skip, saying which are missing."""
    found = interpreters()
    if len(found) < 2:
        missing = [name for name in NAMES if _find(name) is None]
        pytest.skip(f"needs interpreters of two versions; missing: {', '.join(missing)}")
    return found


def run_plainly(
    interpreter: str, script: str, content: object, *, env: Mapping[str, str] | None = None
) -> Any:
    """Run a script without site packages; it reads JSON and prints JSON."""
    done = subprocess.run(
        [interpreter, "-S", "-s", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{script}"],
        input=json.dumps(content),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def _find(name: str) -> str | None:
    folders = [
        folder
        for pattern in USUAL_PLACES
        for folder in sorted(Path.home().glob(pattern.removeprefix("~/")))
    ]
    paths = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, folders)]
    candidates = [shutil.which(name, path=path) for path in paths]
    if name == f"python3.{sys.version_info.minor}":
        candidates.insert(0, sys.executable)
    wanted = name.removeprefix("python")
    return next((path for path in candidates if path and _version(path) == wanted), None)


@cache
def _version(path: str) -> str:
    """Return the version that an interpreter has, or nothing if it does not start."""
    script = "import sys, hashlib; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [path, "-S", "-c", script], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
