"""A file as huggingface_hub reads it: hashed, sent, and sent again after a broken connection."""

import io
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

from resonare_pipeline.datasets.listing import HubFile
from resonare_pipeline.errors import DamagedArtifactError
from resonare_pipeline.progress import Progress

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd


def _nobody() -> None:
    pass


class SentFile(io.BufferedIOBase):
    """Opened at the first read and closed at the end, so that any number of files may wait.

    Attributes:
        on_read: Called whenever some of it was read.
        furthest: How far it was read, in bytes; what is read again does not count twice.
    """

    def __init__(self, file: HubFile) -> None:
        self.on_read: Callable[[], None] = _nobody
        self._file = file
        self._inner: BinaryIO | None = None
        self._position = 0
        self.furthest = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read again from any place."""
        return True

    def tell(self) -> int:
        """Return how far it is read, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place; nothing is opened for that."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes from the present place; what follows the file's end is never read."""
        left = self._file.size - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted <= 0:
            self._close_inner()
            return b""
        if self._inner is None:
            self._inner = self._file.open()
        if self._inner.tell() != self._position:
            self._inner.seek(self._position)
        content = self._inner.read(wanted)
        self._position += len(content)
        if self._position >= self._file.size or not content:
            self._close_inner()
        self.furthest = max(self.furthest, self._position)
        self.on_read()
        return content

    def close(self) -> None:
        """Close what is open."""
        self._close_inner()
        super().close()

    def _close_inner(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.close()


def hashed(files: Sequence[HubFile], progress: Progress) -> "list[CommitOperationAdd]":
    """Return files as huggingface_hub takes them; what is not what was written never goes out.

    Raises:
        DamagedArtifactError: If the content of one has another hash than it should.
    """
    from huggingface_hub import CommitOperationAdd

    total = sum(file.size for file in files)
    streams = [SentFile(file) for file in files]
    additions = []
    for file, stream in zip(files, streams, strict=True):
        addition = CommitOperationAdd(file.path_in_repo, cast(BinaryIO, stream))
        if addition.upload_info.sha256.hex() != file.sha256:
            raise DamagedArtifactError(
                "not what was written", where=file.path_in_repo, remedy="Run again"
            )
        additions.append(addition)

    def moved() -> None:
        progress(sum(stream.furthest for stream in streams), total, "bytes")

    for stream in streams:
        stream.on_read, stream.furthest = moved, 0
    return additions
