"""An object read as a file, in ranges: a bounded read-ahead that grows while reading goes forward.

The object is pinned to the ETag that the first answer had. One that is replaced meanwhile is an
error, even where the storage ignores the condition, so bytes of two versions are never mixed.
"""

import contextlib
import io
import time
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from resonare_pipeline.artifacts.s3.client import Answer, S3Client
from resonare_pipeline.artifacts.s3.errors import BEYOND_END, changed, code_of, s3_errors
from resonare_pipeline.errors import StoreError

FIRST_BYTES = 256 << 10  # most files of a store are smaller, and take one request
MOST_BYTES = 4 << 20  # of one request: some 100 MB/s where an answer takes 40 ms
BUFFER_BYTES = 64 << 10
ATTEMPTS = 4  # at one range whose answer breaks off
PAUSE_SECONDS = 0.2  # before the second attempt; doubles


def open_object(client: S3Client, bucket: str, key: str, where: str) -> BinaryIO:
    """Open an object for reading.

    Raises:
        MissingFileError: If there is none.
        StoreError: If it cannot be read.
    """
    return io.BufferedReader(_Ranges(client, bucket, key, where), BUFFER_BYTES)


class _Ranges(io.RawIOBase):
    """One object; holds one range of it at a time."""

    def __init__(self, client: S3Client, bucket: str, key: str, where: str) -> None:
        self._client = client
        self._address = {"Bucket": bucket, "Key": key}
        self._where = where
        self._pin: dict[str, str] = {}
        self._size = 0
        self._at = 0
        self._start = 0
        self._ahead = FIRST_BYTES
        self._held = self._fetch(0, FIRST_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, target: Any) -> int:
        with memoryview(target).cast("B") as view:
            wanted = min(view.nbytes, self._size - self._at)
            if wanted <= 0:
                return 0
            if not self._start <= self._at < self._start + len(self._held):
                self._advance(wanted)
            offset = self._at - self._start
            with memoryview(self._held)[offset : offset + wanted] as piece:
                view[: piece.nbytes] = piece
                self._at += piece.nbytes
                return piece.nbytes

    def close(self) -> None:
        self._held = b""
        super().close()

    def _advance(self, wanted: int) -> None:
        goes_on = self._at == self._start + len(self._held)
        self._ahead = min(2 * self._ahead, MOST_BYTES) if goes_on else FIRST_BYTES
        length = min(max(wanted, self._ahead), MOST_BYTES, self._size - self._at)
        self._held = b""  # before the next is there, so that two are never in memory
        self._held = self._fetch(self._at, length)
        self._start = self._at

    def _fetch(self, start: int, length: int) -> bytes:
        """Return a range's bytes; what breaks off is asked for again, since nothing is lost."""
        with s3_errors(self._where):
            for attempt in range(1, ATTEMPTS + 1):
                answer = self._ask(start, length)
                if answer is None:
                    return b""
                self._check(answer)
                try:
                    with contextlib.closing(answer["Body"]) as body:
                        content = bytes(body.read())
                except BotoCoreError:
                    if attempt == ATTEMPTS:
                        raise
                    time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
                else:
                    break
        expected = min(length, self._size - start)
        if len(content) != expected:
            raise StoreError(
                f"{len(content)} bytes came for the {expected} from byte {start}",
                where=self._where,
                expected="storage that serves ranges",
            )
        return content

    def _ask(self, start: int, length: int) -> Answer | None:
        """Return the answer for a range, or None where the object is empty."""
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            return self._client.get_object(**self._address, **self._pin, Range=wanted)
        except ClientError as error:
            if code_of(error) in BEYOND_END and start == 0 and not self._pin:
                return None
            raise

    def _check(self, answer: Answer) -> None:
        etag = str(answer.get("ETag", ""))
        if not self._pin:
            total = str(answer.get("ContentRange", "")).rpartition("/")[2]
            self._size = int(total) if total.isdigit() else int(answer["ContentLength"])
            self._pin = {"IfMatch": etag}
        elif etag != self._pin["IfMatch"]:
            answer["Body"].close()
            raise changed(self._where)
