"""Byte files under one root: the only place where the store and the outputs touch storage.

`Files` is what a storage must offer; `LocalFiles` is a folder on disk, and `artifacts.s3` has its
twin in a bucket. Paths are relative, with forward slashes; their order is that of their bytes. A
file written through `open_write` appears whole or not at all.
"""

import contextlib
import datetime as dt
import errno
import io
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from resonare_pipeline.artifacts.walking import sort_key, walk_folder
from resonare_pipeline.errors import MissingFileError, StoreError

BUFFER_BYTES = 1 << 18  # so that small writes cost no system call each

_DRAFT_SUFFIX = ".tmp"
_FREE_SPACE = "Free some space, or point RESONARE_STORE and RESONARE_OUTPUT elsewhere"
_GIVE_PERMISSION = "Give this user permission, or point the setting at another place"
_NAME_A_FOLDER = "Point RESONARE_STORE and RESONARE_OUTPUT at folders"
_REMEDIES = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "Point RESONARE_STORE and RESONARE_OUTPUT at a place that takes larger files",
    errno.EROFS: "Point RESONARE_STORE and RESONARE_OUTPUT at a place that can be written",
    errno.EACCES: _GIVE_PERMISSION,
    errno.EPERM: _GIVE_PERMISSION,
    errno.ENOTDIR: _NAME_A_FOLDER,
    errno.EEXIST: _NAME_A_FOLDER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """What tells cheaply whether a file is still the one that was seen.

    Attributes:
        size: In bytes.
        version: Modification time in nanoseconds on disk; the ETag elsewhere.
        modified_at: When it was last written, where the storage says so; decides only what may
            be cleared away, never whether two files are the same.
        is_own: Whether it is a regular file of the folder that was walked. A link that leads out
            of that folder is not, nor is a pipe or a device.
    """

    size: int
    version: str
    modified_at: dt.datetime | None = field(default=None, compare=False)
    is_own: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What lies directly in a folder.

    Attributes:
        stat: Of a file, where the storage tells it with the name; else None.
    """

    name: str
    is_folder: bool
    stat: FileStat | None = None


class Files(Protocol):
    """A tree of files under one root."""

    @property
    def uri(self) -> str:
        """Where the root is, as the person wrote it."""
        ...

    @property
    def is_flat(self) -> bool:
        """Whether walking a whole tree costs no more than listing one folder of it."""
        ...

    def locate(self, path: str) -> str:
        """Return a file's full name, for messages."""
        ...

    def below(self, folder: str) -> "Files":
        """Return the tree below a folder, which need not be there."""
        ...

    def open_read(self, path: str) -> BinaryIO:
        """Open a file for reading; the stream can seek.

        A file that is replaced meanwhile is read as it was, or raises FileChangedError.

        Raises:
            MissingFileError: If there is no such file.
        """
        ...

    def open_write(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a file that takes its place when the block ends without an error."""
        ...

    def stat(self, path: str) -> FileStat | None:
        """Return size and version, or None where there is no such file."""
        ...

    def children(self, folder: str) -> list[Child] | None:
        """Return what lies directly in a folder, in order of path.

        None where the storage has folders and not this one.

        Raises:
            StoreError: If it is no folder, or cannot be listed.
        """
        ...

    def walk(self, folder: str, *, drafts: bool = False) -> Iterator[tuple[str, FileStat]]:
        """Yield every file below a folder, in order of path; nothing if there is no folder.

        Links are followed, but for those that lead to a folder that they lie in.

        Args:
            drafts: Also yield files that are being written, or whose writer died, by the names
                that they have meanwhile.
        """
        ...

    def move(self, source: str, target: str) -> None:
        """Move a folder; nothing if it is not there."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all in it; nothing if it is not there."""
        ...


@contextlib.contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Turn an operating-system error into one that says where and what to do."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            error.strerror or str(error),
            where=where,
            remedy=_REMEDIES.get(error.errno or 0, ""),
        ) from error


class _PlacedFile(io.FileIO):
    """A file on disk whose failed writes say where the content was meant to go."""

    def __init__(self, path: Path, where: str) -> None:
        super().__init__(path, "xb")
        self._where = where

    def write(self, content: Any, /) -> int:
        with storage_errors(self._where):
            return super().write(content)


class LocalFiles:
    """Files in a folder on disk; the folder is made with the first file written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._start = str(root / "_").removesuffix("_")

    is_flat = False

    @property
    def uri(self) -> str:
        """The folder as it was given."""
        return str(self.root)

    def _full(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        if ".." in parts or PurePosixPath(path).is_absolute():
            raise StoreError("a path that leaves its root", where=path, expected="a path below it")
        return self.root.joinpath(*parts)

    def locate(self, path: str) -> str:
        """Return the path on disk."""
        # As a listing of many files yields them; any other path is taken apart and looked at.
        is_simple = not path.startswith((".", "/")) and os.path.normpath(path) == path
        return self._start + path if is_simple else str(self._full(path))

    def below(self, folder: str) -> "LocalFiles":
        """Return the tree below a folder."""
        return LocalFiles(self._full(folder))

    def open_read(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        full = self._full(path)
        with storage_errors(str(full)):
            try:
                return full.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise MissingFileError(error.strerror or "No such file", where=str(full)) from error

    @contextlib.contextmanager
    def open_write(self, path: str) -> Iterator[BinaryIO]:
        """Write beside the target, flush to the device, then rename over it."""
        full = self._full(path)
        draft = full.with_name(draft_name("", uuid.uuid4().hex))
        with storage_errors(str(full)):
            full.parent.mkdir(parents=True, exist_ok=True)
            raw = _PlacedFile(draft, str(full))
        # Errors of the caller's own pass as they are: only those of this file are ours to explain.
        try:
            with io.BufferedWriter(raw, BUFFER_BYTES) as stream:
                yield stream
                stream.flush()
                with storage_errors(str(full)):
                    os.fsync(raw.fileno())
            with storage_errors(str(full)):
                draft.replace(full)
        finally:
            with contextlib.suppress(OSError):  # what stays behind is cleared away by pruning
                draft.unlink(missing_ok=True)

    def stat(self, path: str) -> FileStat | None:
        """Return size and modification time."""
        full = self._full(path)
        with storage_errors(str(full)):
            try:
                found = full.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return None if stat.S_ISDIR(found.st_mode) else _file_stat(found)

    def children(self, folder: str) -> list[Child] | None:
        """Return what lies in a folder; sizes and times are not read."""
        full = self._full(folder)
        with storage_errors(str(full)):
            try:
                found = [
                    Child(name=entry.name, is_folder=Path(entry.path).is_dir())
                    for entry in os.scandir(full)
                ]
            except FileNotFoundError:
                return None
            except NotADirectoryError:
                raise StoreError("not a folder", where=str(full)) from None
        return sorted(found, key=lambda child: sort_key(child.name, is_folder=child.is_folder))

    def walk(self, folder: str, *, drafts: bool = False) -> Iterator[tuple[str, FileStat]]:
        """Yield files in order of path."""
        start = self._full(folder)
        below = "" if start == self.root else f"{start.relative_to(self.root).as_posix()}/"
        with storage_errors(str(start)):
            for path, seen, is_own in walk_folder(str(start), below):
                if drafts or not is_draft(path.rpartition("/")[2]):
                    yield path, _file_stat(seen, is_own=is_own)

    def move(self, source: str, target: str) -> None:
        """Move a folder by renaming it."""
        origin, full = self._full(source), self._full(target)
        with storage_errors(str(full)):
            if origin.exists():
                full.parent.mkdir(parents=True, exist_ok=True)
                origin.replace(full)

    def delete(self, path: str) -> None:
        """Delete a file or a folder."""
        full = self._full(path)
        if full == self.root:
            raise StoreError("the root itself is not deleted", where=str(full))
        # Another process may be deleting the same: what it takes first is as good as deleted.
        with storage_errors(str(full)), contextlib.suppress(FileNotFoundError):
            if full.is_dir() and not full.is_symlink():
                shutil.rmtree(full)
            else:
                full.unlink()


def draft_name(name: str, unique: str) -> str:
    """Return the name under which a file is listed while it is being written."""
    return f".{name}{unique}{_DRAFT_SUFFIX}"


def is_draft(name: str) -> bool:
    """Tell whether a name is that of a file that is being written."""
    return name.startswith(".") and name.endswith(_DRAFT_SUFFIX)


def _file_stat(found: os.stat_result, *, is_own: bool = True) -> FileStat:
    return FileStat(
        size=found.st_size,
        version=str(found.st_mtime_ns),
        modified_at=dt.datetime.fromtimestamp(found.st_mtime, dt.UTC),
        is_own=is_own,
    )


def read_bytes(files: Files, path: str) -> bytes:
    """Return a small file's content."""
    with files.open_read(path) as stream:
        return stream.read()


def read_if_there(files: Files, path: str) -> bytes | None:
    """Return a small file's content, or None where there is no such file."""
    try:
        return read_bytes(files, path)
    except MissingFileError:
        return None


def write_bytes(files: Files, path: str, content: bytes) -> None:
    """Replace a small file as a whole."""
    with files.open_write(path) as stream:
        stream.write(content)
