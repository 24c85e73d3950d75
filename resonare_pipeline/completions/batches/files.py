"""Files of batches on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resonare_pipeline.errors import ResonareError, StoreError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise what the file system says as an error that says where.

    Raises:
        StoreError: For a full disk, and whatever else keeps a file from being written.
    """
    try:
        yield
    except ResonareError:
        raise
    except OSError as error:
        raise StoreError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="Make room there, then give the same command again; batches go on meanwhile",
        ) from error


def remove(path: str) -> None:
    """Delete a file, if one is named and there."""
    if path:
        Path(path).unlink(missing_ok=True)
