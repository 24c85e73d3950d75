"""Content hashes of raw inputs, taken again only when size or version changed."""

from resonare_pipeline.artifacts.files import FileStat
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import FileChangedError, InputChangedError, MissingFileError
from resonare_pipeline.fingerprint import digest_of_parts, digest_of_stream
from resonare_pipeline.planning.raw import RawInput
from resonare_pipeline.progress import Progress

Hashes = dict[str, str]
"""Path of a raw file → its SHA-256."""


def known_hashes(store: Store, raw: RawInput) -> Hashes | None:
    """Return the hashes of a raw input's files, or None if any must be taken first."""
    record = store.known_hashes(_record_name(raw))
    hashes: Hashes = {}
    for path, stat in raw.entries.items():
        seen = record.get(raw.files.locate(path))
        if seen is None or seen[0] != stat:
            return None
        hashes[path] = seen[1]
    return hashes


def known_digest(store: Store, raw: RawInput) -> str | None:
    """Return the digest of a raw input, or None if it must be hashed first."""
    hashes = known_hashes(store, raw)
    return None if hashes is None else digest_of_parts(hashes.items())


def take_hashes(store: Store, raw: RawInput, progress: Progress) -> None:
    """Hash a raw input's files and remember the result.

    Raises:
        InputChangedError: If a file changes while it is being read.
    """
    record: dict[str, tuple[FileStat, str]] = {}
    total = sum(stat.size for stat in raw.entries.values())
    done = 0
    for path, stat in raw.entries.items():
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
    store.keep_hashes(_record_name(raw), record)


def _digest(raw: RawInput, path: str) -> str | None:
    """Hash a file; None if the storage itself has noticed that it is another one now."""
    try:
        with raw.open(path) as stream:
            return digest_of_stream(stream)
    except (FileChangedError, MissingFileError):
        return None


def _record_name(raw: RawInput) -> str:
    return f"raw/{raw.kind.folder}/{raw.key}"
