"""Streams of bytes → the texts of single records, in bounded memory. Nothing is decoded here.

JSON is read as an array of values, or as values that follow one another, however they are laid out.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from resonare_pipeline.records.items import LONGEST_RECORD_BYTES, Record
from resonare_pipeline.records.reasons import DropReason

CHUNK_BYTES = 1 << 18
BOM = b"\xef\xbb\xbf"
BLANKS = b" \t\r\n"
OPENINGS = (b'"', b"{", b"[")

_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_SCALAR_END = re.compile(rb"[\s,\]}]")


def split_lines(stream: BinaryIO, *, longest: int = LONGEST_RECORD_BYTES) -> Iterator[Record]:
    """Yield the lines of a file that are not blank, without their ends."""
    number = line = position = 0
    while text := stream.readline(longest + 1):
        start, line = position, line + 1
        position += len(text)
        is_long = len(text) > longest and not text.endswith(b"\n")
        if is_long:
            position += _skip_line(stream)
        elif start == 0:
            text = text.removeprefix(BOM)
        if not text.strip():
            continue
        yield Record(
            number=number,
            text=b"" if is_long else text.removesuffix(b"\n"),
            place=f"line {line}",
            done=position,
            problem=DropReason.TOO_LONG if is_long else None,
            detail=f"{position - start} bytes, more than {longest}" if is_long else "",
            offset=start,
            size=position - start,
        )
        number += 1


def _skip_line(stream: BinaryIO) -> int:
    skipped = 0
    while piece := stream.readline(CHUNK_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


class _Scanner:
    """Finds where a value ends, however it is cut into pieces; each byte is looked at once."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._begun = False
        self._scalar = False

    def feed(self, text: bytes, position: int) -> tuple[int, bool]:
        """Return where to go on, and whether the value ends there.

        Where it does not end, everything before the place is done with.
        """
        if not self._begun:
            self._begun = True
            self._scalar = text[position : position + 1] not in OPENINGS
        if self._scalar:
            ending = _SCALAR_END.search(text, position)
            return (ending.start(), True) if ending else (len(text), False)
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(text, position):
            position = found.end()
            if found[0] == b"\\":
                if position == len(text):
                    return found.start(), False
                position += 1
                continue
            self._note(found[0])
            if self._depth <= 0 and not self._in_string:
                return position, True
        return len(text), False

    def _note(self, sign: bytes) -> None:
        if sign == b'"':
            self._in_string = not self._in_string
        else:
            self._depth += 1 if sign in b"{[" else -1


class JsonSplitter:
    """Yields the values of a JSON file.

    Attributes:
        is_array: They stand in one array; known when the first is yielded.
    """

    def __init__(self, stream: BinaryIO, *, longest: int = LONGEST_RECORD_BYTES) -> None:
        self._stream = stream
        self._longest = longest
        self._buffer = b""
        self._start = 0  # of the buffer, in the file
        self._position = 0  # in the buffer
        self.is_array = False

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; what follows a break in the syntax is one last record, whole."""
        if self._peek() == BOM[:1]:
            self._position += len(BOM)
        self.is_array = self._peek() == b"["
        self._position += self.is_array
        number = 0
        while (sign := self._peek()) and not (self.is_array and sign == b"]"):
            record = self._value(number)
            yield record
            number += 1
            if record.problem is DropReason.NOT_JSON:
                return
            if self.is_array and self._peek() not in (b",", b"]", b""):
                yield self._rest(number, "no comma behind a value")
                return
            self._position += self.is_array and self._peek() == b","
        if self.is_array:
            yield from self._after_array(number)

    def _after_array(self, number: int) -> Iterator[Record]:
        if not self._peek():
            yield self._rest(number, "the array is cut off")
            return
        self._position += 1
        if self._peek():
            yield self._rest(number, "text behind the end of the array")

    def _peek(self) -> bytes:
        """Return the next byte that is no blank, without taking it; empty at the end."""
        while True:
            while self._position < len(self._buffer):
                sign = self._buffer[self._position : self._position + 1]
                if sign not in BLANKS:
                    return sign
                self._position += 1
            if not self._more(keep_from=self._position):
                return b""

    def _more(self, *, keep_from: int) -> bool:
        chunk = self._stream.read(max(CHUNK_BYTES, len(self._buffer) - keep_from))
        self._buffer = self._buffer[keep_from:] + chunk
        self._start += keep_from
        self._position -= keep_from
        return bool(chunk)

    def _value(self, number: int) -> Record:
        scanner = _Scanner()
        start = self._position
        offset = self._start + start
        while True:
            self._position, is_done = scanner.feed(self._buffer, self._position)
            is_long = self._start + self._position - offset > self._longest
            if is_done:
                break
            keep = self._position if is_long else start
            ended = not self._more(keep_from=keep)
            start = 0
            if ended:
                break
        size = self._start + self._position - offset
        problem, detail = None, ""
        if is_long:
            problem, detail = DropReason.TOO_LONG, f"{size} bytes, more than {self._longest}"
        elif not is_done and not self._is_whole_scalar(start):
            self._position = len(self._buffer)
            problem, detail = DropReason.NOT_JSON, "it is cut off"
        return Record(
            number=number,
            text=b"" if is_long else self._buffer[start : self._position],
            place=f"record {number}, byte {offset}",
            done=self._start + self._position,
            problem=problem,
            detail=detail,
            offset=offset,
            size=size,
        )

    def _is_whole_scalar(self, start: int) -> bool:
        return not self.is_array and self._buffer[start : start + 1] not in OPENINGS

    def _rest(self, number: int, detail: str) -> Record:
        """Return all that is left as one record that cannot be read."""
        offset = self._start + self._position
        size = len(self._buffer) - self._position
        while chunk := self._stream.read(CHUNK_BYTES):
            size += len(chunk)
        return Record(
            number=number,
            text=b"",
            place=f"byte {offset}",
            done=offset + size,
            problem=DropReason.NOT_JSON,
            detail=detail,
            offset=offset,
            size=size,
        )
