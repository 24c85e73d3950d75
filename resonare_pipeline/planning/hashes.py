"""Content hashes of raw inputs, taken again only when size or version changed."""

from collections.abc import Mapping

from resonare_pipeline.artifacts.files import FileStat
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import FileChangedError, InputChangedError, MissingFileError
from resonare_pipeline.fingerprint import digest_of_parts, digest_of_stream
from resonare_pipeline.planning.raw import RawInput
from resonare_pipeline.progress import Progress

Hashes = dict[str, str]
"""Path of a raw file → its SHA-256."""


def known_hashes(store: Store, raw: RawInput, *, attached: bool = False) -> Hashes | None:
    """Return the hashes of a raw input's files, or None if any must be taken first.

    Args:
        attached: Those of its attachments instead.
    """
    record = store.known_hashes(_record_name(raw, attached))
    hashes: Hashes = {}
    for path, stat in _files(raw, attached).items():
        seen = record.get(raw.files.locate(path))
        if seen is None or seen[0] != stat:
            return None
        hashes[path] = seen[1]
    return hashes


def known_digest(store: Store, raw: RawInput, *, attached: bool = False) -> str | None:
    """Return the digest of a raw input, or of its attachments; None if it must be hashed first."""
    hashes = known_hashes(store, raw, attached=attached)
    return None if hashes is None else digest_of_parts(hashes.items())


def take_hashes(store: Store, raw: RawInput, progress: Progress, *, attached: bool = False) -> None:
    """Hash a raw input's files, or its attachments, and remember the result.

    Raises:
        InputChangedError: If a file changes while it is being read.
    """
    record: dict[str, tuple[FileStat, str]] = {}
    files = _files(raw, attached)
    total = sum(stat.size for stat in files.values())
    done = 0
    for path, stat in files.items():
        digest = _digest(raw, path)
        if digest is None or raw.files.stat(path) != stat:
            raise InputChangedError(
                "changed while being read",
                where=raw.files.locate(path),
                remedy="Run again when the file is complete",
            )
        record[raw.files.locate(path)] = (stat, digest)
        done += stat.size
        progress(done, total, "bytes")
    store.keep_hashes(_record_name(raw, attached), record)


def _digest(raw: RawInput, path: str) -> str | None:
    """Hash a file; None if the storage itself has noticed that it is another one now."""
    try:
        with raw.open(path) as stream:
            return digest_of_stream(stream)
    except (FileChangedError, MissingFileError):
        return None


def _files(raw: RawInput, attached: bool) -> Mapping[str, FileStat]:  # noqa: FBT001  # as asked for
    return raw.attachments if attached else raw.entries


def _record_name(raw: RawInput, attached: bool) -> str:  # noqa: FBT001  # as asked for
    return f"{'attached' if attached else 'raw'}/{raw.kind.folder}/{raw.key}"
