"""The bytes of one export file, seen through a window that moves forward and grows on demand.

All bytes that pass are hashed, also those that nobody looks at. What the bytes mean is not known
here, but for the encoding: JSON in anything but UTF-8 is refused at the first look.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import BinaryIO

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.errors import InputChangedError, InputError

WINDOW_BYTES = 1 << 19  # about 1,200 messages: as Python objects they still fit a CPU's cache

WINDOWS_AHEAD = 8  # fewer and larger reads: each hand-over between threads can cost milliseconds

_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE_STARTS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_SIGNS = b'{["<'  # what the text of an export in two- or four-byte characters could begin with


class CutOffError(Exception):
    """The file ended inside a value; never leaves this package."""


class Window:
    """A file's bytes from `at` on; what lies before may already be gone.

    Attributes:
        data: The bytes at hand.
        at: Index into `data` of the next byte to look at.
        start: Place of `data[0]` in the file, in bytes.
        kept: Place from which on bytes stay at hand, though they lie before `at`; or None.

    Args:
        stream: The file from its start.
        file: What the file should be.
        ahead: One thread that reads and hashes the next bytes while these are looked at.
        window_bytes: How much is looked at in one go; some times that is read at a time.
        on_read: Told how many bytes were read.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: ExportFile,
        *,
        ahead: Executor,
        window_bytes: int = WINDOW_BYTES,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.file = file
        self.window_bytes = window_bytes
        self.data = b""
        self.at = 0
        self.start = 0
        self.kept: int | None = None
        self._stream = stream
        self._on_read = on_read
        self._hasher = hashlib.sha256()
        self._read_bytes = window_bytes * WINDOWS_AHEAD
        self._ahead: Future[bytes] = ahead.submit(self._read, self._read_bytes)
        self._pool = ahead
        while len(self.data) < len(_UTF8_MARK) + 1 and self.more():
            pass
        _refuse_other_encodings(self)
        if self.data.startswith(_UTF8_MARK):
            self.at = len(_UTF8_MARK)

    @property
    def offset(self) -> int:
        """Place of the next byte in the file."""
        return self.start + self.at

    def more(self) -> bool:
        """Forget what lies before `at` and is not kept, and read on; False at the end of the file.

        At least as much is read as is at hand, so that looking again at a value that is still
        incomplete costs linear time in total.
        """
        wanted = max(self.window_bytes, len(self.data) - self.at)
        passed = self.at if self.kept is None else self.kept - self.start
        pieces = [self.data[passed:]]
        while wanted > 0 and (piece := self._next()):
            pieces.append(piece)
            wanted -= len(piece)
        if len(pieces) == 1:
            return False
        self.start += passed
        self.data = b"".join(pieces)
        self.at -= passed
        return True

    def need(self) -> None:
        """Read on.

        Raises:
            CutOffError: At the end of the file.
        """
        if not self.more():
            raise CutOffError

    def _next(self) -> bytes:
        piece = self._ahead.result()
        if piece:
            self._ahead = self._pool.submit(self._read, self._read_bytes)
            self._on_read(len(piece))
        return piece

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._hasher.update(piece)
        return piece

    def verify(self) -> None:
        """Read what is left of the file and compare the hash of all of it.

        Raises:
            InputChangedError: If these are not the bytes that were listed.
        """
        while self._next():
            pass
        if self._hasher.hexdigest() != self.file.sha256:
            raise InputChangedError(
                "the file changed while it was being read",
                where=self.file.name,
                expected="the bytes that were there when it was listed",
                remedy="Wait until the export or copy has finished, then run again",
            )

    def where(self, place: int | None = None) -> str:
        """Return the words for a place in the file, by default that of the next byte."""
        return f"{self.file.name}, byte {self.offset if place is None else place}"


def _refuse_other_encodings(window: Window) -> None:
    head = window.data[:4]
    encoding = next((name for mark, name in _WIDE_STARTS.items() if head.startswith(mark)), "")
    if not encoding and b"\x00" in head and head.strip(b"\x00")[:1] in _SIGNS:
        encoding = "UTF-32" if head.count(b"\x00") > 2 else "UTF-16"
    if encoding:
        raise InputError(
            f"the file is {encoding} text",
            where=window.where(0),
            expected="JSON in UTF-8, as Telegram Desktop writes it",
            remedy=f"Convert it: iconv -f {encoding} -t UTF-8 < old.json > result.json",
        )


def not_utf8(window: Window, place: int) -> InputError:
    """Return the error for a byte that is no UTF-8."""
    return InputError(
        "a byte that is not UTF-8",
        where=window.where(place),
        expected="JSON in UTF-8, as Telegram Desktop writes it",
        remedy="Export again, or convert: iconv -f <its encoding> -t UTF-8 < old > result.json",
    )
