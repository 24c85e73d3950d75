"""Records that are left out, written whole as JSON lines with the reason beside them."""

import codecs
import json
from collections.abc import Callable
from typing import BinaryIO

from resonare_pipeline.records.filling import Filled
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.reasons import UnusableRecordError
from resonare_pipeline.records.spans import encode, on_one_line
from resonare_pipeline.records.understanding import decode

COPIED_BYTES = 1 << 18


class DroppedLines:
    """Writes a line for each record that is left out.

    A record stands under `record` as it came. What is no JSON stands under `text`: bytes that are
    no UTF-8 are lone surrogates there, as Python's `surrogateescape` has it; nothing is lost.

    Args:
        open_stream: Opens what is written to, when there is something to write.
        open_input: Opens the input, for what is too long to be held.
    """

    def __init__(
        self, open_stream: Callable[[], BinaryIO], open_input: Callable[[], BinaryIO]
    ) -> None:
        self._open_stream = open_stream
        self._open_input = open_input
        self._stream: BinaryIO | None = None

    def add(self, record: Record, filled: Filled) -> None:
        """Write a record."""
        if self._stream is None:
            self._stream = self._open_stream()
        about = {
            "number": record.number,
            "place": record.place,
            "reason": str(filled.reason),
            "detail": filled.detail,
        }
        self._stream.write(encode(about)[:-1])
        if _is_json(record):
            self._stream.write(b', "record": ' + on_one_line(record.text).strip())
        else:
            self._stream.write(b', "text": "')
            self._copy(record, self._stream)
            self._stream.write(b'"')
        self._stream.write(b"}\n")

    def _copy(self, record: Record, stream: BinaryIO) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        if record.text or not record.size:
            stream.write(_escaped(decoder.decode(record.text, True)))  # noqa: FBT003  # its signature
            return
        left = record.size
        with self._open_input() as source:
            source.seek(record.offset)
            while left and (chunk := source.read(min(left, COPIED_BYTES))):
                left -= len(chunk)
                stream.write(_escaped(decoder.decode(chunk, not left)))


def _is_json(record: Record) -> bool:
    if record.problem is not None:
        return False
    try:
        decode(record.text)
    except UnusableRecordError:
        return False
    return True


def _escaped(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()
