"""From a location, as settings spell it, to the storage behind it."""

from pathlib import Path

from resonare_pipeline.artifacts.files import Files, LocalFiles
from resonare_pipeline.artifacts.s3.client import Connect
from resonare_pipeline.artifacts.s3.client import connect as connect_s3
from resonare_pipeline.errors import StoreError


def open_files(uri: str, connect: Connect = connect_s3) -> Files:
    """Return the storage behind a setting's value.

    Args:
        uri: A folder, absolute or relative to the working folder, or `s3://bucket/prefix`.
        connect: Makes the client of S3, if it is needed.

    Raises:
        StoreError: For a location that is not supported.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator:
        return LocalFiles(Path(uri).expanduser())
    if scheme != "s3":
        raise StoreError(
            "this kind of location is not supported",
            where=uri,
            expected="a folder on disk, or s3://bucket/prefix",
        )
    from resonare_pipeline.artifacts.s3.files import S3Files, split_location

    bucket, prefix = split_location(uri)
    return S3Files(connect(), bucket, prefix)


def is_remote(uri: str) -> bool:
    """Tell whether a setting's value is no folder on disk."""
    return "://" in uri
