"""Byte files under one root: the only place where the store and the outputs touch storage.

`Files` is what a storage must offer; `LocalFiles` is a folder on disk. Paths are relative, with
forward slashes. A file written through `open_write` appears whole or not at all.
"""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from resonare_pipeline.errors import StoreError

_REMEDIES = {
    errno.ENOSPC: "Free some space, or point RESONARE_STORE and RESONARE_OUTPUT elsewhere",
    errno.EDQUOT: "Free some space, or point RESONARE_STORE and RESONARE_OUTPUT elsewhere",
    errno.EROFS: "Point RESONARE_STORE and RESONARE_OUTPUT at a place that can be written",
    errno.EACCES: "Give this user permission, or point the setting at another place",
    errno.EPERM: "Give this user permission, or point the setting at another place",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """What tells cheaply whether a file is still the one that was seen.

    Attributes:
        size: In bytes.
        version: Modification time in nanoseconds on disk; the ETag elsewhere.
    """

    size: int
    version: str


class Files(Protocol):
    """A tree of files under one root."""

    @property
    def uri(self) -> str:
        """Where the root is, as the person wrote it."""
        ...

    def locate(self, path: str) -> str:
        """Return a file's full name, for messages."""
        ...

    def open_read(self, path: str) -> BinaryIO:
        """Open a file for reading; the stream can seek."""
        ...

    def open_write(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a file that takes its place when the block ends without an error."""
        ...

    def stat(self, path: str) -> FileStat | None:
        """Return size and version, or None where there is no such file."""
        ...

    def walk(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        """Yield every file below a folder, in order of name; nothing if there is no folder."""
        ...

    def move(self, source: str, target: str) -> None:
        """Move a folder."""
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


class LocalFiles:
    """Files in a folder on disk; the folder is made with the first file written."""

    def __init__(self, root: Path) -> None:
        self.root = root

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
        return str(self._full(path))

    def open_read(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        full = self._full(path)
        with storage_errors(str(full)):
            return full.open("rb")

    @contextlib.contextmanager
    def open_write(self, path: str) -> Iterator[BinaryIO]:
        """Write beside the target, flush to the device, then rename over it."""
        full = self._full(path)
        draft = full.with_name(f".{uuid.uuid4().hex}.tmp")
        with storage_errors(str(full)):
            full.parent.mkdir(parents=True, exist_ok=True)
            try:
                with draft.open("wb") as stream:
                    yield stream
                    stream.flush()
                    os.fsync(stream.fileno())
                draft.replace(full)
            finally:
                draft.unlink(missing_ok=True)

    def stat(self, path: str) -> FileStat | None:
        """Return size and modification time."""
        full = self._full(path)
        with storage_errors(str(full)):
            try:
                found = full.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return FileStat(size=found.st_size, version=str(found.st_mtime_ns))

    def walk(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        """Yield files in order of name, drafts left out."""
        start = self._full(folder)
        with storage_errors(str(start)):
            yield from self._walk(start)

    def _walk(self, folder: Path) -> Iterator[tuple[str, FileStat]]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.is_dir():
                yield from self._walk(Path(entry.path))
            elif not (entry.name.startswith(".") and entry.name.endswith(".tmp")):
                with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                    found = entry.stat()
                    path = Path(entry.path).relative_to(self.root).as_posix()
                    yield path, FileStat(size=found.st_size, version=str(found.st_mtime_ns))

    def move(self, source: str, target: str) -> None:
        """Move a folder by renaming it."""
        full = self._full(target)
        with storage_errors(str(full)):
            full.parent.mkdir(parents=True, exist_ok=True)
            self._full(source).replace(full)

    def delete(self, path: str) -> None:
        """Delete a file or a folder."""
        full = self._full(path)
        with storage_errors(str(full)):
            if full.is_dir() and not full.is_symlink():
                shutil.rmtree(full)
            else:
                full.unlink(missing_ok=True)


def open_files(uri: str) -> LocalFiles:
    """Return the storage behind a setting's value.

    Args:
        uri: A folder, absolute or relative to the working folder.

    Raises:
        StoreError: For a scheme that is not supported.
    """
    if "://" in uri:
        raise StoreError(
            "this kind of location is not supported", where=uri, expected="a folder on disk"
        )
    return LocalFiles(Path(uri).expanduser())


def read_bytes(files: Files, path: str) -> bytes:
    """Return a small file's content."""
    with files.open_read(path) as stream:
        return stream.read()


def write_bytes(files: Files, path: str, content: bytes) -> None:
    """Replace a small file as a whole."""
    with files.open_write(path) as stream:
        stream.write(content)
