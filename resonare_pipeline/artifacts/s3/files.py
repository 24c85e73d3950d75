"""Files below a prefix of a bucket, with the same behaviour as a folder on disk.

A folder is what stands before a slash in a key: it is there while a file is in it. Keys that no
path can have (an empty name, `.` or `..` in them, folder marks of other tools) are passed over.
Nothing rests on conditional writes or on the order of listings.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from resonare_pipeline.artifacts.files import Child, FileStat, draft_name, is_draft
from resonare_pipeline.artifacts.s3.client import Answer, S3Client
from resonare_pipeline.artifacts.s3.errors import s3_errors
from resonare_pipeline.artifacts.s3.reading import open_object
from resonare_pipeline.artifacts.s3.writing import PART_BYTES, uploading
from resonare_pipeline.errors import MissingFileError, StoreError
from resonare_pipeline.fingerprint import short_hash


class S3Files:
    """Files below a prefix of a bucket."""

    is_flat = True

    def __init__(
        self, client: S3Client, bucket: str, prefix: str = "", *, part_bytes: int = PART_BYTES
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._part_bytes = part_bytes

    @property
    def uri(self) -> str:
        """The location, without a slash at its end."""
        return self.locate("")

    def below(self, folder: str) -> "S3Files":
        """Return the tree below a folder."""
        return S3Files(self._client, self._bucket, self._key(folder), part_bytes=self._part_bytes)

    def locate(self, path: str) -> str:
        """Return the full name, `s3://` included."""
        return f"s3://{self._bucket}/{self._key(path)}".rstrip("/")

    def _key(self, path: str) -> str:
        parts = PurePosixPath(path).parts
        if ".." in parts or PurePosixPath(path).is_absolute():
            raise StoreError("a path that leaves its root", where=path, expected="a path below it")
        return "/".join((self._prefix, *parts) if self._prefix else parts)

    def _folder_key(self, path: str) -> str:
        key = self._key(path)
        return f"{key}/" if key else ""

    def open_read(self, path: str) -> BinaryIO:
        """Open an object for reading, as it is now."""
        return open_object(self._client, self._bucket, self._key(path), self.locate(path))

    def open_write(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open an object for writing."""
        return uploading(
            self._client, self._bucket, self._key(path), self.locate(path), self._part_bytes
        )

    def stat(self, path: str) -> FileStat | None:
        """Return size and ETag."""
        key = self._key(path)
        if not key:
            return None
        try:
            with s3_errors(self.locate(path)):
                return _file_stat(self._client.head_object(Bucket=self._bucket, Key=key))
        except MissingFileError:
            return None

    def children(self, folder: str) -> list[Child]:
        """Return what lies directly in a folder; an absent one has nothing in it."""
        start = self._folder_key(folder)
        found: dict[str, Child] = {}
        for page in self._pages(start, Delimiter="/"):
            for item in page.get("Contents", ()):
                name = item["Key"][len(start) :]
                if _is_path(name):
                    found[name] = Child(name=name, is_folder=False, stat=_file_stat(item))
            for item in page.get("CommonPrefixes", ()):
                name = item["Prefix"][len(start) : -1]
                if _is_path(name):
                    found[f"{name}/"] = Child(name=name, is_folder=True)
        return [found[name] for name in sorted(found)]

    def walk(self, folder: str, *, drafts: bool = False) -> Iterator[tuple[str, FileStat]]:
        """Yield objects by key, and unfinished uploads if asked."""
        if drafts:
            yield from sorted(
                [*self._objects(folder), *((path, stat) for path, _, stat in self._drafts(folder))],
                key=lambda found: found[0],
            )
        else:
            yield from self._objects(folder)

    def _objects(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        root = self._folder_key("")
        for page in self._pages(self._folder_key(folder)):
            for item in page.get("Contents", ()):
                path = item["Key"][len(root) :]
                if _is_path(path):
                    yield path, _file_stat(item)

    def _pages(self, prefix: str, **more: str) -> Iterator[Answer]:
        token: dict[str, str] = {}
        while True:
            with s3_errors(f"s3://{self._bucket}/{prefix}"):
                page = self._client.list_objects_v2(
                    Bucket=self._bucket, Prefix=prefix, **more, **token
                )
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _drafts(self, folder: str) -> Iterator[tuple[str, Answer, FileStat]]:
        """Yield unfinished uploads: path, what names them to the storage, what was sent so far."""
        root = self._folder_key("")
        for upload in self._uploads(self._folder_key(folder)):
            folder_of_it, slash, name = upload["Key"][len(root) :].rpartition("/")
            address = {
                "Bucket": self._bucket,
                "Key": upload["Key"],
                "UploadId": upload["UploadId"],
            }
            path = f"{folder_of_it}{slash}{draft_name(name, short_hash(upload['UploadId']))}"
            try:
                yield path, address, self._sent(address, upload["Initiated"])
            except MissingFileError:  # finished or taken back since it was listed
                continue

    def _uploads(self, prefix: str) -> Iterator[Answer]:
        marker: dict[str, str] = {}
        while True:
            with s3_errors(f"s3://{self._bucket}/{prefix}"):
                page = self._client.list_multipart_uploads(
                    Bucket=self._bucket, Prefix=prefix, **marker
                )
            yield from page.get("Uploads", ())
            if not page.get("IsTruncated"):
                return
            marker = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def _sent(self, upload: Answer, begun_at: dt.datetime) -> FileStat:
        size, youngest = 0, begun_at
        marker: dict[str, int] = {}
        while True:
            with s3_errors(f"s3://{self._bucket}/{upload['Key']}"):
                page = self._client.list_parts(**upload, **marker)
            for part in page.get("Parts", ()):
                size += part["Size"]
                youngest = max(youngest, part["LastModified"])
            if not page.get("IsTruncated"):
                return FileStat(size=size, version=upload["UploadId"], modified_at=youngest)
            marker = {"PartNumberMarker": page["NextPartNumberMarker"]}

    def move(self, source: str, target: str) -> None:
        """Copy every object of a folder, then delete them."""
        paths = [path for path, _ in self._objects(source)]
        origin, goal = self._folder_key(source), self._folder_key(target)
        for path in paths:
            key = self._key(path)
            with s3_errors(self.locate(path)):
                self._client.copy(
                    CopySource={"Bucket": self._bucket, "Key": key},
                    Bucket=self._bucket,
                    Key=f"{goal}{key[len(origin) :]}",
                )
        for path in paths:
            self._delete(self._key(path))

    def delete(self, path: str) -> None:
        """Delete an object, or all in a folder with the uploads that are unfinished there."""
        if not PurePosixPath(path).parts:
            raise StoreError("the root itself is not deleted", where=self.uri)
        key = self._key(path)
        parent, _, name = path.rpartition("/")
        if is_draft(name):
            self._abort(upload for draft, upload, _ in self._drafts(parent) if draft == path)
            return
        for below, _ in list(self._objects(path)):
            self._delete(self._key(below))
        self._delete(key)
        uploads = self._uploads(key)
        self._abort(
            {"Bucket": self._bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
            for upload in list(uploads)
            if upload["Key"] == key or upload["Key"].startswith(f"{key}/")
        )

    def _delete(self, key: str) -> None:
        # One by one: of deleting many in one request each storage has its own understanding.
        with s3_errors(f"s3://{self._bucket}/{key}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _abort(self, uploads: Iterator[Answer]) -> None:
        for upload in uploads:
            try:
                with s3_errors(f"s3://{self._bucket}/{upload['Key']}"):
                    self._client.abort_multipart_upload(**upload)
            except MissingFileError:  # another was faster
                continue


def _is_path(path: str) -> bool:
    """Tell whether what stands below a prefix is a path by itself."""
    return not any(part in ("", ".", "..") for part in path.split("/"))


def _file_stat(item: dict[str, Any]) -> FileStat:
    size = item["Size"] if "Size" in item else item["ContentLength"]
    return FileStat(
        size=int(size), version=str(item["ETag"]).strip('"'), modified_at=item["LastModified"]
    )


def split_location(location: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`.

    Raises:
        StoreError: If it names no bucket, or its prefix has an empty name in it.
    """
    bucket, _, prefix = location.partition("://")[2].partition("/")
    prefix = prefix.strip("/")
    if not bucket or (prefix and not _is_path(prefix)):
        raise StoreError("not a location", where=location, expected="s3://bucket/prefix")
    return bucket, prefix
