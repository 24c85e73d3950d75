"""Errors of the operating system while files are written, as ones that say where and what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resonare_pipeline.errors import ResonareError, StoreError

_REMEDIES = {
    errno.ENOSPC: "Free some space and give the same command again: no answer is lost",
    errno.EDQUOT: "Free some space and give the same command again: no answer is lost",
    errno.EACCES: "Name a place that this user may write to",
    errno.EPERM: "Name a place that this user may write to",
    errno.EROFS: "Name a place that can be written to",
    errno.ENOENT: "Make the folder first",
    errno.ENOTDIR: "Name a file in a folder",
    errno.EISDIR: "Name a file, not a folder",
}


@contextmanager
def writing_errors(path: Path | str, *, remedy: str = "") -> Iterator[None]:
    """Turn errors of the operating system into ones that say where and what to do.

    Args:
        path: What is written.
        remedy: What can be done; empty: what the kind of error asks for.

    Raises:
        StoreError: For a full disk, and whatever else keeps a file from being written.
        BrokenPipeError: As it comes: nobody reads any more.
    """
    try:
        yield
    except (ResonareError, BrokenPipeError):
        raise
    except OSError as error:
        raise StoreError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy=remedy or _REMEDIES.get(error.errno or 0, ""),
        ) from error
