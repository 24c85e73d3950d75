"""Files of batches on this machine."""

from contextlib import AbstractContextManager
from pathlib import Path

from resonare_pipeline.artifacts.writing import writing_errors

REMEDY = "Make room there, then give the same command again; batches go on meanwhile"


def writing(path: Path) -> AbstractContextManager[None]:
    """Raise what the file system says as a `StoreError` that says where."""
    return writing_errors(path, remedy=REMEDY)


def remove(path: str) -> None:
    """Delete a file, if one is named and there."""
    if path:
        Path(path).unlink(missing_ok=True)
