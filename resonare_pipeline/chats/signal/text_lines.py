"""The lines of a file of UTF-8, read once from front to back and hashed meanwhile.

Only a line feed ends a line. What lines mean is not known here.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.errors import InputChangedError, InputError

CHUNK_BYTES = 1 << 20
MOST_LINE = 64 << 20  # characters; a longer line is none
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class TextLines:
    """A file as lines, with their ends; a mark of byte order is left out.

    Args:
        stream: The file from its start.
        file: What the file should be.
        on_read: Told how many bytes were read.
        chunk_bytes: How much is read at a time.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: ExportFile,
        *,
        on_read: Callable[[int], None] = lambda _: None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._file = file
        self._stream = stream
        self._on_read = on_read
        self._chunk_bytes = chunk_bytes
        self._hasher = hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        """Yield lines, once.

        Raises:
            InputError: For bytes that are not UTF-8, or a line without end.
        """
        decoder = codecs.getincrementaldecoder("utf-8")()
        rest, done = "", 0
        while chunk := self._read():
            text = self._decoded(decoder, chunk, done)
            done += len(chunk)
            lines = (rest + text).split("\n")
            rest = lines.pop()
            yield from (f"{line}\n" for line in lines)
            if len(rest) > MOST_LINE:
                raise self._refusal("a line without end", done)
        if rest:
            yield rest

    def _read(self) -> bytes:
        chunk = self._stream.read(self._chunk_bytes)
        self._hasher.update(chunk)
        if chunk:
            self._on_read(len(chunk))
        return chunk

    def _decoded(self, decoder: codecs.IncrementalDecoder, chunk: bytes, done: int) -> str:
        if not done:
            if encoding := _WIDE.get(chunk[:2]):
                raise self._refusal(f"the file is {encoding} text", 0)
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        try:
            return decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise self._refusal("a byte that is not UTF-8", done + error.start) from error

    def _refusal(self, found: str, place: int) -> InputError:
        return InputError(
            found,
            where=f"{self._file.name}, byte {place}",
            expected="text in UTF-8, as the tools that export Signal write it",
            remedy="Write the files again, or convert: iconv -f <its encoding> -t UTF-8",
        )

    def verify(self) -> None:
        """Read what is left of the file and compare the hash of all of it.

        Raises:
            InputChangedError: If these are not the bytes that were listed.
        """
        while self._read():
            pass
        if self._hasher.hexdigest() != self._file.sha256:
            raise InputChangedError(
                "the file changed while it was being read",
                where=self._file.name,
                expected="the bytes that were there when it was listed",
                remedy="Wait until the export or copy has finished, then run again",
            )
