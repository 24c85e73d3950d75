"""All files below a folder on disk, and which of them are the folder's own.

Exports hold tens of thousands of images, and are listed for every stage that is planned: so there
are strings here, no paths, and one system call a file.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Found(NamedTuple):
    """A file on disk.

    Attributes:
        path: Below the root of the walk.
        stat: Of the file itself, where a link leads to it.
        is_own: Whether it is a regular file that really lies in the folder that was walked.
    """

    path: str
    stat: os.stat_result
    is_own: bool


def walk_folder(folder: str, below: str, around: tuple[str, ...] = ()) -> Iterator[Found]:
    """Yield the files of a folder and of those in it, in order of path; nothing if there is none.

    Links are followed, but for those that lead nowhere, or to a folder that they lie in.

    Args:
        folder: Its name on disk.
        below: What the paths begin with: nothing, or names with a slash at the end.
        around: Real names of the folders on the way to this one, itself the last.

    Raises:
        OSError: If a folder cannot be read.
    """
    try:
        with os.scandir(folder) as listed:
            entries = [(entry, _is_folder(entry)) for entry in listed]
    except (FileNotFoundError, NotADirectoryError):
        return
    entries.sort(key=lambda pair: sort_key(pair[0].name, is_folder=pair[1]))
    is_inside = not around or _lies_in(around[-1], around[0])
    for entry, is_folder in entries:
        is_link = entry.is_symlink()
        if is_folder or is_link:  # many folders have neither, and to resolve a name costs calls
            around = around or (_real(folder),)
        if is_folder:
            real = _real(entry.path) if is_link else f"{around[-1]}/{entry.name}"
            if real not in around:
                yield from walk_folder(entry.path, f"{below}{entry.name}/", (*around, real))
        elif (seen := _stat(entry)) is not None:
            is_own = _lies_in(_real(entry.path), around[0]) if is_link else is_inside
            yield Found(below + entry.name, seen, is_own and stat.S_ISREG(seen.st_mode))


def sort_key(name: str, *, is_folder: bool) -> str:
    """Return what puts names of one folder in the order of whole paths."""
    return f"{name}/" if is_folder else name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno in _LEADS_NOWHERE:
            return False
        raise


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return what a name stands for; None if it is gone since it was listed, or leads nowhere."""
    try:
        return entry.stat()
    except OSError as error:
        if error.errno in _LEADS_NOWHERE:
            return None
        raise


def _real(path: str) -> str:
    return str(Path(path).resolve())


def _lies_in(real: str, folder: str) -> bool:
    return f"{real}/".startswith(f"{folder.rstrip('/')}/")
