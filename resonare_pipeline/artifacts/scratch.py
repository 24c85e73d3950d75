"""Temporary folders that are gone when they are left, and after a kill by the next that is made.

A folder belongs to the process that holds the lock of a file in it; the system lets go of that when
the process ends, however it does. Where there are no such locks nothing is swept.
"""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from resonare_pipeline.artifacts.files import storage_errors

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "resonare-scratch-"
_LOCK = "lock"
_UNFINISHED = ".new"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder in the system's place for temporary files, and delete it behind the block.

    Raises:
        StoreError: If it cannot be made.
    """
    if fcntl is None:
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as plain:
            yield Path(plain)
        return
    root = Path(tempfile.gettempdir())
    _sweep(root)
    folder = root / f"{PREFIX}{uuid.uuid4().hex}"
    with storage_errors(f"temporary folder {folder}"):
        # Under its final name it is seen by others, and is locked by then.
        unfinished = folder.with_name(folder.name + _UNFINISHED)
        unfinished.mkdir(mode=0o700)
        lock = (unfinished / _LOCK).open("wb")
    with lock:
        _try_lock(lock)
        unfinished.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Delete folders that processes of this user left when they were killed."""
    for folder in root.glob(f"{PREFIX}*"):
        # Others may sweep at the same time, and anybody may put anything in a shared place.
        with contextlib.suppress(OSError):
            if folder.suffix != _UNFINISHED and folder.lstat().st_uid == os.geteuid():
                _delete_if_left(folder)


def _delete_if_left(folder: Path) -> None:
    with (folder / _LOCK).open("r+b") as lock:
        if _try_lock(lock):
            shutil.rmtree(folder, ignore_errors=True)


def _try_lock(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
