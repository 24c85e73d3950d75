"""Files that people name: written beside their place, and put there when they are whole.

The file beside it always has the same name, so that a run that was killed leaves at most that one,
and the next run takes it over. It is locked: two runs cannot write one file.
"""

import contextlib
import errno
import fcntl
import io
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from resonare_pipeline.artifacts.writing import writing_errors
from resonare_pipeline.errors import StoreError

BUFFER_BYTES = 1 << 18


class PlacedFile:
    """A file that takes its place when the block ends without an error.

    What is no regular file (a pipe, `/dev/null`) is written to directly.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing_errors(path):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._target = path.resolve()
            self._direct = self._target.exists() and not self._target.is_file()
            self._draft = self._target.with_name(f".{self._target.name}.partial")
            self._stream = _open(self._target if self._direct else self._draft)
            if not self._direct:
                self._lock()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            raise StoreError(
                "another run is writing it", where=str(self.path), remedy="Wait until it has ended"
            ) from None
        self._stream.truncate()

    @property
    def stream(self) -> BinaryIO:
        """What is written to; failures say where."""
        return self._stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        placed = False
        try:
            if kind is None:
                self._finish()
                placed = True
        finally:
            # A draft goes while it is still locked; one in its place already is another run's.
            if not placed and not self._direct:
                self._draft.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._stream.close()

    def _finish(self) -> None:
        with writing_errors(self.path):
            self._stream.flush()
            if not self._direct:
                os.fsync(self._stream.fileno())
                self._draft.replace(self._target)


def _open(path: Path) -> io.BufferedWriter:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    return io.BufferedWriter(_NamedFile(descriptor, path), BUFFER_BYTES)


def standard_output(stream: BinaryIO) -> io.BufferedWriter:
    """Return a stream on standard output whose failed writes say what it was."""
    return io.BufferedWriter(_StandardOutput(stream), BUFFER_BYTES)


class _StandardOutput(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        try:
            with writing_errors("standard output"):
                written = self._stream.write(content)
                self._stream.flush()
        except OSError:
            # What is left in the buffers would fail once more, with a traceback, at the very end.
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)
            raise
        return written


class _NamedFile(io.FileIO):
    """A file whose failed writes say which it was."""

    def __init__(self, descriptor: int, path: Path) -> None:
        super().__init__(descriptor, "wb")
        self._path = path

    def write(self, content: Any, /) -> int:
        with writing_errors(self._path):
            return super().write(content)
