"""Content hashes of raw inputs, taken again only when size or version changed."""

import time
from collections.abc import Mapping
from contextlib import suppress

from resonare_pipeline.artifacts.files import FileStat
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import (
    FileChangedError,
    InputChangedError,
    MissingFileError,
    StoreError,
)
from resonare_pipeline.fingerprint import digest_of_parts, digest_of_stream
from resonare_pipeline.planning.raw import RawInput
from resonare_pipeline.progress import Progress

KEEP_EVERY_SECONDS = 10.0
"""How much work a kill can lose; a record of 20,000 files is written in a twentieth of a second."""

OTHER_FOLDERS = 3
"""Raw folders that share a store with this one, and whose hashes are remembered beside its own."""

Hashes = dict[str, str]
"""Path of a raw file → its SHA-256."""

Record = dict[str, tuple[FileStat, str]]
"""Full name of a raw file → what it was recognized by, and its SHA-256."""


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
    """Hash those of a raw input's files, or of its attachments, that are new or were touched.

    What is hashed is remembered now and then, and whatever ends this: nothing is hashed twice.

    Raises:
        InputChangedError: If a file changes while it is being read.
    """
    name, files = _record_name(raw, attached), _files(raw, attached)
    places = {path: raw.files.locate(path) for path in files}
    before = store.known_hashes(name)
    record: Record = {
        place: before[place]
        for path, place in places.items()
        if place in before and before[place][0] == files[path]
    }
    total = sum(stat.size for stat in files.values())
    done = sum(stat.size for stat, _ in record.values())
    kept_at = time.monotonic()
    try:
        for path in [path for path, place in places.items() if place not in record]:
            stat = files[path]
            record[places[path]] = (_bare(stat), _unchanged_digest(raw, path, stat))
            done += stat.size
            progress(done, total, "bytes")
            if time.monotonic() - kept_at >= KEEP_EVERY_SECONDS:
                _keep(store, name, raw, record)
                kept_at = time.monotonic()
    except BaseException:
        with suppress(StoreError):  # the first failure is what matters
            _keep(store, name, raw, record)
        raise
    _keep(store, name, raw, record)


def _keep(store: Store, name: str, raw: RawInput, record: Record) -> None:
    """Remember hashes beside those that other machines have taken of the same input elsewhere.

    Of this raw folder only the files that are there now are remembered. Of other folders those that
    were kept last stay, in such a number that folders of a day do not fill the record.
    """
    here = raw.files.locate("_").removesuffix("_")
    others = {
        place: seen
        for place, seen in store.known_hashes(name).items()
        if place not in record and not place.startswith(here)
    }
    most = OTHER_FOLDERS * max(len(record), 1)
    store.keep_hashes(name, dict(list(others.items())[-most:]) | record)


def _bare(stat: FileStat) -> FileStat:
    """Return what a file is recognized by, and no more: records are read for every plan."""
    return FileStat(size=stat.size, version=stat.version)


def _unchanged_digest(raw: RawInput, path: str, stat: FileStat) -> str:
    digest = _digest(raw, path)
    if digest is None or raw.files.stat(path) != stat:
        raise InputChangedError(
            "changed while being read",
            where=raw.files.locate(path),
            remedy="Run again when the file is complete",
        )
    return digest


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
