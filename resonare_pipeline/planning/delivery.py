"""Deliverables: an artifact's files laid where people take them, each replaced atomically.

The folder's manifest.json is written last and holds the digest of every file beside it. It says
nothing of times or places, so that equal inputs give equal folders.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from resonare_pipeline.artifacts.files import Files, read_if_there, write_bytes
from resonare_pipeline.artifacts.manifest import FileEntry, Manifest
from resonare_pipeline.artifacts.store import Store, folder_of
from resonare_pipeline.errors import DamagedArtifactError, StoreError
from resonare_pipeline.fingerprint import CHUNK_BYTES, digest_of_stream, short_hash
from resonare_pipeline.planning.graph import Stage

OUTPUT_MANIFEST = "manifest.json"


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """One deliverable file."""

    asset: str
    sha256: str
    size: int
    fingerprint: str


def delivery_folder(stage: Stage, partition: str | None) -> str:
    """Return the folder of a stage's deliverables, below the output root."""
    return stage.group if partition is None else f"{stage.group}/{folder_of(partition)}"


def deliver(outputs: Sequence[Files], store: Store, stage: Stage, manifest: Manifest) -> None:
    """Lay a stage's deliverables that are missing or differ, at every place.

    Args:
        outputs: The output root, then further places.
        manifest: The stage's artifact.

    Raises:
        StoreError: If a place cannot be written; those before it are done then.
    """
    if not stage.delivers:
        return
    first, *others = outputs
    _lay(first, store, stage, manifest)
    for other in others:
        try:
            _lay(other, store, stage, manifest)
        except StoreError as error:
            raise StoreError(
                f"the second place for deliverables: {error.found}",
                where=error.where,
                expected=error.expected,
                remedy=f"What lies at {first.uri} is complete. {error.remedy}".strip(),
            ) from error


def _lay(output: Files, store: Store, stage: Stage, manifest: Manifest) -> None:
    folder = delivery_folder(stage, manifest.partition)
    before = laid_files(output, folder)
    now = {name: laid for name, laid in before.items() if laid.asset not in stage.assets}
    verified = _Verified(output, store, folder)
    for asset, file in _deliverables(stage, manifest):
        if not verified.is_laid(file):
            _copy(store, file, output, f"{folder}/{file.name}")
            verified.remember(file)
        now[file.name] = Laid(
            asset=asset, sha256=file.sha256, size=file.size, fingerprint=manifest.fingerprint
        )
    for name in before.keys() - now.keys():  # of an earlier making, which had other files
        output.delete(f"{folder}/{name}")
    verified.keep()
    if now != before:
        content = msgspec.json.encode({"files": dict(sorted(now.items()))})
        write_bytes(
            output, f"{folder}/{OUTPUT_MANIFEST}", msgspec.json.format(content, indent=1) + b"\n"
        )


def _copy(store: Store, file: FileEntry, output: Files, target: str) -> None:
    """Copy a file of the store; what is not what was written is never laid."""
    hasher = hashlib.sha256()
    with store.files.open_read(file.path) as source, output.open_write(target) as sink:
        while chunk := source.read(CHUNK_BYTES):
            hasher.update(chunk)
            sink.write(chunk)
        if hasher.hexdigest() != file.sha256:
            raise DamagedArtifactError(
                "not what was written", where=store.files.locate(file.path), remedy="Run again"
            )


def laid_files(output: Files, folder: str) -> dict[str, Laid]:
    """Return what a folder's manifest lists; nothing where there is none or it is damaged."""
    content = read_if_there(output, f"{folder}/{OUTPUT_MANIFEST}") or b"{}"
    try:
        tables = msgspec.json.decode(content, type=dict[str, dict[str, Laid]])
    except ValueError:  # no JSON, no UTF-8, or other fields
        return {}
    return tables.get("files", {})


def is_laid(output: Files, stage: Stage, manifest: Manifest) -> bool:
    """Tell whether what lies in the output folder is this artifact's, by the folder's manifest."""
    if not stage.delivers:
        return True
    laid = laid_files(output, delivery_folder(stage, manifest.partition))
    own = {file.fingerprint for file in laid.values() if file.asset in stage.assets}
    return own == {manifest.fingerprint}


def _deliverables(stage: Stage, manifest: Manifest) -> list[tuple[str, FileEntry]]:
    return [
        (output.asset, file)
        for output in stage.outputs
        for file in manifest.outputs[output.asset].files
        if any(fnmatchcase(file.name, pattern) for pattern in output.deliver)
    ]


class _Verified:
    """What is known of the files in one folder of deliverables, without reading them."""

    def __init__(self, output: Files, store: Store, folder: str) -> None:
        self._output = output
        self._store = store
        self._folder = folder
        self._children = {child.name: child for child in output.children(folder) or ()}
        # One record for each folder, by its full name: places do not disturb one another.
        self._record = f"output/{folder}/{short_hash(output.locate(folder))}"
        self._before = store.known_hashes(self._record)
        self._known = dict(self._before)

    def is_laid(self, file: FileEntry) -> bool:
        """Tell whether a file lies there as it should; one with a new version is hashed again."""
        path = f"{self._folder}/{file.name}"
        child = self._children.get(file.name)
        stat = child.stat if child else None
        if stat is None and (child or "/" in file.name):
            stat = self._output.stat(path)
        if stat is None or stat.size != file.size:
            return False
        seen = self._known.get(file.name)
        if seen is not None and seen[0] == stat:
            return seen[1] == file.sha256
        with self._output.open_read(path) as stream:
            digest = digest_of_stream(stream)
        self._known[file.name] = (stat, digest)
        return digest == file.sha256

    def remember(self, file: FileEntry) -> None:
        """Note a file that was just laid."""
        stat = self._output.stat(f"{self._folder}/{file.name}")
        if stat is not None:
            self._known[file.name] = (stat, file.sha256)

    def keep(self) -> None:
        """Write down what is known now; a store that may only be read still serves hits."""
        if self._known != self._before:
            with contextlib.suppress(StoreError):
                self._store.keep_hashes(self._record, self._known)
