"""What an earlier publication put into a repository, and what this one would change there.

A publication leaves a listing of its files in the repository. What stands in the listing and is
still as it was published may be replaced and deleted; everything else was put there by somebody
and is theirs. Nothing here asks the Hub.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import msgspec

# A leading dot keeps it out of what `datasets` and the Hub's viewer take for data.
LISTING_NAME = ".resonare.json"
LISTING_VERSION = 1

# The Hub keeps files over 10 MB in its storage for large files, and names them by their SHA-256.
# Below this size a file may also lie in git itself, which has names of its own.
LARGEST_GIT_FILE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file to publish, wherever it lies.

    Attributes:
        path_in_repo: Relative, with forward slashes.
        size: In bytes.
        sha256: Of its bytes, as they were written.
        open: Opens it for reading; the stream can seek.
    """

    path_in_repo: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        blob: Git's name for its content; of a large file, for the pointer that stands for it.
        sha256: Of a large file; None where git itself holds the content.
    """

    size: int
    blob: str
    sha256: str | None


class ListedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was published.

    Attributes:
        blob: Git's name for its content; empty where it is too long to lie in git.
    """

    sha256: str
    size: int
    blob: str


class Change(StrEnum):
    """What a publication does with one path of a repository."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path, and what a publication does with it.

    Attributes:
        size: In bytes; of what would be sent, or of what would be deleted.
        is_foreign: What lies there now was not published from here, or was edited since.
    """

    path: str
    size: int
    change: Change
    is_foreign: bool = False


def differences(
    files: Sequence[HubFile],
    remote: Mapping[str, RemoteFile],
    listed: Mapping[str, ListedFile],
) -> list[Difference]:
    """Compare what is to be published with a repository, in order of path.

    Args:
        remote: Path → file, as the repository is now.
        listed: Path → file, as the last publication left it.
    """
    wanted = {file.path_in_repo: file for file in files}
    found = [_placed(file, remote.get(path), listed.get(path)) for path, file in wanted.items()]
    for path, entry in listed.items():
        there = remote.get(path)
        if path not in wanted and there is not None:
            found.append(
                Difference(
                    path=path,
                    size=there.size,
                    change=Change.DELETED,
                    is_foreign=not _is_as_published(there, entry),
                )
            )
    return sorted(found, key=lambda difference: difference.path)


def _placed(file: HubFile, there: RemoteFile | None, entry: ListedFile | None) -> Difference:
    if there is None:
        return Difference(path=file.path_in_repo, size=file.size, change=Change.NEW)
    if _holds(there, file):
        return Difference(path=file.path_in_repo, size=file.size, change=Change.UNCHANGED)
    return Difference(
        path=file.path_in_repo,
        size=file.size,
        change=Change.CHANGED,
        is_foreign=entry is None or not _is_as_published(there, entry),
    )


def _holds(there: RemoteFile, file: HubFile) -> bool:
    if there.size != file.size:
        return False
    if there.sha256 is not None:
        return there.sha256 == file.sha256
    return there.blob == git_name(file)


def _is_as_published(there: RemoteFile, entry: ListedFile) -> bool:
    if there.sha256 is not None:
        return there.sha256 == entry.sha256
    return there.blob == entry.blob


def git_name(file: HubFile) -> str:
    """Return git's name for a file's content; empty where the file is too long to lie in git.

    The name is the SHA-1 of `blob <size>`, a zero byte and the content (git-hash-object).
    """
    if file.size > LARGEST_GIT_FILE_BYTES:
        return ""
    with file.open() as stream:
        content = stream.read()
    header = f"blob {len(content)}".encode() + b"\0"
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def listing_of(files: Sequence[HubFile], before: Mapping[str, ListedFile]) -> bytes:
    """Return the listing that a publication leaves in the repository.

    Args:
        before: The listing that is there; files that stand in it are not read again.
    """
    listed = {}
    for file in sorted(files, key=lambda file: file.path_in_repo):
        entry = before.get(file.path_in_repo)
        if entry is None or (entry.sha256, entry.size) != (file.sha256, file.size):
            entry = ListedFile(sha256=file.sha256, size=file.size, blob=git_name(file))
        listed[file.path_in_repo] = entry
    content = msgspec.json.encode({"version": LISTING_VERSION, "files": listed})
    return msgspec.json.format(content, indent=1) + b"\n"


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    files: dict[str, ListedFile]


def read_listing(content: bytes) -> dict[str, ListedFile]:
    """Return path → file of a listing.

    What cannot be read lists nothing, so that all that is there counts as somebody's own.
    """
    try:
        document = msgspec.json.decode(content, type=_Document)
    except ValueError:  # no JSON, no UTF-8, or other fields
        return {}
    return document.files if document.version == LISTING_VERSION else {}
