"""Where the files lie that come with the project: in a checkout, or inside the installed wheel."""

import hashlib
from pathlib import Path

from resonare_pipeline.errors import ResonareError

_PACKAGE = Path(__file__).parent


def sample_folder() -> Path:
    """Return the raw folder of the synthetic samples."""
    return _bundled("data/sample")


def prompts_folder() -> Path:
    """Return the folder of the prompt templates that come with the project."""
    return _bundled("prompts")


def shipped_bytes(path: Path, sha256: str, what: str, error: type[ResonareError]) -> bytes:
    """Return a file that ships with the package, if it is the one that was published.

    Args:
        path: Where it lies.
        sha256: Its published hash.
        what: What it is, for messages.
        error: What is raised.

    Raises:
        ResonareError: As `error`, if the file is missing or altered.
    """
    again = "Install the package again"
    try:
        content = path.read_bytes()
    except OSError as failure:
        raise error(
            failure.strerror or "cannot be read",
            where=str(path),
            expected=f"the {what} that ships with the package",
            remedy=again,
        ) from failure
    if hashlib.sha256(content).hexdigest() != sha256:
        raise error(
            f"the {what} has been altered",
            where=str(path),
            expected=f"SHA-256 {sha256}",
            remedy=again,
        )
    return content


def _bundled(name: str) -> Path:
    installed = _PACKAGE / "_bundled" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
