"""The template and the style sheet of the page, which come with the project, and their hashes."""

import hashlib
from pathlib import Path

from resonare_pipeline.errors import StageError

TEMPLATE_FILE = "report.html.j2"
STYLE_FILE = "report.css"

_FOLDER = Path(__file__).parent


def report_ingredients() -> dict[str, str]:
    """Return file name → SHA-256 of the files that decide how the page looks, for fingerprints.

    Raises:
        StageError: If one cannot be read.
    """
    return {
        name: hashlib.sha256(read_file(name).encode()).hexdigest()
        for name in (TEMPLATE_FILE, STYLE_FILE)
    }


def read_file(name: str) -> str:
    """Return one of the files, with line ends as on every machine.

    Raises:
        StageError: If it cannot be read.
    """
    path = _FOLDER / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StageError(
            error.strerror or "cannot be read",
            where=str(path),
            expected="a file that ships with the package",
            remedy="Install the package again",
        ) from error
