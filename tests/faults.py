"""Storage that fails at the k-th thing it is asked: before it has an effect, after, or for good.

Opening, every read and write of a stream, and its end are things of their own.
"""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session

from resonare_pipeline.artifacts.files import Child, Files, FileStat
from resonare_pipeline.artifacts.s3.client import connect
from resonare_pipeline.errors import StoreError

FAULT = "injected fault"


class When(StrEnum):
    BEFORE = "before it has an effect"
    AFTER = "after it had its effect"
    FOR_GOOD = "then and ever after"


@dataclass
class Faults:
    """Counts what is asked for, over all storages that share it, and fails at one of them."""

    fail_at: int = 0
    when: When = When.BEFORE
    calls: int = 0

    @contextlib.contextmanager
    def call(self, where: str) -> Iterator[None]:
        self.calls += 1
        due = self.calls == self.fail_at
        gone = self.when is When.FOR_GOOD and 0 < self.fail_at <= self.calls
        if gone or (due and self.when is When.BEFORE):
            raise StoreError(FAULT, where=where)
        yield
        if due and self.when is When.AFTER:
            raise StoreError(FAULT, where=where)


class FaultyFiles:
    """Another storage, with faults."""

    def __init__(self, inner: Files, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    @property
    def uri(self) -> str:
        return self._inner.uri

    @property
    def is_flat(self) -> bool:
        return self._inner.is_flat

    def locate(self, path: str) -> str:
        return self._inner.locate(path)

    def below(self, folder: str) -> "FaultyFiles":
        return FaultyFiles(self._inner.below(folder), self._faults)

    def open_read(self, path: str) -> BinaryIO:
        with contextlib.ExitStack() as opened:
            with self._faults.call(path):
                stream = opened.enter_context(self._inner.open_read(path))
            opened.pop_all()
        return io.BufferedReader(_Reader(stream, path, self._faults))

    @contextlib.contextmanager
    def open_write(self, path: str) -> Iterator[BinaryIO]:
        with self._faults.call(path):
            pass
        with contextlib.ExitStack() as finishing, self._inner.open_write(path) as stream:
            outer = io.BufferedWriter(_Writer(stream, path, self._faults))
            yield outer
            outer.flush()
            finishing.enter_context(self._faults.call(path))

    def stat(self, path: str) -> FileStat | None:
        with self._faults.call(path):
            return self._inner.stat(path)

    def children(self, folder: str) -> list[Child] | None:
        with self._faults.call(folder):
            return self._inner.children(folder)

    def walk(self, folder: str, *, drafts: bool = False) -> Iterator[tuple[str, FileStat]]:
        with self._faults.call(folder):
            yield from self._inner.walk(folder, drafts=drafts)

    def move(self, source: str, target: str) -> None:
        with self._faults.call(source):
            self._inner.move(source, target)

    def delete(self, path: str) -> None:
        with self._faults.call(path):
            self._inner.delete(path)


class _Reader(io.RawIOBase):
    def __init__(self, inner: BinaryIO, path: str, faults: Faults) -> None:
        self._inner = inner
        self._path = path
        self._faults = faults

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def readinto(self, target: Any) -> int:
        with self._faults.call(self._path):
            content = self._inner.read(len(target))
        target[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Writer(io.RawIOBase):
    def __init__(self, inner: BinaryIO, path: str, faults: Faults) -> None:
        self._inner = inner
        self._path = path
        self._faults = faults

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        with self._faults.call(self._path):
            return self._inner.write(content)


@contextlib.contextmanager
def failing_requests(fail_at: int = 0, when: When = When.BEFORE) -> Iterator[list[str]]:
    """Let the k-th request to S3 never leave, or never be answered; yield what is asked for."""
    asked: list[str] = []
    session = URLLib3Session(proxies={})

    def before_send(request: Any, **_: Any) -> None:
        asked.append(f"{request.method} {request.url}")
        gone = when is When.FOR_GOOD and 0 < fail_at <= len(asked)
        if gone or len(asked) == fail_at:
            if when is When.AFTER:
                session.send(request)
            raise EndpointConnectionError(endpoint_url=request.url)

    client: Any = connect()
    client.meta.events.register("before-send.s3", before_send)
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-send.s3", before_send)
        session.close()
