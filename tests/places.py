"""The two storages that every test of the store runs on, and what a test may do behind its back."""

import os
import uuid
from pathlib import Path
from typing import Protocol

from resonare_pipeline.artifacts.files import (
    Files,
    LocalFiles,
    draft_name,
    read_bytes,
    write_bytes,
)
from resonare_pipeline.artifacts.s3.client import connect
from resonare_pipeline.artifacts.s3.files import S3Files
from resonare_pipeline.artifacts.s3.writing import PART_BYTES, uploading
from tests.s3 import set_age

SECONDS_A_DAY = 86_400


class Place(Protocol):
    """A root on one storage."""

    draft_bytes: int
    """How much must be written of a file before its draft is listed."""

    @property
    def files(self) -> Files: ...

    def touch(self, path: str) -> None:
        """Give a file another version and the same bytes, as copying does."""
        ...

    def set_age(self, path: str, *, days: float) -> None:
        """Let a file be last written some days ago."""
        ...

    def leave_draft(self, path: str, content: bytes, *, days: float) -> None:
        """Leave what a writer leaves that was killed some days ago."""
        ...

    def elsewhere(self) -> "Place":
        """Return another, empty root."""
        ...


class DiskPlace:
    draft_bytes = 1

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = LocalFiles(root)

    def touch(self, path: str) -> None:
        stat = (self.root / path).stat()
        os.utime(self.root / path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))

    def set_age(self, path: str, *, days: float) -> None:
        stat = (self.root / path).stat()
        then = stat.st_mtime - days * SECONDS_A_DAY
        os.utime(self.root / path, (then, then))

    def leave_draft(self, path: str, content: bytes, *, days: float) -> None:
        folder, _, name = path.rpartition("/")
        draft = f"{folder}/{draft_name(name, 'killed')}"
        write_bytes(self.files, draft, content)
        self.set_age(draft, days=days)

    def elsewhere(self) -> Place:
        return DiskPlace(self.root.with_name(uuid.uuid4().hex) / "deep")


class BucketPlace:
    draft_bytes = PART_BYTES

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.files = S3Files(connect(), bucket, prefix)

    def touch(self, path: str) -> None:
        content = read_bytes(self.files, path)
        stat = self.files.stat(path)
        if stat and stat.version.endswith("-1"):
            write_bytes(self.files, path, content)
        else:
            send_in_parts(self, path, content)

    def set_age(self, path: str, *, days: float) -> None:
        set_age(self.bucket, f"{self.prefix}/{path}", days=days)

    def leave_draft(self, path: str, content: bytes, *, days: float) -> None:
        address = {"Bucket": self.bucket, "Key": f"{self.prefix}/{path}"}
        upload = connect().create_multipart_upload(**address)["UploadId"]
        connect().upload_part(**address, UploadId=upload, PartNumber=1, Body=content)
        self.set_age(path, days=days)

    def elsewhere(self) -> Place:
        return BucketPlace(self.bucket, f"{uuid.uuid4().hex}/deep")


def send_in_parts(place: BucketPlace, path: str, content: bytes) -> None:
    """Write an object whose ETag tells of an upload in parts, if only of one part."""
    key = f"{place.prefix}/{path}"
    size = max(1, len(content))
    with uploading(connect(), place.bucket, key, path, part_bytes=size) as stream:
        stream.write(content)


def contents(files: Files, folder: str = "") -> dict[str, bytes]:
    """Return all files below a folder."""
    return {path: read_bytes(files, path) for path, _ in files.walk(folder)}


def copy_all(source: Files, target: Files) -> None:
    for path, content in contents(source).items():
        write_bytes(target, path, content)
