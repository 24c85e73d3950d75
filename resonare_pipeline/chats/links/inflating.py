"""Decompression that never makes more bytes than are wanted, whatever a server sends."""

import zlib

ACCEPTED = "gzip, deflate"
_GZIP_BITS = zlib.MAX_WBITS | 16
_RAW_BITS = -zlib.MAX_WBITS
_ZLIB_HEADER = 0x08  # in the low half of the first byte, RFC 1950


class Inflater:
    """Takes the bytes of a body as they come, and keeps the first of what they stand for.

    Args:
        coding: `Content-Encoding`, in lower case; empty for none.
        max_bytes: Most decompressed bytes that are kept.

    Raises:
        ValueError: For a coding that was not asked for.
    """

    def __init__(self, coding: str, max_bytes: int) -> None:
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise ValueError("another coding")
        self._coding = coding
        self._max_bytes = max_bytes
        self._inflate: zlib._Decompress | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self.is_full = False
        """Whether more came than is kept."""

    @property
    def content(self) -> bytes:
        """What came so far, decompressed."""
        return b"".join(self._parts)

    def add(self, data: bytes) -> None:
        """Take further bytes.

        Raises:
            ValueError: For bytes that are not compressed as was said.
        """
        if not data or self.is_full:
            return
        if self._coding in ("", "identity"):
            self._keep(data)
            return
        if self._inflate is None:
            self._inflate = zlib.decompressobj(self._bits(data))
        room = self._max_bytes - self._size
        try:
            # One more than fits, which tells a body that is too long from one that just fits.
            self._keep(self._inflate.decompress(data, room + 1))
        except zlib.error as error:
            raise ValueError(str(error)) from error

    def _bits(self, data: bytes) -> int:
        if self._coding != "deflate":
            return _GZIP_BITS
        # Some servers take "deflate" for a stream without zlib's header.
        return zlib.MAX_WBITS if data[0] & 0x0F == _ZLIB_HEADER else _RAW_BITS

    def _keep(self, data: bytes) -> None:
        room = self._max_bytes - self._size
        self.is_full = len(data) > room
        self._parts.append(data[:room])
        self._size += len(self._parts[-1])
