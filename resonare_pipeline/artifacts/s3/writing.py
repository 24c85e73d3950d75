"""An object written as a stream in bounded memory: visible whole when it is done, or never.

What fits one part is put at once. Anything longer is an upload in parts, which the storage joins at
the end; until then nobody sees it, and a writer that fails takes it back.
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from resonare_pipeline.artifacts.s3.client import S3Client
from resonare_pipeline.artifacts.s3.errors import s3_errors
from resonare_pipeline.errors import StoreError

PART_BYTES = 8 << 20  # at least 5 MiB by S3's rules; all parts alike, as some storages demand
MOST_PARTS = 10_000  # S3's limit
BUFFER_BYTES = 256 << 10  # so that small writes cost no call into Python each


@contextlib.contextmanager
def uploading(
    client: S3Client, bucket: str, key: str, where: str, part_bytes: int = PART_BYTES
) -> Iterator[BinaryIO]:
    """Open an object that takes its place when the block ends without an error.

    Raises:
        StoreError: If it cannot be written; the object is as it was then.
    """
    upload = _Upload(client, bucket, key, where, part_bytes)
    stream = io.BufferedWriter(upload, BUFFER_BYTES)
    try:
        yield stream
        stream.flush()
        upload.finish()
    except BaseException:
        upload.abandon()
        raise
    finally:
        stream.close()


class _Upload(io.RawIOBase):
    """One upload; holds one part at a time."""

    def __init__(
        self, client: S3Client, bucket: str, key: str, where: str, part_bytes: int
    ) -> None:
        self._client = client
        self._address = {"Bucket": bucket, "Key": key}
        self._where = where
        self._part_bytes = part_bytes
        self._pending = bytearray()
        self._upload: dict[str, str] = {}
        self._parts: list[dict[str, Any]] = []
        self._abandoned = False
        self._failure: StoreError | None = None

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        with memoryview(content).cast("B") as view:
            if self._abandoned:
                return view.nbytes  # the buffer above is emptied; nobody wants this any more
            start = 0
            while start < view.nbytes:
                end = start + self._part_bytes - len(self._pending)
                self._pending += view[start:end]
                start = end
                if len(self._pending) == self._part_bytes:
                    self._send()
            return view.nbytes

    def finish(self) -> None:
        """Make the object visible."""
        with self._failing_for_good():
            if not self._upload:
                self._client.put_object(**self._address, Body=bytes(self._pending))
                return
            if self._pending:
                self._send()
            self._client.complete_multipart_upload(
                **self._address, **self._upload, MultipartUpload={"Parts": self._parts}
            )

    def abandon(self) -> None:
        """Take back what was sent; what cannot be taken back is cleared away by pruning."""
        self._abandoned = True
        self._pending = bytearray()
        if self._upload:
            with contextlib.suppress(StoreError), s3_errors(self._where):
                self._client.abort_multipart_upload(**self._address, **self._upload)

    def _send(self) -> None:
        with self._failing_for_good():
            if len(self._parts) == MOST_PARTS:
                raise StoreError(
                    f"longer than {MOST_PARTS} parts of {self._part_bytes} bytes",
                    where=self._where,
                    expected="a file that S3 can take",
                )
            if not self._upload:
                answer = self._client.create_multipart_upload(**self._address)
                self._upload = {"UploadId": str(answer["UploadId"])}
            number = len(self._parts) + 1
            sent = self._client.upload_part(
                **self._address, **self._upload, PartNumber=number, Body=bytes(self._pending)
            )
            # Checksums are asked for again when parts are joined, by the names they came with.
            sums = {name: value for name, value in sent.items() if name.startswith("Checksum")}
            sums.pop("ChecksumType", None)
            self._parts.append({"ETag": sent["ETag"], "PartNumber": number, **sums})
            self._pending.clear()

    @contextlib.contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        """Let nothing follow a failure: a buffer above writes again what it could not write."""
        if self._failure is not None:
            raise self._failure
        try:
            with s3_errors(self._where):
                yield
        except StoreError as error:
            self._failure = error
            raise
