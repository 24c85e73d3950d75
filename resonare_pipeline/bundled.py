"""Where the files lie that come with the project: in a checkout, or inside the installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def sample_folder() -> Path:
    """Return the raw folder of the synthetic samples."""
    return _bundled("data/sample")


def _bundled(name: str) -> Path:
    installed = _PACKAGE / "_bundled" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
